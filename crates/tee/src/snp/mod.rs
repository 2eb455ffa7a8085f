//! AMD SEV-SNP: a report of 1,184 bytes, signed by a key that only this chip has at this version of
//! its firmware, and the chain from that key's certificate to AMD's root. All is checked over the
//! bytes as they came; a parser that writes them anew would forgive changed reserved bytes.

mod evidence;
mod guest;
mod product;
mod report;

pub use crate::fault::SnpFault;
pub use evidence::SnpEvidence;
pub use guest::{GuestPolicy, PlatformInfo, SnpGuest};
pub use product::{SnpProduct, SnpRoot, SnpTcb};
pub use report::REPORT_BYTES;

/// A report's layout.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_report(bytes: &[u8]) {
    if let Ok(report) = report::Report::read(bytes) {
        assert_eq!(report.signed().len() + 2 * 72, 0x330);
    }
}
