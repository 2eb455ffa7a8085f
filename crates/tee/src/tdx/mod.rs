//! Intel TDX: a quote, Intel's own statements about the platform's state, and the log of what was
//! measured while the guest started. Signatures, chains and Intel's statements are checked by
//! `dcap-qvl`; around it stands a frame of our own, so that a quote has one form only.

mod events;
mod evidence;
mod frame;
mod guest;
mod platform;
mod statement;

pub use events::{Event, EventLog, FIRMWARE_EVENT, RUNTIME_EVENT};
pub use evidence::{IntelChain, TdxCollateral, TdxEvidence};
#[cfg(any(test, feature = "testing"))]
pub(crate) use frame::pem;
pub use guest::{SetUp, TdxGuest};

use crate::fault::faults;

/// A quote's frame.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_quote(bytes: &[u8], root: crate::x509::Pin) {
    if let Ok(frame) = frame::Frame::read(bytes, root) {
        assert!(guest::Parts::read(frame.report).is_some());
    }
}

faults! {
    /// What is wrong with a TDX quote or what comes with it.
    TdxFault {
        Truncated = "tdx_truncated", "the quote ends too early";
        Kind = "tdx_kind", "the quote isn't a TDX quote with an ECDSA P-256 key";
        Version = "tdx_version", "the quote's version is none that is known";
        Reserved = "tdx_reserved", "bytes of the quote that must be zero aren't";
        Trailing = "tdx_trailing", "bytes stand behind the quote's end";
        Certification = "tdx_certification", "the quote's certification data isn't in its one form";
        Certificates = "tdx_certificates", "the certificates in the quote aren't three in their one form";
        Root = "tdx_root", "the root in the quote isn't Intel's";
        Collateral = "tdx_collateral", "Intel's statements about the platform can't be read";
        StatementTime = "tdx_statement_time", "one of Intel's statements about the platform is of another time";
        Attributes = "tdx_attributes", "the guest's attributes let the host look into it or let it be moved, or lack a bit that every guest has";
        Quote = "tdx_quote", "the quote doesn't hold by Intel's certificates and statements";
        Platform = "tdx_platform", "the certificate of the platform's key says nothing of the platform";
        EventForm = "tdx_event_form", "an event of the log isn't in its one form";
        EventDigest = "tdx_event_digest", "an event's digest isn't that of its name and payload";
        EventLog = "tdx_event_log", "the log doesn't lead to the quote's registers";
        EventTwice = "tdx_event_twice", "an event that must be there once is there more often";
    }
}
