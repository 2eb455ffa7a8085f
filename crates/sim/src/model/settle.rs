//! Settle, wait, claim; and the end of a lease.

use super::{
    Done, Exam, Hit, Ledger, Ms, NodeIx, StackIx, Stage, Ticket, TicketId, ensure, node,
    objects::{FeesOfDay, day},
    permille,
};
use atoma_contract::limits::MAX_TICKETS;
use atoma_types::chain::AbortCode;

impl Ledger {
    /// A node claims the units up to so many.
    ///
    /// # Errors
    /// If it may not, or the ticket is too small.
    pub fn settle(&mut self, now: Ms, stack: StackIx, node: NodeIx, to: u64) -> Done<TicketId> {
        let params = &self.rules.params;
        let held = &self.stacks[stack];
        let lease = self.open_lease(stack, node)?;
        ensure(lease.tickets.len() < MAX_TICKETS, AbortCode::TicketOpen)?;
        let end = held.expires.saturating_add(params.settle_grace_ms);
        ensure(now <= end, AbortCode::DeadlinePassed)?;
        let from = lease.claimed();
        ensure(to > from, AbortCode::NothingClaimed)?;
        ensure(to <= lease.units, AbortCode::ClaimAboveLease)?;
        let sampled = self.tasks[held.task].sampled;
        ensure(
            lease.value(from, to) >= self.rules.smallest_ticket(sampled),
            AbortCode::TicketTooSmall,
        )?;
        let ticket = Ticket {
            from,
            to,
            deadline: now.saturating_add(params.dispute_window_ms),
            demands: Vec::new(),
            exam: if sampled { Exam::Undrawn } else { Exam::None },
            exam_jury: None,
            exam_bond: 0,
            challenge: None,
        };
        self.stacks[stack].lease_mut(node)?.tickets.push(ticket);
        Ok(TicketId { stack, node, to })
    }

    /// Pays a lease's first ticket.
    ///
    /// # Errors
    /// If its window isn't over, or something about it is open.
    pub fn claim(&mut self, now: Ms, stack: StackIx, node: NodeIx) -> Done {
        let held = &self.stacks[stack];
        let lease = held.lease(node).ok_or(AbortCode::NoSuchLease)?;
        let ticket = lease.tickets.first().ok_or(AbortCode::NoTicket)?;
        ensure_payable(ticket, now)?;
        let value = lease.value(ticket.from, ticket.to);
        let (task, params) = (held.task, &self.rules.params);
        let fee = permille(value, params.protocol_fee_permille);
        let due = if self.tasks[task].sampled {
            params.due
        } else {
            0
        };
        let before = self.stake(stack, node);
        let held = &mut self.stacks[stack];
        held.escrow -= value;
        let lease = held.lease_mut(node)?;
        let ticket = lease.tickets.remove(0);
        lease.paid = ticket.to;
        let demand_fees = std::mem::take(&mut lease.fees);
        self.tasks[task].fees += fee;
        if ticket.exam == Exam::Unexamined {
            held.free += due;
        } else {
            self.tasks[task].dues += due;
        }
        let live = &mut self.nodes[node];
        live.earnings += value - fee - due + demand_fees;
        self.restake(stack, node, before);
        self.end(task, &ticket, false);
        let live = &mut self.nodes[node];
        node::paid(live, fee, now);
        if live.current.day != day(now) {
            let fresh = FeesOfDay {
                day: day(now),
                fees: 0,
            };
            live.previous = std::mem::replace(&mut live.current, fresh);
        }
        live.current.fees += fee;
        self.sync(now, task, node);
        if self.is_done(now, stack, node) {
            self.close_lease(stack, node);
        }
        Ok(())
    }

    /// Closes a lease of which nothing more comes.
    ///
    /// # Errors
    /// If something may still come.
    pub fn expire(&mut self, now: Ms, stack: StackIx, node: NodeIx) -> Done {
        let lease = self.open_lease(stack, node)?;
        ensure(lease.tickets.is_empty(), AbortCode::TicketOpen)?;
        ensure(self.is_done(now, stack, node), AbortCode::DeadlineNotPassed)?;
        self.close_lease(stack, node);
        Ok(())
    }

    /// An open ticket.
    ///
    /// # Errors
    /// If there is none.
    pub fn ticket(&self, id: TicketId) -> Done<&Ticket> {
        let lease = self.stacks[id.stack]
            .lease(id.node)
            .ok_or(AbortCode::NoSuchLease)?;
        let mut tickets = lease.tickets.iter();
        tickets
            .find(|ticket| ticket.to == id.to)
            .ok_or(AbortCode::NoTicket)
    }

    pub(super) fn ticket_mut(&mut self, id: TicketId) -> Done<&mut Ticket> {
        let lease = self.stacks[id.stack].lease_mut(id.node)?;
        let mut tickets = lease.tickets.iter_mut();
        tickets
            .find(|ticket| ticket.to == id.to)
            .ok_or(AbortCode::NoTicket)
    }

    /// Pays or fines the examiner of a ticket that ends, and frees everyone who was drawn.
    pub(super) fn end(&mut self, task: usize, ticket: &Ticket, contradicted: bool) {
        let params = &self.rules.params;
        let task = &mut self.tasks[task];
        if let Exam::Hit(Hit {
            examiner,
            stage,
            silent,
            ..
        }) = ticket.exam
        {
            if contradicted {
                let taken = task.charge(examiner, params.examiner_fine);
                task.fees += taken;
            } else if matches!(stage, Stage::Passed | Stage::Accused) {
                let fee = params.attest_fee.min(task.dues);
                task.dues -= fee;
                task.credit(examiner, fee + ticket.exam_bond);
            }
            task.free(examiner);
            let judged = !matches!(stage, Stage::Disclosing | Stage::Examining);
            if let Some(silent) = silent.filter(|_| judged) {
                task.strike(silent);
            }
        }
        let of_challenge = ticket
            .challenge
            .as_ref()
            .and_then(|challenge| challenge.jury.as_ref());
        for jury in ticket.exam_jury.iter().chain(of_challenge) {
            for seat in &jury.seats {
                task.free(seat.juror);
            }
        }
    }
}

fn ensure_payable(ticket: &Ticket, now: Ms) -> Done {
    ensure(ticket.deadline < now, AbortCode::WindowNotOver)?;
    ensure(ticket.demands.is_empty(), AbortCode::DemandOpen)?;
    let over = match ticket.exam {
        Exam::None | Exam::Unexamined => true,
        Exam::Undrawn => false,
        Exam::Drawn { hit, .. } => !hit,
        Exam::Hit(hit) => matches!(hit.stage, Stage::Passed | Stage::Cleared),
    };
    ensure(over, AbortCode::ExamOpen)?;
    let challenge = ticket.challenge.as_ref();
    ensure(
        challenge.is_none_or(|challenge| challenge.over),
        AbortCode::ChallengeOpen,
    )
}
