//! Nodes settle, tickets are drawn and paid.

use super::{Network, Side, conduct::Using, events::Event};
use crate::{
    dice::Purpose,
    model::{Exam, HOUR, NodeIx, StackIx, TicketId},
};
use atoma_types::chain::AbortCode;

/// How long until something that didn't go is tried again.
pub(super) const AGAIN: u64 = 6 * HOUR;

impl Network<'_> {
    /// A node looks whether to settle what it served.
    pub(super) fn settle(&mut self, stack: StackIx, node: NodeIx) {
        let here = self.present(node, self.now);
        let expires = self.ledger.stacks[stack].expires;
        let over = expires + self.plan.rules.params.settle_grace_ms;
        if here > self.now {
            if here <= over {
                self.queue.push(here, Event::Settle(stack, node));
            } else {
                self.queue.push(here, Event::Expire(stack, node));
            }
            return;
        }
        let Some(service) = self.service(stack, node) else {
            return;
        };
        let used = service.used;
        let Some(lease) = self.ledger.stacks[stack].lease(node) else {
            return;
        };
        if lease.closed {
            return;
        }
        let (open, value) = (lease.tickets.len(), lease.value(lease.claimed(), used));
        let ended = self.now >= expires;
        let worth_it = value >= self.plan.market.settle_least && open == 0;
        let washed = self.deals[stack].using != Using::Honest && open == 0;
        if (ended || worth_it || washed)
            && let Ok(id) = self.ledger.settle(self.now, stack, node, used)
        {
            self.settled(id);
        } else if ended && open == 2 && self.now + AGAIN <= over {
            self.queue
                .push(self.now + AGAIN, Event::Settle(stack, node));
            return;
        }
        if ended {
            self.queue.push(over + 1, Event::Expire(stack, node));
        } else {
            let later = self.now + self.plan.market.settle_hours * HOUR;
            self.queue
                .push(later.min(expires), Event::Settle(stack, node));
        }
    }

    fn settled(&mut self, id: TicketId) {
        let gas = self.plan.market.gas;
        let side = self.parties[id.node].side;
        self.group(side).serving.gas += gas;
        self.seen.tickets += 1;
        let number = self.ticket_number(id);
        if let Some(service) = self.service(id.stack, id.node) {
            service.tickets += 1;
        }
        let deadline = self.ledger.ticket(id).map_or(self.now, |t| t.deadline);
        self.queue.push(deadline + 1, Event::Claim(id));
        match self.deals[id.stack].using {
            Using::Griefing => self.queue.push(self.now + HOUR, Event::Demand(id)),
            Using::Accusing => self.queue.push(self.now + HOUR, Event::Accuse(id)),
            _ => {}
        }
        let seed = self.dice.beacon(Purpose::Ticket, number.0, number.1);
        if let Ok(hit) = self.ledger.draw(id, seed) {
            self.group(side).serving.gas += gas;
            self.seen.verification += gas;
            if hit {
                self.aim_at_records(id);
                self.queue.push(self.now, Event::Examine(id));
            }
        }
    }

    /// What a ticket draws by: its stack, and which of its node's it is.
    pub(super) fn ticket_number(&mut self, id: TicketId) -> (u64, u64) {
        let number = self.deals[id.stack].number;
        let tickets = self
            .service(id.stack, id.node)
            .map_or(0, |service| service.tickets);
        (number, self.parties[id.node].wallet << 16 | tickets)
    }

    /// Under the weaker rule that draws records, each counts the same.
    fn aim_at_records(&mut self, id: TicketId) {
        if !self.plan.rules.weaker.records_drawn {
            return;
        }
        let from = self.ledger.ticket(id).map_or(0, |ticket| ticket.from);
        let number = self.ticket_number(id);
        let dice = self.dice;
        let Some(service) = self.service(id.stack, id.node) else {
            return;
        };
        let first = service.records.partition_point(|record| record.end <= from);
        let count = service.records.len() - first;
        let place = dice.below(Purpose::Whim, number, count as u64) as usize;
        let unit = service.records[first + place].end - 1;
        let _no_such_ticket = self.ledger.aim(id, unit);
    }

    /// Anyone has a ticket paid; while something about it is open, later.
    pub(super) fn claim(&mut self, id: TicketId) {
        let Ok(ticket) = self.ledger.ticket(id) else {
            return;
        };
        let (from, unexamined) = (ticket.from, ticket.exam == Exam::Unexamined);
        let lease = self.ledger.stacks[id.stack].lease(id.node);
        let value = lease.map_or(0, |lease| lease.value(from, id.to));
        let first = lease.is_some_and(|lease| lease.tickets[0].to == id.to);
        let result = if first {
            self.ledger.claim(self.now, id.stack, id.node)
        } else {
            Err(AbortCode::WindowNotOver)
        };
        match result {
            Ok(()) => {
                let (gas, side) = (self.plan.market.gas, self.parties[id.node].side);
                let group = self.group(side);
                group.serving.gas += gas;
                group.paid += value;
                self.seen.claims += 1;
                self.seen.volume += value;
                self.seen.unexamined += u64::from(unexamined);
                self.count_losses(id, from);
            }
            Err(
                AbortCode::WindowNotOver
                | AbortCode::ExamOpen
                | AbortCode::ChallengeOpen
                | AbortCode::DemandOpen,
            ) => self.queue.push(self.now + AGAIN, Event::Claim(id)),
            Err(_) => {}
        }
    }

    /// What honest users paid for nothing; drops the records.
    fn count_losses(&mut self, id: TicketId, from: u64) {
        let honest = self.deals[id.stack].side == Side::Others;
        let overcounts = self.parties[id.node].serving == super::Serving::Over;
        let Some(service) = self.service(id.stack, id.node) else {
            return;
        };
        let last = service
            .records
            .partition_point(|record| record.end <= id.to);
        let (mut begin, mut lost) = (from, 0);
        for record in service.records.drain(..last) {
            lost += if record.wrong { record.end - begin } else { 0 };
            begin = record.end;
        }
        // of what is overcounted the most was served
        let lost = if overcounts { lost / 11 } else { lost };
        self.seen.lost_by_users += if honest { lost } else { 0 };
    }

    /// A lease is over.
    pub(super) fn expire(&mut self, stack: StackIx, node: NodeIx) {
        let early = [AbortCode::TicketOpen, AbortCode::DeadlineNotPassed];
        let ended = self.ledger.expire(self.now, stack, node);
        if ended.is_err_and(|code| early.contains(&code)) {
            self.queue
                .push(self.now + AGAIN, Event::Expire(stack, node));
        }
    }
}
