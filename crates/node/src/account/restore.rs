//! Rebuilding an account from the journal.

use super::{
    Account, Position,
    lane::{Lane, RestoredLane},
    tail::Tail,
};
use atoma_types::{
    RequestId, TimestampMs,
    message::{Receipt, RequestHeader, Signed},
};
use std::sync::Arc;

impl Account {
    /// Puts a lane back as it was.
    pub(crate) fn restore_lane(&mut self, lane: RestoredLane) {
        let number = lane.voucher.message().lane;
        let committed = lane.committed.0;
        self.lanes.insert(
            number,
            Lane {
                committed,
                reserved: 0,
                voucher: lane.voucher,
            },
        );
    }

    /// Puts the next receipt back; false if it doesn't continue the chain.
    #[must_use]
    pub(crate) fn restore_receipt(
        &mut self,
        request: &Signed<RequestHeader>,
        receipt: Signed<Receipt>,
    ) -> bool {
        let message = receipt.message();
        let sum = self.committed.checked_add(message.units.0);
        let fits = message.seq == self.seq + 1
            && message.request_hash == request.hash()
            && message.previous == self.previous
            && sum == Some(message.cumulative_units.0)
            && self.tail.restore(&receipt);
        if fits {
            self.seq = message.seq;
            self.committed = message.cumulative_units.0;
            self.previous = receipt.hash();
            self.signed(Arc::new(receipt));
        }
        fits
    }

    /// Begins where the ledger was when the node had lost what was before.
    pub(crate) fn restore_base(&mut self, base: Position) {
        self.base = base;
        self.tail = Tail::after(base);
        self.signed = base.seq;
        self.carried = base.units.0;
        self.committed = base.units.0;
        self.seq = base.seq;
        self.previous = base.hash;
    }

    /// Takes the id of a request that was served before the restart.
    pub(crate) fn restore_seen(
        &mut self,
        id: RequestId,
        expires_at: TimestampMs,
        now: TimestampMs,
    ) {
        let share = self.share_of_ids();
        self.seen.take(id, expires_at, now, share);
    }

    /// Whether what was restored adds up.
    #[must_use]
    pub(crate) fn adds_up(&self) -> bool {
        let mut lanes = self.lanes.values();
        let sum = lanes.try_fold(0u64, |sum, lane| sum.checked_add(lane.committed));
        sum.and_then(|sum| sum.checked_add(self.carried)) == Some(self.committed)
            && self.committed <= self.terms.units.0
            && self
                .lanes
                .values()
                .all(|lane| lane.committed <= lane.ceiling())
    }
}
