//! The keys of an attested node, and what they are for.

use crate::{
    bounded::{Bytes, List},
    crypto::sha256,
    limits::{MAX_SEALING_KEY_BYTES, MAX_SEALING_KEYS},
    octets::{Digest, Octets},
};
use atoma_types::{
    NetworkId, NodeId, ObjectId, PublicKey, TimestampMs,
    hash::Hash32,
    merkle::{MerkleTree, leaf_hash},
    message::{Domain, Tag},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Tag of keysets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeysetTag;

impl Tag for KeysetTag {
    const BYTES: [u8; 16] = *b"atoma/keyset/v1\0";
}

/// The keys of one node for a short time. Made within the guest and never taken out of it; each key
/// has one use. Who trusts the guest's measurement and the evidence trusts these keys.
///
/// # BCS
/// ```text
/// domain       16  "atoma/keyset/v1", 0
/// network      32   package 32   node 32
/// release      32  what the ledger's list of releases calls the guest's image
/// models       32  root over the models that the release may serve ([`Keyset::root_of`]); zero where it may serve any
/// sealing_keys  1  ULEB128 count, at most 4, then of each:
///               4  u32 le, the key's id
///               1  suite: 0 X-Wing with AES-256-GCM
///               2  ULEB128 length, then the public key
/// receipt_key  32  ed25519
/// tls_key       1  0, or 1 ‖ SHA-256 of the SubjectPublicKeyInfo (32 bytes)
/// not_before    8  u64 le, milliseconds since 1970   not_after 8
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyset {
    /// Always the keyset tag.
    pub domain: Domain<KeysetTag>,
    /// The network id of the ledger.
    pub network: NetworkId,
    /// The package by whose rules the node serves.
    pub package: ObjectId,
    /// The node whose keys they are.
    pub node: NodeId,
    /// The release that the guest runs.
    pub release: Digest,
    /// The models that it may serve.
    pub models: Digest,
    /// To these keys requests are sealed.
    pub sealing_keys: List<SealingKeyEntry, MAX_SEALING_KEYS>,
    /// This key signs receipts.
    pub receipt_key: PublicKey,
    /// The key of the guest's own TLS endpoint, if it has one. A key of its host's is never here.
    pub tls_key: Option<Digest>,
    /// The keys count from then on.
    pub not_before: TimestampMs,
    /// They don't count any more from then on.
    pub not_after: TimestampMs,
}

/// One sealing key; see [`Keyset`] for its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingKeyEntry {
    /// Which of the node's keys this is; ids aren't used again.
    pub id: u32,
    /// What the key is for.
    pub suite: SealingSuite,
    /// The public key, as its suite writes it.
    pub key: Bytes<MAX_SEALING_KEY_BYTES>,
}

/// How requests are sealed. There is one suite, so nothing is negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SealingSuite {
    /// HPKE with X-Wing (KEM 0x647A), HKDF-SHA256 and AES-256-GCM.
    XWingAes256Gcm,
}

impl SealingSuite {
    /// Bytes of a public key.
    #[must_use]
    pub fn key_bytes(self) -> usize {
        match self {
            Self::XWingAes256Gcm => 1_216,
        }
    }
}

impl Keyset {
    /// What stands in [`models`](Self::models) for these: the Merkle root of their hashes in rising order, as tasks have them.
    #[must_use]
    pub fn root_of(models: &BTreeSet<Hash32>) -> Digest {
        let leaves = models.iter().map(|model| leaf_hash(&model.0));
        Octets(MerkleTree::from_leaves(leaves.collect()).root().0)
    }

    /// SHA-256 over the keyset's BCS.
    ///
    /// # Panics
    /// Never: a keyset can always be written.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(&bcs::to_bytes(self).expect("a keyset has BCS"))
    }

    /// Whether there is a sealing key, each has the length of its suite, and none has another's id.
    #[must_use]
    pub fn keys_fit(&self) -> bool {
        let keys = &self.sealing_keys;
        let lengths = keys
            .iter()
            .all(|entry| entry.key.len() == entry.suite.key_bytes());
        let ids = keys
            .iter()
            .enumerate()
            .all(|(i, entry)| keys[..i].iter().all(|before| before.id != entry.id));
        !keys.is_empty() && lengths && ids
    }
}
