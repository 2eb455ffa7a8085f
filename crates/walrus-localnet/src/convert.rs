//! The same things in the ledger's types and in Walrus's.

use atoma_types::{Address, BlobId, chain::Blob};
use atoma_walrus::{
    self as walrus, ObjectId,
    store::{BlobObject, EncodingType, StorageResource},
};
use std::collections::BTreeMap;

pub(crate) fn to_object(id: Address) -> ObjectId {
    ObjectId(id.into_inner())
}

pub(crate) fn to_address(id: ObjectId) -> Address {
    Address::new(id.0)
}

pub(crate) fn to_blob_id(id: walrus::BlobId) -> BlobId {
    BlobId(id.0)
}

/// A blob as the store and its HTTP API show it.
pub(crate) fn to_blob_object(
    blob: &Blob,
    owner: Option<Address>,
    attributes: BTreeMap<String, String>,
) -> BlobObject {
    let storage = &blob.storage;
    BlobObject {
        id: to_object(blob.id),
        registered_epoch: blob.registered_epoch,
        blob_id: walrus::BlobId(blob.blob_id.0),
        size: blob.size,
        // the ledger registers no other
        encoding_type: EncodingType::Rs2,
        certified_epoch: blob.certified_epoch,
        storage: StorageResource {
            id: to_object(storage.id),
            start_epoch: storage.start_epoch,
            end_epoch: storage.end_epoch,
            storage_size: storage.storage_size,
        },
        deletable: blob.deletable,
        owner: owner.map(to_object),
        shared: None,
        attributes,
    }
}
