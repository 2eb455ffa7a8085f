//! Juries of examinations and challenges: who sits, when each looks, commits and reveals, and what that earns.

use super::{
    Network, Side,
    conduct::{Judge, Serving},
    events::Event,
    examine::WRONG,
};
use crate::{
    dice::Purpose,
    model::{HOUR, Jury, NodeIx, TicketId, Verdict},
};

/// What a juror makes up that hasn't looked.
const GUESS: Verdict = Verdict::Bad(3);
/// How long jurors look, and then wait.
const LOOKING: u64 = 6 * HOUR;

type Court = (TicketId, bool);

impl Network<'_> {
    pub(super) fn jury(&mut self, court: Court) {
        let (id, challenge) = court;
        let number = self.ticket_number(id);
        let seed = self.dice.beacon(
            Purpose::Jury,
            number.0,
            number.1 | u64::from(challenge) << 48,
        );
        let Ok(Some(_)) = self.ledger.jury(self.now, court, &seed) else {
            return;
        };
        self.seen.juries += 1;
        self.pays_gas(id.node);
        self.seen.verification += self.plan.market.gas;
        let soon = self.now + self.hours((number.0, number.1 | 1 << 41), 0, 2);
        self.queue.push(
            self.present(id.node, soon),
            Event::DiscloseJury(id, challenge),
        );
        let late = self.now + self.plan.rules.params.answer_window_ms + 1;
        self.queue.push(late, Event::Undisclosed(id));
    }

    fn sitting(&self, (id, challenge): Court) -> Option<&Jury> {
        let ticket = self.ledger.ticket(id).ok()?;
        if challenge {
            ticket.challenge.as_ref()?.jury.as_ref()
        } else {
            ticket.exam_jury.as_ref()
        }
    }

    pub(super) fn disclose_jury(&mut self, court: Court) {
        let (id, challenge) = court;
        let Some(unit) = self.sitting(court).map(|jury| jury.unit) else {
            return;
        };
        let (record, shown) = self.record_of(id.stack, id.node, unit);
        if self.parties[id.node].serving == Serving::Silent && record.wrong {
            return;
        }
        if self.ledger.disclose_jury(self.now, court, shown).is_ok() {
            self.pays_gas(id.node);
            self.seen.verification += self.plan.market.gas;
            self.queue
                .push(self.now + LOOKING, Event::Commit(id, challenge));
        }
    }

    /// Those who are there commit.
    pub(super) fn commit(&mut self, court: Court) {
        let (id, challenge) = court;
        let Some(jury) = self.sitting(court).cloned() else {
            return;
        };
        // what anyone says who looked, to those who ask
        let looks = |judge| matches!(judge, Judge::Honest | Judge::Tester);
        let mut seats = jury.seats.iter();
        let wrong = self.record_of(id.stack, id.node, jury.unit).0.wrong;
        let colleague = seats
            .any(|seat| looks(self.parties[seat.juror].judge))
            .then_some(if wrong { WRONG } else { Verdict::Ok });
        for seat in &jury.seats {
            if self.present(seat.juror, self.now) > jury.deadline {
                continue;
            }
            let (vote, works) = self.opinion(court, &jury, seat.juror, colleague);
            if self
                .ledger
                .commit(self.now, court, seat.juror, vote)
                .is_ok()
            {
                self.attested(seat.juror, id, jury.unit, 1, works);
            }
        }
        let all = self
            .sitting(court)
            .is_some_and(|jury| jury.seats.iter().all(|seat| seat.committed.is_some()));
        let at = if all {
            self.now + HOUR
        } else {
            jury.deadline + 1
        };
        self.queue.push(at, Event::Reveal(id, challenge));
    }

    /// What a juror votes, and whether it looked. `colleague`: what one who looked says, to those who ask.
    fn opinion(
        &mut self,
        (id, challenge): Court,
        jury: &Jury,
        juror: NodeIx,
        colleague: Option<Verdict>,
    ) -> (Option<Verdict>, bool) {
        let wrong = self.record_of(id.stack, id.node, jury.unit).0.wrong;
        let truth = if wrong { WRONG } else { Verdict::Ok };
        let own = self.parties[id.node].side == Side::Coalition;
        match self.parties[juror].judge {
            Judge::Honest | Judge::Tester => (Some(truth), true),
            Judge::Lazy | Judge::False => (Some(Verdict::Ok), false),
            Judge::Accomplice if own => (Some(Verdict::Ok), false),
            Judge::Accomplice => (Some(truth), true),
            Judge::Accuser if self.is_accused_falsely(id) => {
                (Some(self.agreed(jury, WRONG)), false)
            }
            Judge::Accuser => (Some(truth), true),
            Judge::Helped => (Some(colleague.unwrap_or(Verdict::Ok)), false),
            Judge::Copying if self.plan.rules.weaker.open_votes && colleague.is_some() => {
                (colleague, false)
            }
            Judge::Copying if challenge => (Some(truth), true),
            Judge::Copying => match self.said_by_examiner(id) {
                Some(said) if self.plan.rules.weaker.open_accusations => (Some(said), false),
                // it knows that something is said to be wrong, and makes up what
                Some(_) => (Some(GUESS), false),
                None => (Some(truth), true),
            },
        }
    }

    /// What the examiner of a ticket found: of it the ledger has only that it is bad.
    fn said_by_examiner(&mut self, id: TicketId) -> Option<Verdict> {
        let hit = self.hit(id)?;
        let wrong = self.record_of(id.stack, id.node, hit.unit).0.wrong;
        let accused = hit.stage == crate::model::Stage::Accused;
        accused.then_some(if wrong { WRONG } else { Verdict::Bad(2) })
    }

    /// Those who are there reveal.
    pub(super) fn reveal(&mut self, court: Court) {
        let (id, challenge) = court;
        let Some(jury) = self.sitting(court).cloned() else {
            return;
        };
        for seat in &jury.seats {
            if self.present(seat.juror, self.now) > jury.reveal {
                continue;
            }
            if self.ledger.reveal(self.now, court, seat.juror).is_ok() {
                self.attested(seat.juror, id, jury.unit, 1, false);
            }
        }
        let all = self
            .sitting(court)
            .is_some_and(|jury| jury.seats.iter().all(|seat| seat.verdict.is_some()));
        let at = if all { self.now } else { jury.reveal + 1 };
        self.queue.push(at, Event::Decide(id, challenge));
    }

    pub(super) fn decide(&mut self, court: Court) {
        let before = self.ledger.convictions;
        let _not_yet = self.ledger.decide(self.now, court);
        if self.ledger.convictions > before {
            self.convicted(court.0);
        }
    }

    /// A conviction is noted, and the node begins anew once it may: as if a fresh name were as good as the old, which
    /// is what a cheat would have at best.
    pub(super) fn convicted(&mut self, id: TicketId) {
        let party = &mut self.parties[id.node];
        let side = party.side;
        if let (Some(first), false) = (party.first_wrong, party.caught) {
            party.caught = true;
            if side == Side::Coalition {
                self.seen.caught_after.push(self.now - first);
            }
        }
        match side {
            Side::Coalition => self.seen.convicted += 1,
            Side::Testers => self.seen.tests_found += 1,
            Side::Others => self.seen.convicted_honest += 1,
        }
        let live = &self.ledger.nodes[id.node];
        let at = live.jailed_until.max(self.now);
        if at < self.end {
            self.queue.push(at, Event::Back(id.node));
        }
    }

    pub(super) fn back(&mut self, node: NodeIx) {
        let (task, side) = (self.parties[node].task, self.parties[node].side);
        if side == Side::Others {
            // in the place of who was innocent somebody comes who has as much: a third of the weight stays a third
            let live = &mut self.ledger.nodes[node];
            let lost = self.parties[node]
                .collateral
                .saturating_sub(live.collateral);
            live.collateral += lost;
            self.group(side).serving.paid_in += lost;
        }
        if self.ledger.nodes[node].active(self.now) {
            self.ledger.nodes[node].reputation = self.plan.market.reputation;
            self.ledger.sync(self.now, task, node);
            self.pays_gas(node);
        }
    }
}
