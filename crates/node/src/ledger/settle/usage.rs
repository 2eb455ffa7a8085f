//! What leases have used lately, and how much of what lies unused goes back. Pure.
//!
//! Units that a lease holds and doesn't use keep collateral from others, and cost their user nothing: they come back in
//! the end. So they go back by use and not by rest, which one token now and then would end. Of each lease one window
//! follows the other. At the end of one, what its user used in it, times a factor, and the least grant stay; of the rest
//! goes back what lay there all through the window, so that a grant is never cut before it had a whole window. A lease
//! that used nothing keeps nothing.

use super::view::LeaseView;
use crate::{
    account::{Back, Phase},
    config::SettlementConfig,
};
use atoma_types::{ComputeUnits, MicroUsdc, StackId, TimestampMs};
use std::collections::BTreeMap;

/// One lease, since its window began.
#[derive(Clone, Copy, Debug)]
struct Window {
    began: TimestampMs,
    /// What was committed then.
    committed: ComputeUnits,
    /// The fewest units that weren't committed since. What is reserved counts as unused until it is: reserving costs
    /// nothing.
    unused: ComputeUnits,
    /// How often units had gone back.
    returned: u32,
    /// What goes back, found at its begin.
    back: Option<Back>,
}

/// All leases that take requests.
#[derive(Debug, Default)]
pub(super) struct Windows(BTreeMap<StackId, Window>);

impl Windows {
    /// Looks at all leases of a node that takes no grant below `least`.
    pub(super) fn look(
        &mut self,
        leases: &[LeaseView],
        now: TimestampMs,
        rules: &SettlementConfig,
        least: MicroUsdc,
    ) {
        let open = |lease: &&LeaseView| lease.sums.phase == Phase::Open;
        let open: BTreeMap<_, _> = leases
            .iter()
            .filter(open)
            .map(|lease| (lease.stack, lease))
            .collect();
        self.0.retain(|stack, _| open.contains_key(stack));
        for (stack, lease) in open {
            let window = self.0.entry(stack).or_insert_with(|| begin(lease, now));
            window.look(lease, now, rules, least);
        }
    }

    /// What a lease has no use for.
    pub(super) fn back(&self, stack: StackId) -> Option<Back> {
        self.0.get(&stack)?.back
    }
}

impl Window {
    fn look(
        &mut self,
        lease: &LeaseView,
        now: TimestampMs,
        rules: &SettlementConfig,
        least: MicroUsdc,
    ) {
        self.unused = self.unused.min(unused(lease));
        let gone = lease.sums.giving_back || lease.sums.returned > self.returned;
        if gone || self.back.is_some_and(|back| left(lease) <= back.keep) {
            self.back = None;
        }
        if now.since(self.began).0 < rules.release_idle_after_ms {
            return;
        }
        let used = lease.sums.committed.saturating_sub(self.committed);
        let least = lease.price.units_for(least);
        let keep = match used {
            ComputeUnits::ZERO => ComputeUnits::ZERO,
            used => {
                let used = u128::from(used.0) * u128::from(rules.keep_used_permille) / 1_000;
                ComputeUnits(u64::try_from(used).unwrap_or(u64::MAX)).saturating_add(least)
            }
        };
        let left = left(lease);
        let more = left.saturating_sub(keep).min(self.unused);
        // as much as stays at least, and as much as a grant must add: a release costs a transaction, as a grant does
        let worth_it = more > ComputeUnits::ZERO && more >= keep.max(least);
        *self = Self {
            back: worth_it.then_some(Back { keep, most: more }),
            ..begin(lease, now)
        };
    }
}

fn begin(lease: &LeaseView, now: TimestampMs) -> Window {
    Window {
        began: now,
        committed: lease.sums.committed,
        unused: unused(lease),
        returned: lease.sums.returned,
        back: None,
    }
}

fn unused(lease: &LeaseView) -> ComputeUnits {
    let sums = &lease.sums;
    sums.terms.units.saturating_sub(sums.committed)
}

fn left(lease: &LeaseView) -> ComputeUnits {
    unused(lease).saturating_sub(lease.sums.reserved)
}

#[cfg(test)]
mod tests {
    use super::super::view::testing::lease;
    use super::*;
    use proptest::prelude::*;

    const WINDOW: u64 = 1_000;
    /// At a price of one micro-USDC a unit.
    const LEAST: u64 = 50;

    /// A lease, and who looks at it.
    struct Played {
        windows: Windows,
        lease: LeaseView,
        rules: SettlementConfig,
        now: u64,
    }

