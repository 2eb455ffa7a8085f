//! What a node shows for one of its receipts: `GET /v1/receipts/{request id}/proof?stack={stack}`.
//!
//! Nothing in it is to be believed by itself: header and receipt are signed, the path of
//! [`StorageProof`] leads from the record's bytes to a pack's root, the blob's id is the hash of the
//! pack, the path of [`SettlementProof`] leads from the receipt to a last one that the ledger has.

use super::catalog::Catalog;
use atoma_types::{
    RequestId,
    hash::Hash32,
    history::{LastReceipt, ReceiptTree},
    merkle::Proof,
    message::{Receipt, RequestHeader, Signed},
};
use atoma_walrus::{BlobId, ObjectId};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A receipt with all that is known about where its evidence is. JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiptProof {
    /// Id of the request, which its header gave.
    pub request_id: RequestId,
    /// Its signed header: base64 of bytes and signature.
    #[serde(with = "signed_text")]
    pub header: Signed<RequestHeader>,
    /// The signed receipt, likewise.
    #[serde(with = "signed_text")]
    pub receipt: Signed<Receipt>,
    /// Where the record is stored; absent while it only stands in the node's own log.
    #[serde(default)]
    pub storage: Option<StorageProof>,
    /// How it stands in the lease's settlement; absent before.
    #[serde(default)]
    pub settlement: Option<SettlementProof>,
}

/// A record in a pack on Walrus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageProof {
    /// The id of the pack's blob.
    pub blob_id: BlobId,
    /// The certified blob object on the ledger, as far as the publisher told it.
    #[serde(default)]
    pub object: Option<ObjectId>,
    /// The epoch of Walrus in which the storage is over.
    pub end_epoch: u32,
    /// Where the record begins in the pack.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u32,
    /// Root of the Merkle tree over the pack's records.
    pub root: Hash32,
    /// The way from the record to it: base64 of its BCS.
    #[serde(with = "path_text")]
    pub path: Proof,
}

impl StorageProof {
    /// The proof of the record at a place of a stored pack; `None` if the pack has no such place.
    #[must_use]
    pub fn new(
        catalog: &Catalog,
        place: usize,
        blob_id: BlobId,
        object: Option<ObjectId>,
        end_epoch: u32,
    ) -> Option<Self> {
        let range = catalog.entry(place).ok()?.range();
        Some(Self {
            blob_id,
            object,
            end_epoch,
            offset: range.start,
            // a record is far below 4 GiB
            length: (range.end - range.start) as u32,
            root: catalog.root(),
            path: catalog.prove(place)?,
        })
    }
}

/// A record among those that its node has settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementProof {
    /// The settlement's last receipt, which binds the others.
    pub last: LastReceipt,
    /// The way from the hash of the record's receipt to it: base64 of its BCS.
    #[serde(with = "path_text")]
    pub path: Proof,
}

impl SettlementProof {
    /// The proof of the receipt of a number; `None` if it is none of these.
    #[must_use]
    pub fn new(tree: &ReceiptTree, seq: u64) -> Option<Self> {
        Some(Self {
            last: tree.last(),
            path: tree.prove(seq)?,
        })
    }
}

mod signed_text {
    use super::{Deserialize, Deserializer, Error, Serializer, Signed};
    use atoma_types::message::Message;

    pub(super) fn serialize<T: Message, S: Serializer>(
        signed: &Signed<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&signed.to_text())
    }

    pub(super) fn deserialize<'de, T: Message, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Signed<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Signed::from_text(&text).map_err(D::Error::custom)
    }
}

mod path_text {
    use super::{BASE64_STANDARD, Deserialize, Deserializer, Engine, Error, Proof, Serializer};

    pub(super) fn serialize<S: Serializer>(path: &Proof, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(path.to_bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Proof, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD.decode(text).map_err(D::Error::custom)?;
        Proof::from_bytes(&bytes).map_err(D::Error::custom)
    }
}
