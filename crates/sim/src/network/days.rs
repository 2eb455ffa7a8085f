//! What happens every day: fees go to the treasury and back, attesters that were struck off promise again.

use super::Network;
use crate::model::{Micro, NodeIx};

impl Network<'_> {
    pub(super) fn morning(&mut self, _day: u64) {
        for task in 0..self.ledger.tasks.len() {
            let _no_fees = self.ledger.collect_fees(task);
        }
        for node in 0..self.parties.len() {
            let _no_fines = self.ledger.forfeit(self.now, node);
            if self.worth_reporting(node) && self.ledger.report(self.now, node).is_ok() {
                self.pays_gas(node);
            }
            self.promise_again(node);
        }
    }

    /// Whether what comes back is more than the gas of two calls.
    fn worth_reporting(&self, node: NodeIx) -> bool {
        let live = &self.ledger.nodes[node];
        let fees: Micro = live.current.fees.max(live.previous.fees);
        let params = &self.plan.rules.params;
        let back = fees * params.rebate_permille / 1_000;
        back > 2 * self.plan.market.gas && self.ledger.treasury > 0
    }

    pub(super) fn afternoon(&mut self, _day: u64) {
        for node in 0..self.parties.len() {
            if self.ledger.pay(self.now, node).is_ok() {
                self.pays_gas(node);
            }
        }
    }

    /// An attester that can't be drawn any more takes what is left, and promises anew.
    fn promise_again(&mut self, node: NodeIx) {
        let party = &self.parties[node];
        let (task, side) = (party.task, party.side);
        let fine = self.plan.rules.params.examiner_fine;
        let offers = &self.ledger.tasks[task].subscriptions;
        let promise = offers
            .iter()
            .find(|offer| offer.node == node)
            .and_then(|offer| offer.attester);
        let Some(promise) = promise else { return };
        let out = !promise.active || promise.stake < fine;
        if !out || promise.duties > 0 || self.back_at(node, self.now).is_some() {
            return;
        }
        if self.ledger.resign(task, node).is_err() {
            return;
        }
        self.moved += promise.stake + promise.earned;
        let gas = self.plan.market.gas;
        let deposit = self.ledger.attest(self.now, task, node).unwrap_or(0);
        let group = self.group(side);
        // what it took out is an examiner's, though it now lies with the node's earnings
        group.attesting.left += promise.stake + promise.earned;
        group.serving.paid_in += promise.stake + promise.earned;
        group.attesting.paid_in += deposit;
        group.attesting.gas += 2 * gas;
    }
}
