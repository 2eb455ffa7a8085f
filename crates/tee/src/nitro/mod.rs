//! AWS Nitro enclaves: a document that the hypervisor signs, with the chain to AWS's root. The key
//! that signs lives three hours, so a document is judged at the time of its registration, or soon.

mod cbor;
mod document;

pub use crate::fault::NitroFault;
pub use document::{NitroEvidence, NitroGuest};

/// A document's payload.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_payload(bytes: &[u8]) {
    document::read_payload(bytes);
}
