//! Turning what was reserved into a receipt that is the next in the lease's chain.

use super::{Account, lane::SignedRequest, reserve::Reservation, terms::Phase};
use atoma_types::{
    ComputeUnits, TimestampMs,
    hash::Hash32,
    message::{Draft, Receipt, Signed},
};
use std::sync::Arc;

/// What a new receipt needs to join the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its place, from 1.
    pub seq: u64,
    /// The lease's cost with it.
    pub cumulative_units: ComputeUnits,
    /// Hash of the one before.
    pub previous: Hash32,
    /// The number after which its history begins.
    pub base: u64,
    /// The root over the receipts from there on.
    pub history: Hash32,
}

/// A commit, ready for the journal.
#[derive(Clone, Debug)]
pub(crate) struct Committed {
    /// The receipt, to be signed.
    pub receipt: Draft<Receipt>,
    /// The lane that paid.
    pub lane: u16,
    /// All that the lane has paid.
    pub lane_committed: ComputeUnits,
    /// The lane's voucher.
    pub voucher: SignedRequest,
}

/// Why a finished request can't be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommitError {
    #[error("the lease was settled before the request ended")]
    TooLate,
    #[error("the request used more than was reserved for it")]
    Overrun,
}

impl Account {
    /// Turns a reservation into a receipt for `units`, which `receipt` builds; what was reserved
    /// beyond them is free again. On an error the whole reservation is. Whoever signs the receipt
    /// gives it back to [`signed`](Self::signed), in the order of commits.
    pub(crate) fn commit(
        &mut self,
        reservation: Reservation,
        units: ComputeUnits,
        now: TimestampMs,
        receipt: impl FnOnce(Link) -> Draft<Receipt>,
    ) -> Result<Committed, CommitError> {
        let (lane, reserved) = (reservation.lane, reservation.units);
        self.release(reservation);
        if units.0 > reserved {
            return Err(CommitError::Overrun);
        }
        if self.frozen || self.phase == Phase::Closed {
            return Err(CommitError::TooLate);
        }
        // the reservation stood in this lane until just now, and lanes are never removed
        let entry = self.lanes.get_mut(&lane).ok_or(CommitError::TooLate)?;
        entry.committed += units.0;
        self.committed += units.0;
        self.seq += 1;
        let receipt = receipt(Link {
            seq: self.seq,
            cumulative_units: ComputeUnits(self.committed),
            previous: self.previous,
            base: self.tail.history().base(),
            history: self.tail.history().root(),
        });
        self.previous = receipt.hash();
        self.tail.push(self.previous);
        let committed = Committed {
            receipt,
            lane,
            lane_committed: ComputeUnits(entry.committed),
            voucher: entry.voucher.clone(),
        };
        self.last_activity = now;
        self.check();
        Ok(committed)
    }

    /// The next receipt is signed.
    pub(crate) fn signed(&mut self, receipt: Arc<Signed<Receipt>>) {
        debug_assert_eq!(receipt.message().seq, self.signed + 1);
        self.signed = receipt.message().seq;
        self.last = Some(receipt);
    }
}
