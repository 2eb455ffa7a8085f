//! Vouchers of requests that came to nothing, where somebody else pays for who asked. Pure.
//!
//! A ceiling that was signed stays good, however its request ends. So a node may refuse many requests at once in its own words, or
//! say that it has nothing of them, and claim what they could have cost all the same: each has one receipt then, which is
//! proper. Who asked would pay nothing, and whoever signed for them all of it; and node and user may be one party. Hence what
//! such a request may cost is owed as long as its node can claim it:
//!
//! ```text
//! earned  = what the receipts charge that have come
//! exposed = ceiling - settled, of all lanes, above the larger of what is free and an eighth of what the lease has earned
//! owed    = what refused requests may cost, the first of them, until together they cover what is exposed
//! ```
//!
//! What a node names as the sum of its receipts, or has claimed, earns it nothing: a receipt that leaves numbers out may name any
//! sum, and would free everybody.
//!
//! Receipts settle, and so free the latest. When the lease is closed, what was paid beyond all receipts is charged to those who
//! owe still, the first of them first, and the rest is free.

use atoma_types::ComputeUnits;
use tokio::sync::oneshot;

/// One part of so many of what a lease has earned may be exposed: whoever has earned so much gains little by it.
const SHARE: u64 = 8;

/// What is owed of one lease.
#[derive(Debug, Default)]
pub(crate) struct Vouchers {
    /// The first of them first.
    owed: Vec<Owed>,
    /// What may be exposed in any case.
    free: u64,
    /// What was paid beyond the receipts, and is charged to somebody.
    charged: u64,
}

#[derive(Debug)]
struct Owed {
    most: u64,
    tell: oneshot::Sender<ComputeUnits>,
}

impl Vouchers {
    /// A request came to nothing that may cost so much. Gives where it is told what is charged for it, nothing unless it owes
    /// that.
    pub(crate) fn owe(
        &mut self,
        most: ComputeUnits,
        free: ComputeUnits,
        (loose, earned): (ComputeUnits, ComputeUnits),
    ) -> Option<oneshot::Receiver<ComputeUnits>> {
        self.free = free.0;
        // whoever has left owes nothing any more
        self.owed.retain(|owed| !owed.tell.is_closed());
        if self.sum() >= self.exposed(loose, earned) {
            return None;
        }
        let (tell, told) = oneshot::channel();
        self.owed.push(Owed { most: most.0, tell });
        Some(told)
    }

    /// So much is loose by now: those owe nothing any more that the others cover.
    pub(crate) fn settle(&mut self, loose: ComputeUnits, earned: ComputeUnits) {
        let exposed = self.exposed(loose, earned);
        while let Some(last) = self.owed.last()
            && self.sum() - last.most >= exposed
        {
            if let Some(last) = self.owed.pop() {
                let _ = last.tell.send(ComputeUnits::ZERO);
            }
        }
    }

    /// Nothing more is claimed of the lease, which was paid so much beyond its receipts.
    pub(crate) fn close(&mut self, overpaid: ComputeUnits) {
        for owed in std::mem::take(&mut self.owed) {
            let share = self.share(ComputeUnits(owed.most), overpaid);
            let _ = owed.tell.send(share);
        }
    }

    /// The part of it that a request is charged which may cost so much.
    pub(crate) fn share(&mut self, most: ComputeUnits, overpaid: ComputeUnits) -> ComputeUnits {
        let share = most.0.min(overpaid.0.saturating_sub(self.charged));
        self.charged += share;
        ComputeUnits(share)
    }

    /// Whether anybody owes anything.
    pub(crate) fn are_owed(&self) -> bool {
        !self.owed.is_empty()
    }

    fn sum(&self) -> u64 {
        let each = self.owed.iter().map(|owed| owed.most);
        each.fold(0, u64::saturating_add)
    }

    fn exposed(&self, loose: ComputeUnits, earned: ComputeUnits) -> u64 {
        loose.0.saturating_sub(self.free.max(earned.0 / SHARE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: ComputeUnits = ComputeUnits(100);
    const FREE: ComputeUnits = ComputeUnits(50);

    fn now(told: &mut oneshot::Receiver<ComputeUnits>) -> Option<u64> {
        told.try_recv().ok().map(|units| units.0)
    }

    #[test]
    fn what_was_signed_at_once_and_refused_is_owed_until_receipts_settle_it() {
        let mut all = Vouchers::default();
        // five at once, and all refused
        let mut loose = ComputeUnits(500);
        let mut owe = |loose, used| all.owe(MOST, FREE, (loose, ComputeUnits(used)));
        let mut told: Vec<_> = (0..5).map(|_| owe(loose, 0).unwrap()).collect();
        assert!(owe(loose, 0).is_none(), "the others cover it");
        // others are served, and cost seventy each
        for (settled, free) in [(1, 1), (2, 1), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5)] {
            loose = ComputeUnits(500 - 70 * settled);
            all.settle(loose, ComputeUnits(70 * settled));
            let said: Vec<_> = told.iter_mut().map(now).collect();
            let owing = said.iter().take_while(|said| said.is_none()).count();
            assert_eq!(owing, 5 - free, "{settled}");
            let latest = &said[owing..];
            assert!(latest.len() <= 1 && latest.iter().all(|said| *said == Some(0)));
            told.truncate(owing);
        }
    }

    #[test]
    fn the_latest_owes_nothing_as_soon_as_the_others_cover_what_is_exposed() {
        let mut all = Vouchers::default();
        let loose = (ComputeUnits(200), ComputeUnits::ZERO);
        let mut told: Vec<_> = (0..2)
            .map(|_| all.owe(MOST, FREE, loose).unwrap())
            .collect();
        all.settle(ComputeUnits(151), ComputeUnits(49));
        assert_eq!(told.iter_mut().filter_map(now).count(), 0);
        all.settle(ComputeUnits(150), ComputeUnits(50));
        let said: Vec<_> = told.iter_mut().map(now).collect();
        assert_eq!(said, [None, Some(0)]);
        all.settle(FREE, ComputeUnits(150));
        assert_eq!(now(&mut told[0]), Some(0));
        assert!(!all.are_owed());
    }

    #[test]
    fn what_was_paid_beyond_receipts_is_charged_to_the_first_who_owe() {
        let mut all = Vouchers::default();
        let loose = (ComputeUnits(300), ComputeUnits::ZERO);
        let mut told: Vec<_> = (0..3)
            .map(|_| all.owe(MOST, FREE, loose).unwrap())
            .collect();
        all.close(ComputeUnits(130));
        let charged: Vec<_> = told.iter_mut().map(now).collect();
        assert_eq!(charged, [Some(100), Some(30), Some(0)]);
        // who comes later is charged what is left
        assert_eq!(all.share(MOST, ComputeUnits(150)), ComputeUnits(20));
        assert_eq!(all.share(MOST, ComputeUnits(150)), ComputeUnits::ZERO);
    }

    #[test]
    fn a_cent_and_an_eighth_are_free() {
        let mut all = Vouchers::default();
        assert!(all.owe(MOST, MOST, (MOST, ComputeUnits::ZERO)).is_none());
        assert!(all.owe(MOST, FREE, (MOST, ComputeUnits(800))).is_none());
        let told = all.owe(MOST, FREE, (MOST, ComputeUnits(799)));
        assert!(told.is_some());
        // its user has gone: the next one owes it
        drop(told);
        assert!(all.owe(MOST, FREE, (MOST, ComputeUnits::ZERO)).is_some());
    }
}
