//! Of Walrus: its blobs and epochs.

use crate::{BlobId, ObjectId};
use serde::{Deserialize, Serialize};

/// A blob was registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRegistered {
    /// Number of Walrus's epoch at that moment.
    pub epoch: u32,
    /// The blob's id, which follows from its bytes.
    pub blob_id: BlobId,
    /// Its length in bytes.
    pub size: u64,
    /// Walrus's number of the coding: 1 is RS2.
    pub encoding_type: u8,
    /// It is kept until this epoch begins.
    pub end_epoch: u32,
    /// Its owner may delete it before.
    pub deletable: bool,
    /// Id of the blob's object, a `Blob`.
    pub object_id: ObjectId,
}

/// The storage nodes have promised to keep a blob, or its time was extended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobCertified {
    /// Number of Walrus's epoch at that moment.
    pub epoch: u32,
    /// The blob's id, which follows from its bytes.
    pub blob_id: BlobId,
    /// It is kept until this epoch begins.
    pub end_epoch: u32,
    /// Its owner may delete it before.
    pub deletable: bool,
    /// Id of the blob's object, a `Blob`.
    pub object_id: ObjectId,
    /// It was certified before.
    pub is_extension: bool,
}

/// A blob was dropped by its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobDeleted {
    /// Number of Walrus's epoch at that moment.
    pub epoch: u32,
    /// The blob's id, which follows from its bytes.
    pub blob_id: BlobId,
    /// It would have been kept until this epoch.
    pub end_epoch: u32,
    /// Id of the blob's object, a `Blob`.
    pub object_id: ObjectId,
    /// Whether it was certified.
    pub was_certified: bool,
}

/// A new epoch of Walrus began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochChangeDone {
    /// Number of the epoch that begins.
    pub epoch: u32,
}
