//! Juries: drawn, shown the record, voting, counted.

use super::{
    Done, Exam, Jury, Ledger, Ms, NodeIx, Seat, Stage, Ticket, TicketId, Verdict,
    convict::{Charge, Winners},
    ensure,
    market::attests,
};
use atoma_types::chain::AbortCode;

/// How a jury ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The node was convicted.
    Guilty,
    /// It was not.
    Acquitted,
    /// Neither side had enough.
    Hung,
}

impl Ledger {
    /// Draws the jury that an examiner or a challenge called for; without enough attesters it is dissolved.
    ///
    /// # Errors
    /// If nobody called for one.
    pub fn jury(
        &mut self,
        now: Ms,
        (id, challenge): (TicketId, bool),
        seed: &[u8; 32],
    ) -> Done<Option<Vec<NodeIx>>> {
        let ticket = self.ticket(id)?;
        let unit = called(ticket, challenge)?;
        let mut but = vec![self.nodes[id.node].owner, self.stacks[id.stack].owner];
        if let Exam::Hit(hit) = ticket.exam {
            but.push(self.nodes[hit.examiner].owner);
        }
        let params = &self.rules.params;
        let (size, fine) = (params.jury_size as usize, params.juror_fine);
        let quorum = params.jury_quorum as usize;
        let stack = &self.stacks[id.stack];
        let (task, bought) = (stack.task, stack.bought);
        let offers = self.tasks[task].subscriptions.iter();
        let size = size.min(
            offers
                .filter(|offer| attests(offer, bought, fine, &but))
                .count(),
        );
        let drawn = if size >= quorum {
            self.pick(task, seed, size, bought, fine, &but)
        } else {
            None
        };
        let Some(drawn) = drawn else {
            return self.dissolve(id, challenge).map(|()| None);
        };
        let seat = |&juror: &NodeIx| Seat {
            juror,
            committed: None,
            verdict: None,
        };
        let jury = Jury {
            unit,
            record: 0,
            seats: drawn.iter().map(seat).collect(),
            deadline: now.saturating_add(self.rules.params.answer_window_ms),
            reveal: 0,
        };
        let ticket = self.ticket_mut(id)?;
        match &mut ticket.challenge {
            Some(brought) if challenge => brought.jury = Some(jury),
            _ => ticket.exam_jury = Some(jury),
        }
        Ok(Some(drawn))
    }

    fn dissolve(&mut self, id: TicketId, challenge: bool) -> Done {
        let task = self.stacks[id.stack].task;
        let ticket = self.ticket_mut(id)?;
        match (&mut ticket.challenge, &mut ticket.exam) {
            (Some(brought), _) if challenge => {
                brought.over = true;
                let back = std::mem::take(&mut brought.bond);
                let stack = &mut self.stacks[id.stack];
                stack.staked -= back;
                stack.free += back;
            }
            (_, Exam::Hit(hit)) => {
                hit.stage = Stage::Cleared;
                let examiner = hit.examiner;
                let back = std::mem::take(&mut ticket.exam_bond);
                self.stacks[id.stack].staked -= back;
                self.tasks[task].credit(examiner, back);
            }
            _ => {}
        }
        Ok(())
    }

    /// The node shows the record to a jury.
    ///
    /// # Errors
    /// If it needn't, or it is too late, or it is another than the examiner saw.
    pub fn disclose_jury(
        &mut self,
        now: Ms,
        (id, challenge): (TicketId, bool),
        shown: u64,
    ) -> Done {
        ensure(self.sampled(id), AbortCode::NotSampling)?;
        let window = self.rules.params.verdict_window_ms;
        let ticket = self.ticket_mut(id)?;
        let seen = match ticket.exam {
            Exam::Hit(hit) if !challenge => Some(hit.record),
            _ => None,
        };
        let jury = sitting(ticket, challenge)?;
        ensure(jury.record == 0, AbortCode::NotDisclosing)?;
        ensure(now <= jury.deadline, AbortCode::AnswerTooLate)?;
        let same = seen.is_none_or(|record| record == shown);
        ensure(same, AbortCode::ReceiptWrongSeq)?;
        jury.record = shown;
        jury.deadline = now.saturating_add(window);
        jury.reveal = jury.deadline.saturating_add(window);
        Ok(())
    }

