//! What the node takes to the ledger, and what the ledger has of it.

use super::{Account, lane::SignedRequest, position::Position};
use atoma_types::{
    ComputeUnits,
    hash::Hash32,
    merkle::MerkleTree,
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
    /// The last receipt.
    pub last: Arc<Signed<Receipt>>,
    /// Root over their records.
    pub root: Hash32,
}

impl Account {
    /// From here on nothing can be committed.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
    }

    /// How far receipts are signed.
    pub(crate) fn signed_seq(&self) -> u64 {
        self.claimed.seq.saturating_add(self.leaves.len() as u64)
    }

    /// The last receipt that is signed.
    pub(crate) fn last_signed(&self) -> Option<Arc<Signed<Receipt>>> {
        self.last.clone()
    }

    /// The claim up to a receipt; `None` if nothing is new up to it, or it isn't signed yet.
    pub(crate) fn claim(&self, last: Arc<Signed<Receipt>>) -> Option<Claim> {
        let message = last.message();
        let (to_seq, to_units) = (message.seq, message.cumulative_units);
        let count = to_seq.checked_sub(self.claimed.seq)?;
        let count = usize::try_from(count).ok().filter(|&count| count > 0)?;
        if count > self.leaves.len() || to_units <= self.claimed.units {
            return None;
        }
        let leaves = self.leaves.iter().take(count).copied().collect();
        let lanes = self.lanes.values();
        Some(Claim {
            from_seq: self.claimed.seq,
            to_seq,
            to_units,
            vouchers: lanes.map(|lane| lane.voucher.clone()).collect(),
            last,
            root: MerkleTree::from_leaves(leaves).root(),
        })
    }

    /// The ledger has the lease as claimed up to here. False if that is beyond what is signed here: then the
    /// account is to be [rebased](Self::rebase).
    #[must_use]
    pub(crate) fn note_claimed(&mut self, claimed: Position) -> bool {
        let Some(done) = claimed.seq.checked_sub(self.claimed.seq) else {
            // an older word
            return true;
        };
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        if done > self.leaves.len() {
            return false;
        }
        self.leaves.drain(..done);
        self.claimed = claimed;
        true
    }

    /// Goes on from what the ledger says: of what was served before nothing is known here. Which lanes have
    /// paid for it isn't, either.
    pub(crate) fn rebase(&mut self, base: Position) {
        self.base = base;
        self.claimed = base;
        self.carried = base.units.0;
        self.committed = base.units.0;
        self.seq = base.seq;
        self.previous = base.hash;
        self.leaves.clear();
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
