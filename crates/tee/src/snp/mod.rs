//! AMD SEV-SNP: a report of 1,184 bytes, signed by a key that only this chip has at this version of
//! its firmware, and the chain from that key's certificate to AMD's root. All is checked over the
//! bytes as they came; a parser that writes them anew would forgive changed reserved bytes.

mod evidence;
mod guest;
mod product;
mod report;

pub use evidence::SnpEvidence;
pub use guest::{GuestPolicy, PlatformInfo, SnpGuest};
pub use product::{SnpProduct, SnpRoot, SnpTcb};
pub use report::REPORT_BYTES;

use crate::fault::faults;

/// A report's layout.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_report(bytes: &[u8]) {
    if let Ok(report) = report::Report::read(bytes) {
        assert_eq!(report.signed().len() + 2 * 72, 0x330);
    }
}

faults! {
    /// What is wrong with an SEV-SNP report or what comes with it.
    SnpFault {
        Length = "snp_length", "the report hasn't 1,184 bytes";
        Version = "snp_version", "the report's version is none that is known";
        Reserved = "snp_reserved", "bytes that must be zero aren't";
        SignatureForm = "snp_signature_form", "the report's signature isn't ECDSA over P-384 in its fixed form";
        SignatureKey = "snp_signature_key", "the report isn't signed by a chip's own key (VCEK)";
        Signature = "snp_signature", "the report isn't signed by the certificate's key";
        ChipMissing = "snp_chip_missing", "the certificate names no chip";
        Chip = "snp_chip", "the report is of another chip than the certificate";
        TcbMissing = "snp_tcb_missing", "the certificate lacks a version of the firmware, or has it in another form";
        Tcb = "snp_tcb", "the report claims other versions of the firmware than the certificate";
        GuestPolicy = "snp_guest_policy", "the guest's policy lacks the bit that is always set, or has unknown ones";
    }
}
