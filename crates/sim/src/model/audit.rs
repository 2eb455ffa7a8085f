//! Examinations and challenges, up to a jury.

use super::{
    Challenge, Done, Exam, Hit, Jury, Ledger, Micro, Ms, NodeIx, Party, Stage, TaskIx, Ticket,
    TicketId,
    convict::{Charge, Winners},
    ensure,
    market::attests,
};
use atoma_contract::{draw, unit_of};
use atoma_types::{ComputeUnits, chain::AbortCode, hash::Hash32};

impl Ledger {
    /// Draws a ticket: whether it is examined, and for which unit.
    ///
    /// # Errors
    /// If it was drawn before, or isn't sold as examined.
    pub fn draw(&mut self, id: TicketId, seed: [u8; 32]) -> Done<bool> {
        ensure(self.sampled(id), AbortCode::NotSampling)?;
        let ticket = self.ticket(id)?;
        ensure(ticket.exam == Exam::Undrawn, AbortCode::NotUndrawn)?;
        let lease = self.stacks[id.stack].lease(id.node);
        let value = lease.map_or(0, |lease| lease.value(ticket.from, ticket.to));
        let seed = Hash32(seed);
        let hit = self.rules.hits(&seed, value);
        let range = (ComputeUnits(ticket.from), ComputeUnits(ticket.to));
        let unit = unit_of(&seed, range).0;
        self.ticket_mut(id)?.exam = Exam::Drawn { hit, unit };
        Ok(hit)
    }

    /// Draws the examiner of a hit, or the next after a silent one; `None` if nobody is there.
    ///
    /// # Errors
    /// If it isn't time for one.
    pub fn examine(&mut self, now: Ms, id: TicketId, seed: &[u8; 32]) -> Done<Option<NodeIx>> {
        let task = self.stacks[id.stack].task;
        ensure(self.sampled(id), AbortCode::NotSampling)?;
        let (unit, silent, record, is_last) = match self.ticket(id)?.exam {
            Exam::Drawn { hit, unit } => {
                ensure(hit, AbortCode::Missed)?;
                (unit, None, 0, false)
            }
            Exam::Hit(hit) if hit.stage == Stage::Examining => {
                ensure(now > hit.deadline, AbortCode::VerdictTimeNotOver)?;
                self.tasks[task].free(hit.examiner);
                (
                    hit.unit,
                    Some(hit.examiner),
                    hit.record,
                    hit.silent.is_some(),
                )
            }
            Exam::None | Exam::Undrawn | Exam::Hit(_) | Exam::Unexamined => {
                return Err(AbortCode::NotDrawn);
            }
        };
        let mut but = vec![self.nodes[id.node].owner, self.stacks[id.stack].owner];
        but.extend(silent.map(|silent| self.nodes[silent].owner));
        let (fine, bought) = (
            self.rules.params.examiner_fine,
            self.stacks[id.stack].bought,
        );
        let drawn = match is_last {
            true => None,
            false => self.pick(task, seed, 1, bought, fine, &but),
        };
        let examiner = drawn.and_then(|drawn| drawn.first().copied());
        let deadline = now.saturating_add(self.rules.params.answer_window_ms);
        self.ticket_mut(id)?.exam = match examiner {
            Some(examiner) => Exam::Hit(Hit {
                unit,
                examiner,
                silent,
                record,
                deadline,
                stage: Stage::Disclosing,
            }),
            None => Exam::Unexamined,
        };
        Ok(examiner)
    }

    /// Puts another unit in the place of the one that was drawn: for the weaker rule that draws records.
    ///
    /// # Errors
    /// If there is no such ticket.
    pub fn aim(&mut self, id: TicketId, at: u64) -> Done {
        if let Exam::Drawn { unit, .. } = &mut self.ticket_mut(id)?.exam {
            *unit = at;
        }
        Ok(())
    }

    /// Draws distinct attesters by the contract's own draw, and notes a duty for each.
    pub(super) fn pick(
        &mut self,
        task: TaskIx,
        seed: &[u8; 32],
        count: usize,
        bought: Ms,
        fine: Micro,
        but: &[Party],
    ) -> Option<Vec<NodeIx>> {
        let task = &mut self.tasks[task];
        let weights = task
            .subscriptions
            .iter()
            .map(|offer| u128::from(attests(offer, bought, fine, but)) * offer.weight())
            .collect();
        let places = draw::draw(seed, weights, count)?;
        let mut drawn = Vec::with_capacity(count);
        for place in places {
            let offer = &mut task.subscriptions[place];
            if let Some(attester) = &mut offer.attester {
                attester.duties += 1;
            }
            drawn.push(offer.node);
        }
        Some(drawn)
    }

