//! JSON of Walrus's HTTP API, as publishers and aggregators write it and clients read it.

use crate::{BlobId, BlobObject, ObjectId, quilt::Tags};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a publisher did with a blob.
#[expect(clippy::large_enum_variant, reason = "there is one per request")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BlobStoreResult {
    /// The publisher stored the blob and made an object for it.
    NewlyCreated {
        /// The new object. Its `certified_epoch` may be missing although it is certified.
        blob_object: BlobObject,
        /// How the storage was come by.
        resource_operation: ResourceOperation,
        /// In FROST, without gas.
        cost: u64,
        /// The shared object that holds it, where asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shared_blob_object: Option<ObjectId>,
    },
    /// It was there for long enough.
    AlreadyCertified {
        /// The blob's id, which follows from its bytes.
        blob_id: BlobId,
        /// The event or the object that shows that the blob is certified already.
        #[serde(flatten)]
        shown_by: EventOrObject,
        /// The epoch in which its storage is over.
        end_epoch: u32,
    },
    /// The network found the blob encoded wrongly.
    MarkedInvalid {
        /// The blob's id, which follows from its bytes.
        blob_id: BlobId,
        /// The event that says so.
        #[serde(default)]
        event: Value,
    },
    /// It failed. Publishers send this with status 200.
    Error {
        /// The blob, where it was known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blob_id: Option<BlobId>,
        /// The phase of storing in which it failed.
        failure_phase: String,
        /// What went wrong, in words.
        error_msg: String,
    },
}

/// What shows that a blob was certified before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EventOrObject {
    /// The event of its certification.
    #[serde(rename_all = "camelCase")]
    Event {
        /// Digest of the transaction that certified it.
        tx_digest: String,
        /// The event's number in it.
        event_seq: Value,
    },
    /// The object that keeps it.
    Object(ObjectId),
}

/// How storage was come by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ResourceOperation {
    /// New storage was bought for it.
    RegisterFromScratch {
        /// Bytes of the encoded blob, which is what storage is paid by.
        encoded_length: u64,
        /// For how many epochs storage was paid.
        epochs_ahead: u32,
    },
    /// Anything else that a publisher may do.
    #[serde(untagged)]
    Other(Value),
}

/// What a publisher did with a quilt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuiltStoreResult {
    /// What it did with the quilt's blob.
    pub blob_store_result: BlobStoreResult,
    /// Where the blobs are in it.
    pub stored_quilt_blobs: Vec<StoredQuiltBlob>,
}

/// A blob in a stored quilt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredQuiltBlob {
    /// The name that it has in its quilt.
    pub identifier: String,
    /// The id by which the patch is read.
    pub quilt_patch_id: String,
    /// Its first column, and the one after its last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(u16, u16)>,
}

/// A line of a quilt's table of contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchEntry {
    /// The name that it has in its quilt.
    pub identifier: String,
    /// The id by which the patch is read.
    pub patch_id: String,
    /// Pairs of key and value that were stored with it.
    #[serde(default)]
    pub tags: Tags,
}

/// An element of a quilt's `_metadata` field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuiltBlobMetadata {
    /// The name that the blob has in its quilt.
    pub identifier: String,
    /// Pairs of key and value that were stored with it.
    #[serde(default)]
    pub tags: Tags,
}

/// An error, as AIP-193 wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong, as AIP-193 has it.
    pub error: ErrorStatus,
}

/// The one field of an [`ErrorBody`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorStatus {
    /// The HTTP status, repeated in the body.
    pub code: u16,
    /// A coarse class, `UPPER_SNAKE`.
    pub status: String,
    /// What went wrong, in words.
    pub message: String,
    /// What programs look at.
    #[serde(default)]
    pub details: Vec<ErrorDetail>,
}

/// What programs look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// Always the type `ErrorInfo` of Google's API.
    #[serde(rename = "@type")]
    pub kind: String,
    /// The stable reason, `UPPER_SNAKE`.
    #[serde(default)]
    pub reason: String,
    /// Who gives the reason its meaning.
    #[serde(default)]
    pub domain: String,
    /// Pairs of key and value about the reason.
    #[serde(default)]
    pub metadata: std::collections::BTreeMap<String, String>,
}

impl ErrorBody {
    /// The stable reason, where there is one.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        let detail = self
            .error
            .details
            .iter()
            .find(|detail| !detail.reason.is_empty())?;
        Some(&detail.reason)
    }
}

/// Header with a patch's name.
#[cfg(feature = "server")]
pub(crate) const PATCH_IDENTIFIER: &str = "x-quilt-patch-identifier";
/// Multipart field with the tags of a quilt's blobs.
pub(crate) const METADATA_FIELD: &str = "_metadata";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Forms that Walrus's documents show.
    #[test]
    fn results_of_real_publishers_are_read() {
        let id = "M4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk";
        let object = format!("0x{}", "ab".repeat(32));
        let created = json!({"newlyCreated": {
            "blobObject": {
                "id": object, "registeredEpoch": 34, "blobId": id, "size": 17, "encodingType": "RS2",
                "certifiedEpoch": null,
                "storage": {"id": object, "startEpoch": 34, "endEpoch": 35, "storageSize": 66_034_000},
                "deletable": true
            },
            "resourceOperation": {"registerFromScratch": {"encodedLength": 66_034_000, "epochsAhead": 1}},
            "cost": 132_300
        }});
        let read: BlobStoreResult = serde_json::from_value(created.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), created);
        let certified = [
            json!({"alreadyCertified": {"blobId": id, "endEpoch": 35, "event": {"txDigest": "4XQ", "eventSeq": "0"}}}),
            json!({"alreadyCertified": {"blobId": id, "endEpoch": 35, "object": object}}),
            json!({"error": {"blobId": id, "failurePhase": "encoding", "errorMsg": "no"}}),
            json!({"error": {"failurePhase": "encoding", "errorMsg": "no"}}),
            json!({"markedInvalid": {"blobId": id, "event": {"txDigest": "4XQ", "eventSeq": "0"}}}),
        ];
        for value in certified {
            let read: BlobStoreResult = serde_json::from_value(value.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), value);
        }
        let reused = json!({"reuseAndExtend": {"encodedLength": 1, "epochsExtended": 2}});
        let read: ResourceOperation = serde_json::from_value(reused.clone()).unwrap();
        assert_eq!(read, ResourceOperation::Other(reused));
    }
}
