//! The end: who has what.

use super::{Network, Outcome};
use crate::model::{DAY, Micro};

impl Network<'_> {
    pub(super) fn close(mut self) -> Outcome {
        let days = (self.last_arrival() - self.start) / DAY;
        let interest = self.plan.market.interest_permille;
        let lying = |amount: Micro| amount * interest * days / 365 / 1_000;
        for node in 0..self.parties.len() {
            let (side, task) = (self.parties[node].side, self.parties[node].task);
            let began = self.parties[node].collateral;
            let live = self.ledger.nodes[node];
            let offers = &self.ledger.tasks[task].subscriptions;
            let promise = offers
                .iter()
                .find(|offer| offer.node == node)
                .and_then(|offer| offer.attester);
            let deposit = self.plan.rules.params.attest_deposit;
            let group = self.group(side);
            group.serving.left += live.collateral + live.earnings;
            group.serving.interest += lying(began);
            if let Some(promise) = promise {
                group.attesting.left += promise.stake + promise.earned;
                group.attesting.interest += lying(deposit);
            }
            if side == super::Side::Others {
                self.seen.fined_honest += began.saturating_sub(live.collateral);
            }
        }
        for stack in 0..self.deals.len() {
            let held = &self.ledger.stacks[stack];
            let left = held.escrow + held.free + held.staked;
            let side = self.deals[stack].side;
            self.group(side).using.left += left;
        }
        let unaccounted = self.unaccounted();
        let lost = -(self.testing.serving.profit() + self.testing.using.profit());
        self.seen.testing = u64::try_from(lost).unwrap_or(0);
        Outcome {
            coalition: self.coalition,
            others: self.others,
            seen: self.seen,
            days,
            unaccounted,
        }
    }

    /// All that was paid in, less all that the ledger holds: nothing is withdrawn before the end.
    fn unaccounted(&self) -> i128 {
        let groups = [&self.coalition, &self.others, &self.testing];
        let accounts = groups
            .iter()
            .flat_map(|group| [&group.serving, &group.attesting, &group.using]);
        let paid: i128 = accounts.map(|account| i128::from(account.paid_in)).sum();
        let begun = u128::from(self.plan.market.treasury) + u128::from(self.pools());
        // what attesters took out on the way was counted as paid in by their nodes, with which it lies
        let moved = i128::from(self.moved);
        paid + begun as i128 - moved - self.ledger.held() as i128
    }
}
