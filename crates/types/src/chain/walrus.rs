//! Walrus's objects on the ledger: a `Blob` with the storage that keeps it, field by field as Walrus's
//! own package has them, and the `System` of localnet's development Walrus, which stands in the place
//! of Walrus's own.

use crate::{BlobId, ObjectId, TimestampMs};
use serde::{Deserialize, Serialize};

/// The only coding that Walrus uses, RS2, as `Blob::encoding_type`.
pub const WALRUS_ENCODING_RS2: u8 = 1;

/// `storage_resource::Storage`: a piece of storage, bought for some epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// Id of this object.
    pub id: ObjectId,
    /// The first epoch of Walrus that the storage is paid for.
    pub start_epoch: u32,
    /// The epoch in which it is over.
    pub end_epoch: u32,
    /// Bytes of the encoded blob, which is what storage is paid by.
    pub storage_size: u64,
}

/// `blob::Blob`: a registered blob (owned by whoever it was made for, or given to).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// Id of this object.
    pub id: ObjectId,
    /// The storage network's epoch in which it was registered.
    pub registered_epoch: u32,
    /// The blob (in Move a `u256`, the same bytes little-endian).
    pub blob_id: BlobId,
    /// Its length in bytes, unencoded.
    pub size: u64,
    /// Walrus's number of the coding: 1 is RS2.
    pub encoding_type: u8,
    /// The storage network's epoch in which it was certified, if it was.
    pub certified_epoch: Option<u32>,
    /// The storage that it is kept in, and until when.
    pub storage: Storage,
    /// Its owner may delete it before its time, so it is no lasting proof.
    pub deletable: bool,
}

/// A storage node as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalrusMember {
    /// BLS12-381 key in G1, 48 bytes: checks its confirmations.
    pub public_key: Vec<u8>,
    /// How many shards it keeps.
    pub weight: u16,
}

/// `system::System` of the development Walrus (shared).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalrusSystem {
    /// Id of this object.
    pub id: ObjectId,
    /// The current epoch; the first is 1.
    pub epoch: u32,
    /// When the current epoch began, by the ledger's clock.
    pub epoch_start_ms: TimestampMs,
    /// How many shards blobs are coded for; 0 before there is a committee.
    pub n_shards: u16,
    /// The storage nodes, in the order of a certificate's bits.
    pub committee: Vec<WalrusMember>,
}

/// `system::OperatorCap`: who holds it ends epochs of the development Walrus and names its committee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalrusCap {
    /// Id of this object.
    pub id: ObjectId,
    /// The system it is for.
    pub system: ObjectId,
}

impl Blob {
    /// Whether it keeps its blob in an epoch.
    #[must_use]
    pub fn is_live(&self, epoch: u32) -> bool {
        epoch < self.storage.end_epoch
    }
}
