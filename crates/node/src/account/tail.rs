//! The receipts of a lease that aren't claimed yet, by their hashes, and the tree that the next one names.
//!
//! The tree's base moves to each claim: the history of what is served from then on has the records of the next
//! tickets alone. So a path is as short as it can be, and whoever has the packs of a ticket can prove all of it. What was
//! signed before the node heard of the claim keeps its earlier base, which is as good: a claim needs one that isn't
//! after its own begin.

use super::Position;
use atoma_types::{
    hash::Hash32,
    history::History,
    message::{Receipt, Signed},
};
use std::collections::VecDeque;

/// The end of a lease's chain, from the last claimed receipt on.
#[derive(Debug, Default)]
pub(super) struct Tail {
    claimed: Position,
    /// Of the receipts after the claimed ones, signed or not.
    hashes: VecDeque<Hash32>,
    /// Of those after its base, which is at most the last receipt and at least the claimed one.
    history: History,
}

impl Tail {
    /// No receipts after this one.
    pub(super) fn after(claimed: Position) -> Self {
        Self {
            claimed,
            hashes: VecDeque::new(),
            history: History::after(claimed.seq),
        }
    }

    /// How far the ledger has the receipts as claimed or paid.
    pub(super) fn claimed(&self) -> Position {
        self.claimed
    }

    /// The tree that the next receipt names.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Adds the next receipt.
    pub(super) fn push(&mut self, receipt: Hash32) {
        self.hashes.push_back(receipt);
        self.history.push(receipt);
    }

    /// The ledger has the receipts as claimed up to one of these.
    pub(super) fn claim(&mut self, claimed: Position) {
        let done = claimed.seq.saturating_sub(self.claimed.seq);
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        self.hashes.drain(..done.min(self.hashes.len()));
        self.claimed = claimed;
        // after a restart it may be ahead of what was read of the ledger
        if self.history.base() < claimed.seq {
            self.begin_at(claimed.seq);
        }
    }

    /// Adds the next receipt, which is restored; false if it names another tree. It may be the first after a claim.
    #[must_use]
    pub(super) fn restore(&mut self, receipt: &Signed<Receipt>) -> bool {
        let named = receipt.message();
        let (base, last) = (self.history.base(), self.history.seq());
        if base < named.base && named.base <= last {
            self.begin_at(named.base);
        }
        let fits = (named.base, named.history) == (self.history.base(), self.history.root());
        if fits {
            self.push(receipt.hash());
        }
        fits
    }

    fn begin_at(&mut self, base: u64) {
        let before = base.saturating_sub(self.claimed.seq);
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        self.history = History::after(base);
        for hash in self.hashes.iter().skip(before) {
            self.history.push(*hash);
        }
    }
}