    /// The node shows the record to the examiner: a number that is the record's own, and not 0.
    ///
    /// # Errors
    /// If it needn't, or it is too late.
    pub fn disclose(&mut self, now: Ms, id: TicketId, shown: u64) -> Done {
        ensure(self.sampled(id), AbortCode::NotSampling)?;
        let deadline = now.saturating_add(self.rules.params.verdict_window_ms);
        let hit = self.hit_mut(id, Stage::Disclosing, AbortCode::NotDisclosing)?;
        ensure(now <= hit.deadline, AbortCode::AnswerTooLate)?;
        ensure(
            hit.record == 0 || hit.record == shown,
            AbortCode::ReceiptWrongSeq,
        )?;
        hit.record = shown;
        hit.stage = Stage::Examining;
        hit.deadline = deadline;
        Ok(())
    }

    /// The examiner says whether something is wrong; returns the bond.
    ///
    /// # Errors
    /// If it isn't its turn.
    pub fn verdict(&mut self, now: Ms, id: TicketId, by: Party, bad: bool) -> Done<Micro> {
        ensure(self.sampled(id), AbortCode::NotSampling)?;
        let bond = if bad {
            self.rules.params.examiner_fine
        } else {
            0
        };
        let examiner = match self.ticket(id)?.exam {
            Exam::Hit(hit) => self.nodes[hit.examiner].owner,
            _ => return Err(AbortCode::NotExamining),
        };
        let hit = self.hit_mut(id, Stage::Examining, AbortCode::NotExamining)?;
        ensure(examiner == by, AbortCode::NotAuditor)?;
        ensure(now <= hit.deadline, AbortCode::VerdictTooLate)?;
        hit.stage = if bad { Stage::Accused } else { Stage::Passed };
        hit.deadline = 0;
        self.ticket_mut(id)?.exam_bond = bond;
        self.stacks[id.stack].staked += bond;
        Ok(bond)
    }

    /// The owner challenges a ticket; returns the bond.
    ///
    /// # Errors
    /// If it is too late, or was done before.
    pub fn challenge(&mut self, now: Ms, id: TicketId, unit: u64) -> Done<Micro> {
        let ticket = self.ticket(id)?;
        ensure(self.sampled(id), AbortCode::NotSampling)?;
        ensure(now <= ticket.deadline, AbortCode::WindowOver)?;
        ensure(ticket.challenge.is_none(), AbortCode::AlreadyChallenged)?;
        let claims = ticket.from <= unit && unit < ticket.to;
        ensure(claims, AbortCode::UnitNotSettled)?;
        let lease = self.stacks[id.stack].lease(id.node);
        let value = lease.map_or(0, |lease| lease.value(ticket.from, ticket.to));
        let bond = self.rules.bond(value);
        self.ticket_mut(id)?.challenge = Some(Challenge {
            bond,
            unit,
            jury: None,
            over: false,
        });
        self.stacks[id.stack].staked += bond;
        Ok(bond)
    }

    /// Convicts a node that left an examiner or a jury without the record.
    ///
    /// # Errors
    /// If it still may show it.
    pub fn undisclosed(&mut self, now: Ms, id: TicketId) -> Done {
        let lease = self.stacks[id.stack]
            .lease(id.node)
            .ok_or(AbortCode::NoSuchLease)?;
        ensure(!lease.tickets.is_empty(), AbortCode::NoTicket)?;
        let overdue = lease.tickets.iter().any(|ticket| is_overdue(ticket, now));
        ensure(overdue, AbortCode::AnswerTimeNotOver)?;
        self.convict(now, self.case(id), Charge::Silence, &Winners::default())
    }

    pub(super) fn sampled(&self, id: TicketId) -> bool {
        self.tasks[self.stacks[id.stack].task].sampled
    }

    fn hit_mut(&mut self, id: TicketId, stage: Stage, code: AbortCode) -> Done<&mut Hit> {
        match &mut self.ticket_mut(id)?.exam {
            Exam::Hit(hit) if hit.stage == stage => Ok(hit),
            _ => Err(code),
        }
    }
}

fn is_overdue(ticket: &Ticket, now: Ms) -> bool {
    let exam = match ticket.exam {
        Exam::Hit(hit) => hit.stage == Stage::Disclosing && now > hit.deadline,
        Exam::None | Exam::Undrawn | Exam::Drawn { .. } | Exam::Unexamined => false,
    };
    let waits = |jury: &Jury| jury.record == 0 && now > jury.deadline;
    let of_challenge = ticket
        .challenge
        .as_ref()
        .and_then(|challenge| challenge.jury.as_ref());
    exam || ticket.exam_jury.iter().chain(of_challenge).any(waits)
}