    /// A juror fixes its verdict; `None` is a commitment that it can't open.
    ///
    /// # Errors
    /// If it isn't its turn.
    pub fn commit(
        &mut self,
        now: Ms,
        (id, challenge): (TicketId, bool),
        juror: NodeIx,
        verdict: Option<Verdict>,
    ) -> Done {
        let jury = sitting(self.ticket_mut(id)?, challenge)?;
        let open = jury.record != 0 && now <= jury.deadline;
        ensure(open, AbortCode::NotCommitting)?;
        let seat = seat(jury, juror)?;
        ensure(seat.committed.is_none(), AbortCode::NotCommitting)?;
        seat.committed = Some(verdict);
        Ok(())
    }

    /// A juror shows its verdict.
    ///
    /// # Errors
    /// If it isn't time, or it can't.
    pub fn reveal(&mut self, now: Ms, (id, challenge): (TicketId, bool), juror: NodeIx) -> Done {
        let jury = sitting(self.ticket_mut(id)?, challenge)?;
        let all = jury.seats.iter().all(|seat| seat.committed.is_some());
        let time = now <= jury.reveal && (all || now > jury.deadline);
        ensure(jury.record != 0 && time, AbortCode::NotRevealing)?;
        let seat = seat(jury, juror)?;
        let committed = seat.committed.ok_or(AbortCode::NotRevealing)?;
        ensure(seat.verdict.is_none(), AbortCode::NotRevealing)?;
        seat.verdict = Some(committed.ok_or(AbortCode::WrongReveal)?);
        Ok(())
    }

    /// Counts.
    ///
    /// # Errors
    /// If not all have revealed and the time for it isn't over.
    pub fn decide(&mut self, now: Ms, (id, challenge): (TicketId, bool)) -> Done<Outcome> {
        ensure(self.sampled(id), AbortCode::NotSampling)?;
        let task = self.stacks[id.stack].task;
        let jury = sitting(self.ticket_mut(id)?, challenge)?.clone();
        let all = jury.seats.iter().all(|seat| seat.verdict.is_some());
        let over = jury.record != 0 && (all || now > jury.reveal);
        ensure(over, AbortCode::VerdictTimeNotOver)?;
        let (outcome, winning) = count(&jury, self.rules.params.jury_quorum);
        let winners = voters(&jury, |verdict| verdict == winning);
        let some_spoke = jury.seats.iter().any(|seat| seat.verdict.is_some());
        for seat in &jury.seats {
            if some_spoke && seat.verdict.is_none() {
                self.tasks[task].strike(seat.juror);
            }
        }
        if outcome != Outcome::Hung {
            let fine = self.rules.params.juror_fine;
            for loser in voters(&jury, |verdict| verdict != winning) {
                let taken = self.tasks[task].charge(loser, fine);
                self.tasks[task].fees += taken;
            }
        }
        if outcome == Outcome::Guilty {
            let contradict = match self.ticket(id)?.exam {
                Exam::Hit(hit) => {
                    challenge && hit.stage == Stage::Passed && hit.record == jury.record
                }
                _ => false,
            };
            let winners = Winners {
                jurors: winners,
                contradict: contradict.then_some(id.to),
                refund: Some(self.refund(self.ticket(id)?, challenge)),
            };
            self.convict(now, self.case(id), Charge::Guilty, &winners)?;
            return Ok(outcome);
        }
        let paid = if outcome == Outcome::Hung {
            voters(&jury, |_| true)
        } else {
            winners
        };
        self.clear((id, challenge), outcome, &paid)?;
        for seat in &jury.seats {
            self.tasks[task].free(seat.juror);
        }
        Ok(outcome)
    }

