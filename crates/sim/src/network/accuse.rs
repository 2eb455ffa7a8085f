//! An owner with attesters of its own: it buys much from honest nodes, has the answers, and accuses who gave them.

use super::{
    Network, Side,
    conduct::{self, Judge, Using},
    setup::{PRICE, USDC},
};
use crate::{
    dice::Purpose,
    model::{Jury, Micro, NodeIx, TaskIx, TicketId, Verdict},
};

/// What it buys at once, and has claimed in one ticket: what a node of five hundred USDC can stand for.
pub(crate) const ORDER: Micro = 45 * USDC;

impl Network<'_> {
    /// The owner buys from the honest node with most to stand with, and uses all of it at once.
    pub(super) fn order(&mut self, number: u64) {
        let task = self
            .dice
            .below(Purpose::Arrival, (number, 1), self.plan.tasks()) as TaskIx;
        let Some(node) = self.with_most_free(task) else {
            return;
        };
        let using = conduct::using(self.plan);
        let deal = self.deal(number, Side::Coalition, using, (1, ORDER));
        let Some(stack) = self.buy_from(deal, task, node, PRICE) else {
            return;
        };
        let work = ORDER * self.plan.market.compute_permille / 1_000;
        // the answers are worth what they cost: nothing is gained by them, and nothing lost
        self.spend(stack, node, work, ORDER);
    }

    /// Of the others' nodes of a task that are there and can stand for an order, the one with the most to spare.
    fn with_most_free(&self, task: TaskIx) -> Option<NodeIx> {
        let free = |node: NodeIx| {
            let live = &self.ledger.nodes[node];
            live.collateral.saturating_sub(live.at_stake)
        };
        let needed = self.plan.rules.fine(ORDER);
        let others = (0..self.parties.len()).filter(|&node| {
            let party = &self.parties[node];
            party.side == Side::Others && party.task == task && free(node) >= needed
        });
        others
            .filter(|&node| self.ledger.nodes[node].active(self.now))
            .filter(|&node| self.back_at(node, self.now).is_none())
            .max_by_key(|&node| free(node))
    }

    /// The owner stakes a bond on it that an honest answer is wrong.
    pub(super) fn accuse(&mut self, id: TicketId) {
        let Ok(ticket) = self.ledger.ticket(id) else {
            return;
        };
        let from = ticket.from;
        if self.challenge(id, from) {
            self.seen.accusations += 1;
        }
    }

    /// Whether somebody accuses falsely whoever served this.
    pub(super) fn is_accused_falsely(&self, id: TicketId) -> bool {
        self.deals[id.stack].using == Using::Accusing
    }

    /// What an accusing owner's jurors say together: that the node is guilty where they are enough to have it convicted, or
    /// to keep the others from acquitting it; else what the others say, for who loses is fined.
    pub(super) fn agreed(&self, jury: &Jury, lie: Verdict) -> Verdict {
        let seats = jury.seats.iter();
        let liars = seats
            .filter(|seat| self.parties[seat.juror].judge == Judge::Accuser)
            .count();
        let quorum = self.plan.rules.params.jury_quorum as usize;
        let others = jury.seats.len() - liars;
        if liars >= quorum || others < quorum {
            lie
        } else {
            Verdict::Ok
        }
    }
}
