//! A blob's object on the chain, with the names of Walrus's own.

use crate::{BlobId, ObjectId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A piece of storage, bought for some epochs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageResource {
    /// Id of the object on the ledger.
    pub id: ObjectId,
    /// The first epoch of Walrus that the storage is paid for.
    pub start_epoch: u32,
    /// The epoch in which it is over.
    pub end_epoch: u32,
    /// Bytes of the encoded blob, which is what storage is paid by.
    pub storage_size: u64,
}

/// A registered blob, with the names of Walrus's own object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlobObject {
    /// Id of the object on the ledger.
    pub id: ObjectId,
    /// When it was registered.
    pub registered_epoch: u32,
    /// The blob's id, which follows from its bytes.
    pub blob_id: BlobId,
    /// Its length in bytes, before coding.
    pub size: u64,
    /// The coding of the blob: always `RS2`.
    pub encoding_type: EncodingType,
    /// When it was certified.
    pub certified_epoch: Option<u32>,
    /// The storage that it is kept in, and until when.
    pub storage: StorageResource,
    /// Whether its owner may delete it before its time.
    pub deletable: bool,
    /// Whose it is, where it isn't the publisher's.
    #[serde(skip)]
    pub owner: Option<ObjectId>,
    /// The shared object that holds it, if anybody may extend it.
    #[serde(skip)]
    pub shared: Option<ObjectId>,
    /// Names and values kept with it; `content-type` and some others become HTTP headers.
    #[serde(skip)]
    pub attributes: BTreeMap<String, String>,
}

/// How a blob was coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EncodingType {
    /// Reed-Solomon Red Stuff, the only one.
    #[default]
    #[serde(rename = "RS2")]
    Rs2,
}

impl BlobObject {
    /// Whether it keeps the blob in an epoch.
    #[must_use]
    pub fn is_live(&self, epoch: u32) -> bool {
        epoch < self.storage.end_epoch
    }
}