    impl Played {
        fn new(units: u64) -> Self {
            let mut lease = lease(1, Phase::Open, (0, 0), &[]);
            lease.sums.terms.units = ComputeUnits(units);
            let rules = SettlementConfig {
                release_idle_after_ms: WINDOW,
                ..SettlementConfig::default()
            };
            let windows = Windows::default();
            let mut played = Self {
                windows,
                lease,
                rules,
                now: 5,
            };
            played.look(0);
            played
        }

        fn look(&mut self, later: u64) {
            self.now += later;
            let least = MicroUsdc(LEAST);
            let leases = [self.lease.clone()];
            self.windows
                .look(&leases, TimestampMs(self.now), &self.rules, least);
        }

        fn uses(&mut self, units: u64) {
            let sums = &mut self.lease.sums;
            sums.committed = sums.committed.saturating_add(ComputeUnits(units));
            assert!(sums.committed <= sums.terms.units);
        }

        fn left(&self) -> u64 {
            left(&self.lease).0
        }

        /// What the node does by what was found; what went back.
        fn gives_back(&mut self) -> u64 {
            let Some(Back { keep, most }) = self.windows.back(self.lease.stack) else {
                return 0;
            };
            let before = self.left();
            let sums = &mut self.lease.sums;
            let stays = sums
                .committed
                .saturating_add(sums.reserved)
                .saturating_add(keep);
            sums.terms.units = stays.max(sums.terms.units.saturating_sub(most));
            sums.returned += 1;
            let back = before.saturating_sub(self.left());
            self.look(1);
            assert_eq!(self.windows.back(self.lease.stack), None, "it is done once");
            back
        }
    }

    #[test]
    fn a_lease_that_uses_one_token_in_six_hours_is_cut_to_what_that_is_worth() {
        let mut played = Played::new(1_000_000);
        played.look(WINDOW / 2);
        played.uses(1);
        played.look(WINDOW / 2 - 1);
        assert_eq!(played.gives_back(), 0, "it has its window");
        played.look(1);
        assert_eq!(played.gives_back(), 1_000_000 - 1 - 4 - LEAST);
        assert_eq!(played.left(), 4 + LEAST);
    }

    #[test]
    fn reserving_and_small_grants_keep_nothing() {
        let mut played = Played::new(1_000_000);
        played.lease.sums.reserved = ComputeUnits(900_000);
        played.look(WINDOW / 2);
        played.lease.sums.terms.units = ComputeUnits(1_000_000 + LEAST);
        played.look(WINDOW / 4);
        played.lease.sums.reserved = ComputeUnits(10);
        played.look(WINDOW / 4);
        assert_eq!(played.gives_back(), 1_000_000, "all but the new grant");
        assert_eq!(
            played.lease.sums.terms.units.0, LEAST,
            "the running one's are in it"
        );
    }

    #[test]
    fn crumbs_stay_where_they_are() {
        let mut played = Played::new(LEAST - 1);
        played.look(WINDOW);
        assert_eq!(played.gives_back(), 0);
        let mut played = Played::new(10_000);
        played.uses(1_000);
        played.look(WINDOW);
        assert_eq!(played.gives_back(), 9_000 - 4_000 - LEAST);
        played.uses(600);
        played.look(WINDOW);
        assert_eq!(played.gives_back(), 0, "less than what stays");
    }

    proptest! {
        /// Whatever is used and granted when: what stays is what a grant can add to before it is used up.
        #[test]
        fn no_lease_is_cut_below_what_it_uses_and_none_keeps_what_it_does_not(
            steps in prop::collection::vec((1u64..400, 0u64..3_000, 0u64..20_000), 1..60),
        ) {
            let mut played = Played::new(20_000);
            let (mut used, mut granted, mut began) = (0u64, 0u64, played.now);
            for (later, uses, grants) in steps {
                let uses = uses.min(played.left());
                played.uses(uses);
                used += uses;
                // one in four brings more
                if grants < 5_000 {
                    let units = &mut played.lease.sums.terms.units;
                    *units = units.saturating_add(ComputeUnits(grants));
                    granted += grants;
                }
                played.look(later);
                if played.now - began < WINDOW {
                    prop_assert_eq!(played.gives_back(), 0);
                    continue;
                }
                let before = played.left();
                let back = played.gives_back();
                let stays = match used { 0 => 0, used => 4 * used + LEAST };
                prop_assert!(played.left() >= stays.min(before), "cut below its use");
                prop_assert!(played.left() >= granted.min(before).saturating_sub(used), "cut before its time");
                if granted == 0 {
                    prop_assert!(played.left() < 2 * stays.max(LEAST).max(1), "it keeps what it doesn't use");
                }
                prop_assert!(back == 0 || back >= LEAST.max(stays), "a crumb");
                (used, granted, began) = (0, 0, played.now - u64::from(back > 0));
            }
        }
    }
}
