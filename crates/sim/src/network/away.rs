//! When a node is away: in its region's outage, and for some hours of some days.

use super::Network;
use crate::{
    dice::Purpose,
    model::{DAY, HOUR, Ms, NodeIx},
};

/// Hours of an ordinary absence, at most: well below any answer window.
const LONGEST_HOURS: u64 = 8;

impl Network<'_> {
    /// When a node that is away now will be back.
    pub(super) fn back_at(&self, node: NodeIx, now: Ms) -> Option<Ms> {
        let outage = self.outage_begin();
        let out = outage..outage + self.plan.outage;
        if self.parties[node].regional && out.contains(&now) {
            return Some(out.end);
        }
        let (from, to) = self.away_on(node, now / DAY);
        (from..to).contains(&now).then_some(to)
    }

    /// From when to when a node is away on a day; the same, if it isn't.
    fn away_on(&self, node: NodeIx, day: u64) -> (Ms, Ms) {
        let known = self.parties[node].away.get();
        if known.0 == day {
            return (known.1, known.2);
        }
        let (from, to) = self.absence(self.parties[node].wallet, day);
        self.parties[node].away.set((day, from, to));
        (from, to)
    }

    fn absence(&self, wallet: u64, day: u64) -> (Ms, Ms) {
        let at = (wallet, day);
        if !self
            .dice
            .chance(Purpose::Absence, at, self.plan.market.absent_permille)
        {
            return (0, 0);
        }
        let hours = self
            .dice
            .below(Purpose::Absence, (at.0, at.1 | 1 << 40), 24 * LONGEST_HOURS);
        // so many hours from so late in the day on, within the day
        let (long, late) = (1 + hours % LONGEST_HOURS, hours / LONGEST_HOURS);
        let from = day * DAY + late.min(24 - long) * HOUR;
        (from, from + long * HOUR)
    }

    /// Now, or when the node is back.
    pub(super) fn present(&self, node: NodeIx, at: Ms) -> Ms {
        let mut at = at;
        while let Some(back) = self.back_at(node, at) {
            at = back;
        }
        at
    }

    /// An outage is in the middle of the time.
    fn outage_begin(&self) -> Ms {
        self.start + (self.end - self.start) / 4
    }

    /// Some hours, drawn for a purpose.
    pub(super) fn hours(&self, at: (u64, u64), least: u64, most: u64) -> Ms {
        let span = (most - least) * HOUR;
        least * HOUR + self.dice.below(Purpose::Delay, at, span)
    }
}
