//! What is to be verified, and what the caller has of it.

use crate::{pack::ReceiptProof, second::SecondRecord};
use atoma_types::{
    RequestId,
    message::{Receipt, RequestHeader, Salt, Signed},
};
use atoma_walrus::{BlobId, ObjectId};
use bytes::Bytes;
use std::fmt;

/// What is to be verified, and what is at hand about it already.
#[derive(Clone, Default)]
pub struct Given {
    /// The request; of a pack, which records.
    pub request: Option<RequestId>,
    /// Of a pack: records whose receipts have this place in their lease.
    pub seq: Option<u64>,
    /// The request header, as the user signed it.
    pub header: Option<Signed<RequestHeader>>,
    /// The receipt, as the node signed it.
    pub receipt: Option<Signed<Receipt>>,
    /// The record of the node that computed the answer, where the request was passed on.
    pub second: Option<SecondRecord>,
    /// The proof of a receipt that its node gave.
    pub proof: Option<ReceiptProof>,
    /// All bytes of a pack, read from a file say.
    pub pack: Option<Bytes>,
    /// A pack's id on Walrus.
    pub blob: Option<BlobId>,
    /// The blob's object on the ledger.
    pub object: Option<ObjectId>,
    /// The request's body, as sent.
    pub request_body: Option<Bytes>,
    /// The answer's body, as it came; of a stream all before the receipt's line.
    pub answer_body: Option<Bytes>,
    /// The request's salt; where it is absent or doesn't fit, the record's or that of a key here.
    pub salt: Option<Salt>,
}

impl fmt::Debug for Given {
    /// Without the bodies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given")
            .field("request", &self.request)
            .field("seq", &self.seq)
            .field("blob", &self.blob)
            .finish_non_exhaustive()
    }
}
