//! What is watched of an answer whichever way its receipt comes: its pace, what of it can be read, and the
//! request that it answers.

use crate::{ClientError, in_flight::InFlight, pace::Pace, usage::Visible};
use atoma_evidence::receipt::ReceiptError;
use atoma_http::client::Error;
use atoma_types::{NodeId, hash::Hash32};

/// An answer on its way in.
pub(super) struct Arriving {
    pub(super) node: NodeId,
    pub(super) pace: Pace,
    pub(super) in_flight: InFlight,
    /// How much of it can be read.
    visible: Visible,
}

impl Arriving {
    pub(super) fn new(node: NodeId, is_stream: bool, pace: Pace, in_flight: InFlight) -> Self {
        Self {
            node,
            pace,
            in_flight,
            visible: Visible::new(is_stream),
        }
    }

    /// So many bytes count as answer.
    pub(super) fn passed(&mut self, bytes: usize) -> Result<(), ClientError> {
        let passed = self.pace.passed(bytes);
        passed.map_err(|source| self.broken(source))
    }

    /// This was said, in clear.
    pub(super) fn said(&mut self, text: &[u8]) {
        self.visible.feed(text);
    }

    /// No event came with the last bytes, and so many have come since the last one.
    pub(super) fn no_event(&mut self, idle_bytes: usize) -> Result<(), ClientError> {
        let idle = self.pace.no_event(idle_bytes);
        idle.map_err(|source| self.broken(source))
    }

    /// The receipt has come, and is to commit to this.
    pub(super) fn receipt(&mut self, text: &str, covered: Hash32) -> Result<(), ClientError> {
        let arrived = (covered, *self.visible.said());
        match self.in_flight.receipt(text, arrived) {
            Ok(_) => Ok(()),
            Err(reason) => Err(self.bad(reason)),
        }
    }

    /// The answer broke off, or is too long or too slow.
    pub(super) fn broken(&self, source: Error) -> ClientError {
        ClientError::Broken {
            node: self.node,
            source,
        }
    }

    /// Its receipt isn't what it must be.
    pub(super) fn bad(&self, reason: ReceiptError) -> ClientError {
        ClientError::Receipt {
            node: self.node,
            reason,
        }
    }
}
