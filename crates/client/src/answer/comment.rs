//! A stream in clear, whose receipt is its last comment.

use super::arriving::Arriving;
use crate::{
    ClientError,
    error_frame::ErrorFrames,
    lines::Lines,
    receipt_scanner::{ScanError, Scanner},
};
use atoma_evidence::receipt::ReceiptError;
use atoma_types::hash::Hasher;
use bytes::{Bytes, BytesMut};

/// Follows such a stream.
pub(super) struct InComment {
    scanner: Scanner,
    errors: ErrorFrames,
    lines: Lines,
    /// An event has come that is no error.
    begun: bool,
    verified: bool,
    /// Only what the receipt's hash covers is passed on.
    pub(super) only_covered: bool,
}

impl InComment {
    /// Whose commitment goes on from what `hasher` has taken in.
    pub(super) fn over(hasher: Hasher) -> Self {
        Self {
            scanner: Scanner::over(hasher),
            errors: ErrorFrames::default(),
            lines: Lines::default(),
            begun: false,
            verified: false,
            only_covered: false,
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    pub(super) fn pass(
        &mut self,
        bytes: Bytes,
        arriving: &mut Arriving,
    ) -> Result<Bytes, ClientError> {
        let only_covered = self.only_covered;
        let mut covered = BytesMut::new();
        self.scanner.feed_to(&bytes, |piece| {
            if only_covered {
                covered.extend_from_slice(piece);
            }
        });
        self.errors.feed(&bytes);
        if self.lines.feed(&bytes) {
            arriving.pace.event();
            self.begun |= !self.errors.is_last();
        } else {
            arriving.no_event(self.lines.idle_bytes())?;
        }
        match self.scanner.scanned() {
            Ok(_) if self.verified => {}
            Ok(scanned) => {
                self.verified = true;
                arriving.receipt(&scanned.receipt, scanned.hash)?;
            }
            Err(ScanError::Missing) => {}
            Err(ScanError::Trailing) => return Err(arriving.bad(ReceiptError::TrailingBytes)),
        }
        match only_covered {
            true => Ok(covered.freeze()),
            false => Ok(bytes),
        }
    }

    pub(super) fn end(&self, arriving: &Arriving) -> Result<(), ClientError> {
        if self.verified {
            return Ok(());
        }
        // it said itself that the answer isn't complete: there is nothing to vouch for
        if self.errors.is_last() {
            let node = arriving.node;
            return Err(ClientError::GaveUp { node });
        }
        Err(arriving.bad(ReceiptError::Missing))
    }
}
