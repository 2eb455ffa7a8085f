//! Promises to examine, with deposits in the task.

use super::{Attester, Done, Ledger, Micro, Ms, NodeIx, Task, TaskIx, ensure};
use atoma_types::chain::AbortCode;

impl Ledger {
    /// A subscribed node promises to examine. Returns what it deposits.
    ///
    /// # Errors
    /// If it isn't active or subscribed, attests already, or the task isn't examined.
    pub fn attest(&mut self, now: Ms, task: TaskIx, node: NodeIx) -> Done<Micro> {
        let deposit = self.rules.params.attest_deposit;
        ensure(self.tasks[task].sampled, AbortCode::NotSampling)?;
        ensure(self.nodes[node].active(now), AbortCode::NodeNotActive)?;
        let subscription = self.tasks[task]
            .entry(node)
            .ok_or(AbortCode::NotSubscribed)?;
        ensure(subscription.attester.is_none(), AbortCode::AttestsAlready)?;
        subscription.attester = Some(Attester {
            active: true,
            stake: deposit,
            since: now,
            ..Attester::default()
        });
        Ok(deposit)
    }

    /// Ends the promise; with a duty open it is drawn no more.
    ///
    /// # Errors
    /// If it didn't promise, or is drawn no more and a duty is open.
    pub fn resign(&mut self, task: TaskIx, node: NodeIx) -> Done {
        let subscription = self.tasks[task]
            .entry(node)
            .ok_or(AbortCode::NotSubscribed)?;
        let attester = subscription.attester.as_mut();
        let attester = attester.ok_or(AbortCode::NotAttesting)?;
        if attester.active && attester.duties > 0 {
            attester.active = false;
            return Ok(());
        }
        ensure(attester.duties == 0, AbortCode::DutyOpen)?;
        let freed = attester.stake + attester.earned;
        subscription.attester = None;
        self.nodes[node].earnings += freed;
        Ok(())
    }

    /// Makes fees the node's earnings.
    ///
    /// # Errors
    /// If there are none.
    pub fn collect(&mut self, task: TaskIx, node: NodeIx) -> Done {
        let attester = self.tasks[task]
            .promise(node)
            .ok_or(AbortCode::NotAttesting)?;
        let amount = std::mem::take(&mut attester.earned);
        ensure(amount > 0, AbortCode::NoFees)?;
        self.nodes[node].earnings += amount;
        Ok(())
    }
}

impl Task {
    pub(super) fn promise(&mut self, node: NodeIx) -> Option<&mut Attester> {
        self.entry(node)?.attester.as_mut()
    }

    /// Books a fee.
    pub(super) fn credit(&mut self, node: NodeIx, fee: Micro) {
        if let Some(attester) = self.promise(node) {
            attester.earned += fee;
        }
    }

    /// Takes a fine, as far as the stake goes; returns what was taken.
    pub(super) fn charge(&mut self, node: NodeIx, fine: Micro) -> Micro {
        let Some(attester) = self.promise(node) else {
            return 0;
        };
        let taken = fine.min(attester.stake);
        attester.stake -= taken;
        taken
    }

    /// Strikes a silent one off.
    pub(super) fn strike(&mut self, node: NodeIx) {
        if let Some(attester) = self.promise(node) {
            attester.active = false;
        }
    }

    /// Ends a duty.
    pub(super) fn free(&mut self, node: NodeIx) {
        if let Some(attester) = self.promise(node) {
            attester.duties -= 1;
        }
    }
}

/// Whether a promise is good for a duty with this fine.
pub(super) fn is_able(attester: &Attester, fine: Micro) -> bool {
    attester.active && attester.stake >= fine
}
