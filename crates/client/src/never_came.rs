//! Answers that never came, or not to their end, and are charged all the same. Pure.
//!
//! An honest connection breaks now and then, and what was served is paid: its node shows the receipt, which explains it, and
//! the [lane](crate::lane) counts it no more. So a node that breaks every answer off, or says each time that it failed, and
//! has receipts for all of them, would be paid for ever for what nobody got. Hence nothing more is signed for it on a stack once
//!
//! ```text
//! more than ALLOWED answers never came and are charged,
//! and together they are charged more than W and more than an eighth of what the lease has used, by receipts that have come
//! ```
//!
//! Whoever leaves before the end pays for what was served, and that doesn't count. What counts is on the disk, so that it counts
//! in the next program, too.
//!
//! What was cut off on this side is left: by a user, by a reader that takes nothing, by a gateway whose patience is over. Who
//! gains, where a gateway or a node pays for a user?
//!
//! ```text
//! a user alone            leaves, rests, or asks for more than a node can do in time: pays for it, and the node isn't blamed
//! a node alone            lets everybody wait: can't make users leave or readers rest, but it can outlast a gateway's
//!                         patience. So what is cut off for that is read on: it counts unless it comes after all
//! node and user together  leave, deny and show later: the user's hold waits for the receipt and pays it, so that no third
//!                         party does; and what the node had denied counts
//! who passes on           can't charge its user for two tries: pays for what its own patience cut off, if that comes after
//!                         all, and blames nobody for it; it asks a node that was late less often
//! ```

use atoma_types::{ComputeUnits, RequestId};
use std::collections::{HashMap, HashSet};

/// So many are never too many, whatever they cost: connections break.
const ALLOWED: usize = 4;
/// One part of so many of what a lease has used may be for what never came: on a connection that loses more nobody can work.
const SHARE: u64 = 8;

/// What never came of one lease.
#[derive(Debug, Default)]
pub(crate) struct NeverCame {
    /// Requests that may still turn out to be charged.
    open: HashSet<RequestId>,
    /// Requests whose nodes have shown receipts before their answers ended.
    shown: HashMap<RequestId, ComputeUnits>,
    charged: HashSet<RequestId>,
    units: u64,
}

impl NeverCame {
    /// As it is kept: each with what its receipt charges, if there is one.
    pub(crate) fn of(kept: impl IntoIterator<Item = (RequestId, Option<ComputeUnits>)>) -> Self {
        let mut all = Self::default();
        for (id, units) in kept {
            all.lose(id);
            if let Some(units) = units {
                all.charge(id, units);
            }
        }
        all
    }

    /// An answer won't come any more.
    pub(crate) fn lose(&mut self, id: RequestId) {
        if self.charged.contains(&id) {
            return;
        }
        self.open.insert(id);
        if let Some(units) = self.shown.remove(&id) {
            self.charge(id, units);
        }
    }

    /// There is a receipt for a request. It counts if its answer never came.
    pub(crate) fn charge(&mut self, id: RequestId, units: ComputeUnits) {
        self.shown.remove(&id);
        if self.open.remove(&id) && self.charged.insert(id) {
            self.units = self.units.saturating_add(units.0);
        }
    }

    /// The same while its answer may still be on its way: it counts if that is lost later.
    pub(crate) fn charge_running(&mut self, id: RequestId, units: ComputeUnits) {
        if self.open.contains(&id) {
            self.charge(id, units);
        } else if !self.charged.contains(&id) {
            self.shown.insert(id, units);
        }
    }

    /// There will be none.
    pub(crate) fn refuse(&mut self, id: RequestId) {
        self.open.remove(&id);
        self.shown.remove(&id);
    }

    /// What is charged.
    pub(crate) fn units(&self) -> ComputeUnits {
        ComputeUnits(self.units)
    }

    /// What may be charged for more than [`ALLOWED`] of them on a lease that has used so much.
    pub(crate) fn allowed(window: ComputeUnits, used: ComputeUnits) -> ComputeUnits {
        window.max(ComputeUnits(used.0 / SHARE))
    }

    /// What is charged, if that is too much.
    pub(crate) fn too_much(&self, allowed: ComputeUnits) -> Option<ComputeUnits> {
        let units = self.units();
        (self.charged.len() > ALLOWED && units > allowed).then_some(units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: ComputeUnits = ComputeUnits(100);

    fn id(n: u8) -> RequestId {
        RequestId([n; 16])
    }

    #[test]
    fn a_few_answers_may_be_lost_and_an_eighth_of_all() {
        let mut lost = NeverCame::default();
        for n in 0..4 {
            lost.lose(id(n));
            lost.charge(id(n), ComputeUnits(1_000));
        }
        assert_eq!(lost.too_much(WINDOW), None, "four are never too many");
        lost.lose(id(4));
        lost.charge(id(5), ComputeUnits(1_000));
        assert_eq!(lost.units(), ComputeUnits(4_000), "what came doesn't count");
        lost.charge(id(4), ComputeUnits(1));
        lost.charge(id(4), ComputeUnits(1));
        assert_eq!(lost.too_much(WINDOW), Some(ComputeUnits(4_001)));
        let used = ComputeUnits(8 * 4_001);
        assert_eq!(lost.too_much(NeverCame::allowed(WINDOW, used)), None);
        let less = ComputeUnits(used.0 - 1);
        assert!(lost.too_much(NeverCame::allowed(WINDOW, less)).is_some());
    }

    #[test]
    fn what_is_shown_before_it_is_lost_counts_once() {
        let mut lost = NeverCame::default();
        lost.charge_running(id(0), ComputeUnits(50));
        lost.charge_running(id(1), ComputeUnits(70));
        assert_eq!(lost.units(), ComputeUnits::ZERO, "both may still come");
        // one does
        lost.charge(id(0), ComputeUnits(50));
        for _ in 0..2 {
            lost.lose(id(1));
            lost.charge(id(1), ComputeUnits(70));
        }
        assert_eq!(lost.units(), ComputeUnits(70));
    }

    #[test]
    fn what_is_kept_counts_as_it_did() {
        let kept = (0..9).map(|n| (id(n), (n < 6).then_some(ComputeUnits(50))));
        let mut lost = NeverCame::of(kept);
        assert_eq!(lost.too_much(WINDOW), Some(ComputeUnits(300)));
        lost.refuse(id(6));
        lost.charge(id(6), ComputeUnits(50));
        lost.charge(id(7), ComputeUnits(50));
        assert_eq!(lost.units(), ComputeUnits(350));
    }
}
