//! A blob of the ledger in the form of Walrus's HTTP API.

use atoma_types::{Address, chain::Blob};
use atoma_walrus::store::{BlobObject, EncodingType, StorageResource};
use std::collections::BTreeMap;

/// A blob as the store and its HTTP API show it.
pub(crate) fn to_blob_object(
    blob: &Blob,
    owner: Option<Address>,
    attributes: BTreeMap<String, String>,
) -> BlobObject {
    let storage = &blob.storage;
    BlobObject {
        id: blob.id,
        registered_epoch: blob.registered_epoch,
        blob_id: blob.blob_id,
        size: blob.size,
        // the ledger registers no other
        encoding_type: EncodingType::Rs2,
        certified_epoch: blob.certified_epoch,
        storage: StorageResource {
            id: storage.id,
            start_epoch: storage.start_epoch,
            end_epoch: storage.end_epoch,
            storage_size: storage.storage_size,
        },
        deletable: blob.deletable,
        owner,
        shared: None,
        attributes,
    }
}
