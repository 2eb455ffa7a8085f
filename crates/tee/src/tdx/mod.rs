//! Intel TDX: a quote, Intel's own statements about the platform's state, and the log of what was
//! measured while the guest started. Signatures, chains and Intel's statements are checked by
//! `dcap-qvl`; around it stands a frame of our own, so that a quote has one form only.

mod events;
mod evidence;
mod frame;
mod guest;
mod platform;
mod statement;

pub use crate::fault::TdxFault;
pub use events::{Event, EventLog, FIRMWARE_EVENT, RUNTIME_EVENT};
pub use evidence::{IntelChain, TdxCollateral, TdxEvidence};
#[cfg(any(test, feature = "testing"))]
pub(crate) use frame::pem;
pub use guest::{SetUp, TdxGuest};

/// A quote's frame.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_quote(bytes: &[u8], root: crate::x509::Pin) {
    if let Ok(frame) = frame::Frame::read(bytes, root) {
        assert!(guest::Parts::read(frame.report).is_some());
    }
}
