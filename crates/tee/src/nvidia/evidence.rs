//! What devices show, and what NVIDIA publishes about them.

use crate::{
    bounded::{Bytes, List},
    limits::{
        MAX_ANSWER_BYTES, MAX_CERTIFICATE_BYTES, MAX_CHAIN, MAX_DEVICE_REPORT_BYTES,
        MAX_MANIFEST_BYTES,
    },
};
use serde::{Deserialize, Serialize};

/// One signed manifest, in the bytes that its maker published.
pub type ManifestBytes = Bytes<MAX_MANIFEST_BYTES>;

/// The evidence of a GPU or a switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceEvidence {
    /// The report, as the device gave it.
    pub report: Bytes<MAX_DEVICE_REPORT_BYTES>,
    /// The certificates of the key that signed it, leaf first, the maker's root last, in DER.
    pub chain: List<Bytes<MAX_CERTIFICATE_BYTES>, MAX_CHAIN>,
    /// Stored answers (OCSP) about these certificates, in DER.
    pub answers: List<Bytes<MAX_ANSWER_BYTES>, MAX_CHAIN>,
}