    /// Ends a jury that did not find the node guilty: who accused it pays the jurors.
    fn clear(
        &mut self,
        (id, challenge): (TicketId, bool),
        outcome: Outcome,
        paid: &[NodeIx],
    ) -> Done {
        let task = self.stacks[id.stack].task;
        let ticket = self.ticket_mut(id)?;
        // whose bond comes back: a hung jury finds nobody wrong
        let mut accuser = None;
        let mut pot = 0;
        match (&mut ticket.challenge, &mut ticket.exam) {
            (Some(brought), _) if challenge => {
                brought.over = true;
                brought.jury = None;
                pot = std::mem::take(&mut brought.bond);
            }
            (_, Exam::Hit(hit)) => {
                hit.stage = Stage::Cleared;
                accuser = (outcome == Outcome::Hung).then_some(hit.examiner);
                ticket.exam_jury = None;
                pot = std::mem::take(&mut ticket.exam_bond);
            }
            _ => {}
        }
        self.stacks[id.stack].staked -= pot;
        let params = &self.rules.params;
        let task = &mut self.tasks[task];
        if let Some(examiner) = accuser {
            task.credit(examiner, std::mem::take(&mut pot));
        }
        let mut left = pot;
        for &juror in paid {
            let fee = params.attest_fee.min(left);
            task.credit(juror, fee);
            left -= fee;
        }
        if challenge && outcome == Outcome::Hung {
            self.stacks[id.stack].free += left;
        } else {
            task.fees += left;
        }
        Ok(())
    }
}

/// The unit that a jury was called to look at.
fn called(ticket: &Ticket, challenge: bool) -> Done<u64> {
    if challenge {
        let brought = ticket.challenge.as_ref();
        let brought = brought
            .filter(|brought| !brought.over)
            .ok_or(AbortCode::JuryNotCalled)?;
        ensure(brought.jury.is_none(), AbortCode::JurySits)?;
        return Ok(brought.unit);
    }
    match ticket.exam {
        Exam::Hit(hit) if hit.stage == Stage::Accused => {
            ensure(ticket.exam_jury.is_none(), AbortCode::JurySits)?;
            Ok(hit.unit)
        }
        _ => Err(AbortCode::JuryNotCalled),
    }
}

fn sitting(ticket: &mut Ticket, challenge: bool) -> Done<&mut Jury> {
    let jury = if challenge {
        ticket
            .challenge
            .as_mut()
            .and_then(|brought| brought.jury.as_mut())
    } else {
        ticket.exam_jury.as_mut()
    };
    jury.ok_or(AbortCode::NoJury)
}

fn seat(jury: &mut Jury, juror: NodeIx) -> Done<&mut Seat> {
    let mut seats = jury.seats.iter_mut();
    seats
        .find(|seat| seat.juror == juror)
        .ok_or(AbortCode::NotAuditor)
}

fn count(jury: &Jury, quorum: u64) -> (Outcome, Verdict) {
    let verdicts = jury.seats.iter().filter_map(|seat| seat.verdict);
    for candidate in verdicts.clone() {
        let equal = verdicts.clone().filter(|&other| other == candidate);
        if equal.count() as u64 >= quorum {
            let outcome = match candidate {
                Verdict::Ok => Outcome::Acquitted,
                Verdict::Bad(_) => Outcome::Guilty,
            };
            return (outcome, candidate);
        }
    }
    (Outcome::Hung, Verdict::Ok)
}

fn voters(jury: &Jury, chosen: impl Fn(Verdict) -> bool) -> Vec<NodeIx> {
    let seats = jury.seats.iter();
    seats
        .filter(|seat| seat.verdict.is_some_and(&chosen))
        .map(|seat| seat.juror)
        .collect()
}
