//! A message's signature: of its own, or one that many messages share.
//!
//! Signing costs as much as everything else that a busy node does for a request, so messages that are ready at
//! the same time may be signed together: the key signs the root of a Merkle tree over them, and each
//! message carries its path. Alone each proves what a signature of its own would, to anyone, on the
//! ledger too; nobody needs the other messages.

use super::{BatchTag, Tag};
use crate::{
    Sign, Signature, Verify,
    ed25519::BadSignature,
    hash::Hash32,
    merkle::{self, MerkleTree},
};

/// Messages that one signature may cover: a path of five hashes. More would save next to nothing,
/// and 64 such signatures of a settlement still fit one argument of a transaction (16 KiB).
pub const MAX_BATCH: usize = 1 << MAX_PATH;
/// Hashes of the longest path.
const MAX_PATH: usize = 5;
/// Bytes of an ed25519 signature.
const ALONE: usize = 64;
/// Of a sibling.
const HASH: usize = 32;
/// Marks the last byte of a shared signature; a genuine ed25519 signature ends in at most `0x10`.
const SHARED: u8 = 0x80;

/// The signature of a [`Signed`](super::Signed) message.
///
/// ```text
/// alone   64       ed25519 over the message's bytes
///
/// shared  64       ed25519 over "atoma/batch/v1" 0 0 ‖ root
///         32 k     siblings, the leaf's first; k from 1 to 5
///          1       sides: bit i is set if sibling i is the left one; higher bits are zero
///          1       0x80 + k
/// ```
/// The tree's hashes are those of [`merkle`]: `leaf = BLAKE2b-256(0x00 ‖ message)`,
/// `node = BLAKE2b-256(0x01 ‖ left ‖ right)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageSignature {
    ed25519: Signature,
    path: Option<Box<Path>>,
}

/// The way from a message to the root that was signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Path {
    siblings: Vec<Hash32>,
    sides: u8,
}

impl MessageSignature {
    /// Signs one message.
    pub(super) fn alone(message: &[u8], key: &impl Sign) -> Self {
        key.sign(message).into()
    }

    /// Signs messages together, at most [`MAX_BATCH`] with one signature.
    pub(super) fn together(messages: &[&[u8]], key: &impl Sign) -> Vec<Self> {
        let batches = messages.chunks(MAX_BATCH);
        batches.flat_map(|batch| Self::batch(batch, key)).collect()
    }

    fn batch(messages: &[&[u8]], key: &impl Sign) -> Vec<Self> {
        if let [message] = messages {
            return vec![Self::alone(message, key)];
        }
        let leaves = messages.iter().map(|message| merkle::leaf_hash(message));
        let tree = MerkleTree::from_leaves(leaves.collect());
        let ed25519 = key.sign(&signed_root(tree.root()));
        let path = |index| {
            let (siblings, sides) = tree.path(index);
            Some(Box::new(Path { siblings, sides }))
        };
        (0..messages.len())
            .map(|index| Self {
                ed25519,
                path: path(index),
            })
            .collect()
    }

    /// Encodes it in its own byte layout.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ALONE + MAX_PATH * HASH + 2);
        self.write(&mut bytes);
        bytes
    }

    /// Appends the signature's bytes, as they stand in signed messages.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.ed25519.0);
        if let Some(path) = &self.path {
            for sibling in &path.siblings {
                bytes.extend_from_slice(&sibling.0);
            }
            // at most five siblings
            bytes.extend([path.sides, SHARED + path.siblings.len() as u8]);
        }
    }

    /// How many bytes of a signature these end with, if they end with one.
    pub(super) fn length_at_end(bytes: &[u8]) -> Option<usize> {
        let length = match bytes.last()?.checked_sub(SHARED) {
            None => ALONE,
            Some(siblings @ 1..=5) => ALONE + usize::from(siblings) * HASH + 2,
            Some(_) => return None,
        };
        (length <= bytes.len()).then_some(length)
    }

    /// Whether the key's owner signed exactly these bytes, as the ledger checks it.
    ///
    /// # Errors
    /// If they didn't.
    pub fn verify(&self, message: &[u8], key: &impl Verify) -> Result<(), BadSignature> {
        match self.root_of(message) {
            None => key.verify(message, &self.ed25519),
            Some(root) => key.verify_root(root, &signed_root(root), &self.ed25519),
        }
    }

    /// The root that the path leads to.
    fn root_of(&self, message: &[u8]) -> Option<Hash32> {
        let path = self.path.as_ref()?;
        let siblings = path.siblings.iter().enumerate();
        let leaf = merkle::leaf_hash(message);
        Some(siblings.fold(leaf, |hash, (level, sibling)| {
            if path.sides >> level & 1 == 1 {
                merkle::inner_hash(sibling, &hash)
            } else {
                merkle::inner_hash(&hash, sibling)
            }
        }))
    }
}

/// The bytes that are signed for a root.
fn signed_root(root: Hash32) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[..16].copy_from_slice(&BatchTag::BYTES);
    bytes[16..].copy_from_slice(&root.0);
    bytes
}

impl From<Signature> for MessageSignature {
    fn from(ed25519: Signature) -> Self {
        Self {
            ed25519,
            path: None,
        }
    }
}

impl TryFrom<&[u8]> for MessageSignature {
    type Error = BadSignature;

    /// Reads [`to_bytes`](Self::to_bytes). Each signature has one form.
    fn try_from(bytes: &[u8]) -> Result<Self, BadSignature> {
        if Self::length_at_end(bytes) != Some(bytes.len()) {
            return Err(BadSignature);
        }
        let (ed25519, rest) = bytes.split_at_checked(ALONE).ok_or(BadSignature)?;
        let ed25519 = Signature::try_from(ed25519)?;
        let [siblings @ .., sides, _] = rest else {
            return Ok(ed25519.into());
        };
        let (siblings, sides) = (siblings.chunks_exact(HASH), *sides);
        let siblings: Vec<_> = siblings
            .filter_map(|hash| hash.try_into().ok().map(Hash32))
            .collect();
        if u32::from(sides) >> siblings.len() != 0 {
            return Err(BadSignature);
        }
        let path = Some(Box::new(Path { siblings, sides }));
        Ok(Self { ed25519, path })
    }
}

#[cfg(test)]
#[path = "signature_test.rs"]
mod tests;
