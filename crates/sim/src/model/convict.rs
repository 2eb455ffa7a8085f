//! A conviction: the same for every charge.

use super::{Done, Ledger, Micro, Ms, NodeIx, StackIx, Ticket, TicketId, node};
use atoma_types::chain::AbortCode;

/// What a node is convicted of: all the same under the contract's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    /// It was silent, to a demand or to a draw.
    Silence,
    /// A jury found it guilty.
    Guilty,
}

/// Jurors to be paid out of the fine.
#[derive(Debug, Default)]
pub(super) struct Winners {
    pub(super) jurors: Vec<NodeIx>,
    /// The ticket whose examiner they contradict.
    pub(super) contradict: Option<u64>,
    /// What the owner gets back of what was claimed, at most.
    pub(super) refund: Option<Micro>,
}

impl Ledger {
    pub(super) fn convict(
        &mut self,
        now: Ms,
        (stack, node): (StackIx, NodeIx),
        charge: Charge,
        winners: &Winners,
    ) -> Done {
        let lease = self.stacks[stack]
            .lease(node)
            .ok_or(AbortCode::NoSuchLease)?;
        let value = lease.value(lease.paid, lease.claimed());
        let tickets = lease.tickets.clone();
        let task = self.stacks[stack].task;
        let cheap = self.rules.weaker.cheap_silence && charge == Charge::Silence;
        let fine = if cheap { value } else { self.rules.fine(value) };
        // the contract never lends: only a weaker rule can leave a fine uncovered
        let fine = fine.min(self.nodes[node].collateral);

        let bonds: Micro = tickets.iter().map(|ticket| self.staked_on(ticket)).sum();
        self.stacks[stack].staked -= bonds;
        self.stacks[stack].free += bonds;
        for ticket in &tickets {
            self.stacks[stack].staked -= ticket.exam_bond;
            self.end(task, ticket, winners.contradict == Some(ticket.to));
        }
        let mut left = fine;
        for &juror in &winners.jurors {
            let fee = self.rules.params.attest_fee.min(left);
            self.tasks[task].credit(juror, fee);
            left -= fee;
        }
        if self.rules.weaker.owners_half {
            let half = left / 2;
            self.stacks[stack].free += half;
            left -= half;
        }
        let live = &mut self.nodes[node];
        live.collateral -= fine;
        live.fines += left;
        let until = now.saturating_add(self.rules.params.slash_delay_ms);
        live.fines_until = live.fines_until.max(until);
        self.close_lease(stack, node);
        let kept = value - winners.refund.unwrap_or(value).min(value);
        self.stacks[stack].free -= kept;
        self.tasks[task].fees += kept;
        let live = &mut self.nodes[node];
        node::lost(live);
        let until = now.saturating_add(self.rules.params.jail_ms);
        live.jailed_until = live.jailed_until.max(until);
        self.sync(now, task, node);
        self.convictions += 1;
        Ok(())
    }

    /// Fees of open demands and the bond of a challenge that isn't over.
    fn staked_on(&self, ticket: &Ticket) -> Micro {
        let demands = ticket.demands.len() as u64 * self.rules.params.demand_fee;
        let challenge = ticket
            .challenge
            .as_ref()
            .filter(|challenge| !challenge.over);
        demands + challenge.map_or(0, |challenge| challenge.bond)
    }

    /// What a jury gives back of a lease's claim: as far as the accusation's own bond stood for it.
    pub(super) fn refund(&self, ticket: &Ticket, challenge: bool) -> Micro {
        self.rules.refund(match (&ticket.challenge, challenge) {
            (Some(challenge), true) => challenge.bond,
            (None, true) => 0,
            (_, false) => ticket.exam_bond,
        })
    }

    /// A lease with open tickets.
    pub(super) fn case(&self, id: TicketId) -> (StackIx, NodeIx) {
        (id.stack, id.node)
    }
}
