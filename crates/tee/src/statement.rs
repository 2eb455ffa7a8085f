//! What a guest says through its report data: 64 bytes that bind its keys, its devices and a
//! freshness.
//!
//! ```text
//! keyset      SHA-256 of the keyset's BCS
//! freshness   SHA-256 of the freshness's BCS
//! devices     SHA-256 of "atoma/devices/v1" ‖ BCS of the devices' evidence ‖ count ‖ SHA-256 of each manifest
//! nonce       SHA-256 of "atoma/nonce/v1", 0, 0 ‖ keyset ‖ freshness: what devices are asked with
//! statement   SHA-256 of "atoma/attest/v1", 0 ‖ keyset ‖ devices ‖ freshness
//! report data statement ‖ freshness
//! ```
//!
//! So a device's evidence is of this guest's asking and no earlier, and a manifest has one form,
//! though XML has many.

use crate::{
    crypto::sha256,
    nvidia::{DeviceEvidence, ManifestBytes},
    octets::{Digest, Octets},
};
use atoma_types::{
    NodeId, TimestampMs,
    message::{Domain, Tag},
};
use serde::{Deserialize, Serialize};

macro_rules! tag {
    ($name:ident = $bytes:literal) => {
        #[doc = "The tag with which such a preimage begins."]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;
        impl Tag for $name {
            const BYTES: [u8; 16] = *$bytes;
        }
    };
}
tag!(FreshnessTag = b"atoma/chall/v1\0\0");
tag!(DevicesTag = b"atoma/devices/v1");
tag!(NonceTag = b"atoma/nonce/v1\0\0");
tag!(StatementTag = b"atoma/attest/v1\0");

/// What shows that evidence is fresh.
///
/// # BCS
/// ```text
/// domain 16  "atoma/chall/v1", 0, 0
/// node   32
/// kind    1  0 nonce: 32 bytes of the client that asked
///            1 checkpoint: number u64 le, digest 32, time u64 le (milliseconds since 1970)
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// Always the freshness tag.
    pub domain: Domain<FreshnessTag>,
    /// The node that is asked.
    pub node: NodeId,
    /// What it couldn't know before.
    pub kind: FreshnessKind,
}

/// What a node couldn't know before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FreshnessKind {
    /// Random bytes of whoever asks; convinces that one alone.
    Nonce(Octets<32>),
    /// A recent checkpoint of the ledger; convinces everybody.
    Checkpoint {
        /// Its number on the ledger.
        sequence: u64,
        /// Its digest, which nobody knew before it was made.
        digest: Octets<32>,
        /// Its time, which whoever has the ledger can look up.
        timestamp: TimestampMs,
    },
}

impl Freshness {
    /// For evidence that `node` is asked for.
    #[must_use]
    pub fn new(node: NodeId, kind: FreshnessKind) -> Self {
        Self {
            domain: Domain::default(),
            node,
            kind,
        }
    }

    /// SHA-256 over its BCS.
    #[must_use]
    pub fn digest(&self) -> Digest {
        digest_of(self)
    }
}

#[derive(Serialize)]
struct Devices<'a> {
    domain: Domain<DevicesTag>,
    devices: &'a [DeviceEvidence],
    manifests: Vec<Digest>,
}

#[derive(Serialize)]
struct Nonce {
    domain: Domain<NonceTag>,
    keyset: Digest,
    freshness: Digest,
}

#[derive(Serialize)]
struct Statement {
    domain: Domain<StatementTag>,
    keyset: Digest,
    devices: Digest,
    freshness: Digest,
}

/// The digest over all devices' evidence and the manifests' exact bytes.
#[must_use]
pub fn devices_digest(devices: &[DeviceEvidence], manifests: &[ManifestBytes]) -> Digest {
    digest_of(&Devices {
        domain: Domain::default(),
        devices,
        manifests: manifests.iter().map(|manifest| sha256(manifest)).collect(),
    })
}

/// What a guest asks its devices with.
#[must_use]
pub fn device_nonce(keyset: Digest, freshness: Digest) -> Digest {
    digest_of(&Nonce {
        domain: Domain::default(),
        keyset,
        freshness,
    })
}

/// The digest of the whole statement; what the ledger records of it.
#[must_use]
pub fn statement_digest(keyset: Digest, devices: Digest, freshness: Digest) -> Digest {
    digest_of(&Statement {
        domain: Domain::default(),
        keyset,
        devices,
        freshness,
    })
}

/// What a guest has put into its report: statement, then freshness.
#[must_use]
pub fn report_data(statement: Digest, freshness: Digest) -> Octets<64> {
    let mut data = [0; 64];
    data[..32].copy_from_slice(&statement.0);
    data[32..].copy_from_slice(&freshness.0);
    Octets(data)
}

fn digest_of(preimage: &impl Serialize) -> Digest {
    sha256(&bcs::to_bytes(preimage).expect("a preimage has BCS"))
}
