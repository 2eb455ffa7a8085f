//! Users demand records, nodes answer.

use super::{Network, events::Event};
use crate::{
    dice::Purpose,
    model::{HOUR, TicketId},
};

impl Network<'_> {
    pub(super) fn demand(&mut self, id: TicketId) {
        let Ok(ticket) = self.ledger.ticket(id) else {
            return;
        };
        let (from, to, deadline) = (ticket.from, ticket.to, ticket.deadline);
        // whoever hopes that nobody answers looks every hour whether the node is away, to the last
        let later = self.now + HOUR;
        if self.back_at(id.node, self.now).is_none() && later <= deadline {
            self.queue.push(later, Event::Demand(id));
            return;
        }
        let number = self.ticket_number(id);
        let unit = from + self.dice.below(Purpose::Whim, number, to - from);
        if self.ledger.demand(self.now, id, unit).is_err() {
            return;
        }
        let (gas, fee) = (self.plan.market.gas, self.plan.rules.params.demand_fee);
        let side = self.deals[id.stack].side;
        let account = &mut self.group(side).using;
        account.paid_in += fee;
        account.gas += gas;
        self.seen.demands += 1;
        // a node looks at its events at once
        let soon = self.present(id.node, self.now + 1);
        self.queue.push(soon, Event::Answer(id, unit));
        let late = self.now + self.plan.rules.params.answer_window_ms + 1;
        self.queue.push(late, Event::Silence(id, unit));
    }

    pub(super) fn answer(&mut self, id: TicketId, unit: u64) {
        if self.ledger.answer(self.now, id, unit).is_ok() {
            self.pays_gas(id.node);
        }
    }

    pub(super) fn silence(&mut self, id: TicketId, unit: u64) {
        if self.ledger.silence(self.now, id, unit).is_ok() {
            self.convicted(id);
        }
    }
}
