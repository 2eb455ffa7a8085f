//! AWS Nitro enclaves: a document that the hypervisor signs, with the chain to AWS's root. The key
//! that signs lives three hours, so a document is judged at the time of its registration, or soon.

mod cbor;
mod document;

pub use document::{NitroEvidence, NitroGuest};

use crate::fault::faults;

/// A document's payload.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_payload(bytes: &[u8]) {
    document::read_payload(bytes);
}

faults! {
    /// What is wrong with a Nitro document.
    NitroFault {
        Cbor = "nitro_cbor", "the document isn't CBOR in its shortest form";
        Shape = "nitro_shape", "the document isn't a COSE signature with AWS's headers over AWS's fields";
        Field = "nitro_field", "a field of the document is missing, stands twice, is unknown or can't be read";
        Digest = "nitro_digest", "the document measures by something else than SHA-384";
        Signature = "nitro_signature", "the document isn't signed by its certificate's key";
        Time = "nitro_time", "the document is of a later time";
    }
}
