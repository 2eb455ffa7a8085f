//! What the node takes to the ledger, and what the ledger has of it.

use super::{Account, lane::SignedRequest, position::Position};
use atoma_types::{
    ComputeUnits,
    message::{Receipt, Signed},
};
use std::sync::Arc;

/// What `settle` takes to the ledger: the receipts after those that are claimed or paid already.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// The number of the last receipt before them.
    pub from_seq: u64,
    /// The number of the last of them.
    pub to_seq: u64,
    /// Units that would then be paid, earlier ones counted in.
    pub to_units: ComputeUnits,
    /// The highest header of each lane, lanes rising.
    pub vouchers: Vec<SignedRequest>,
    /// The last receipt, which binds all of them.
    pub last: Arc<Signed<Receipt>>,
}

impl Account {
    /// From here on nothing can be committed.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
    }

    /// The last receipt that is signed.
    pub(crate) fn last_signed(&self) -> Option<Arc<Signed<Receipt>>> {
        self.last.clone()
    }

    /// The claim up to a receipt; `None` if nothing is new up to it, or it isn't signed yet.
    pub(crate) fn claim(&self, last: Arc<Signed<Receipt>>) -> Option<Claim> {
        let message = last.message();
        let (to_seq, to_units) = (message.seq, message.cumulative_units);
        let claimed = self.tail.claimed();
        if to_seq <= claimed.seq || to_seq > self.signed || to_units <= claimed.units {
            return None;
        }
        let lanes = self.lanes.values();
        Some(Claim {
            from_seq: claimed.seq,
            to_seq,
            to_units,
            vouchers: lanes.map(|lane| lane.voucher.clone()).collect(),
            last,
        })
    }

    /// The ledger has the lease as claimed up to here. False if that is beyond what is signed here: then the
    /// account is to be [rebased](Self::rebase).
    #[must_use]
    pub(crate) fn note_claimed(&mut self, claimed: Position) -> bool {
        if claimed.seq > self.signed {
            return false;
        }
        // an older word changes nothing
        if claimed.seq >= self.tail.claimed().seq {
            self.tail.claim(claimed);
        }
        true
    }

    /// Goes on from what the ledger says: of what was served before nothing is known here. Which lanes have
    /// paid for it isn't, either.
    pub(crate) fn rebase(&mut self, base: Position) {
        self.restore_base(base);
        self.last = None;
        for lane in self.lanes.values_mut() {
            lane.committed = 0;
        }
        self.terms.units = self
            .terms
            .units
            .max(ComputeUnits(self.committed.saturating_add(self.reserved)));
    }

    /// Where the receipts begin that are known here.
    pub(crate) fn base(&self) -> Position {
        self.base
    }
}
