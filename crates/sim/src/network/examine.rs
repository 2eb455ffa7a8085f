//! Examiners are drawn, shown a record, and speak.

use super::{
    Network, Side,
    conduct::{Judge, Serving, Using},
    events::Event,
};
use crate::{
    dice::Purpose,
    model::{Exam, Hit, Micro, NodeIx, Stage, TicketId, Verdict},
};

/// What everyone finds who looks at a wrong record.
pub(super) const WRONG: Verdict = Verdict::Bad(1);
/// What a tester says of a good one.
const ALARM: Verdict = Verdict::Bad(2);
/// One in ten attesters is a tester's, so each raises ten times as many alarms.
const ALARMS_EACH: u64 = 10;

impl Network<'_> {
    pub(super) fn examine(&mut self, id: TicketId) {
        let number = self.ticket_number(id);
        let again = matches!(self.hit(id), Some(hit) if hit.stage == Stage::Examining);
        let seed = self.dice.beacon(
            Purpose::Examiner,
            number.0,
            number.1 | u64::from(again) << 48,
        );
        let Ok(drawn) = self.ledger.examine(self.now, id, &seed) else {
            return;
        };
        self.pays_gas(id.node);
        self.seen.verification += self.plan.market.gas;
        if drawn.is_none() {
            return;
        }
        self.seen.examined += u64::from(!again);
        let soon = self.now + self.hours(number, 0, 2);
        self.queue
            .push(self.present(id.node, soon), Event::Disclose(id));
        let late = self.now + self.plan.rules.params.answer_window_ms + 1;
        self.queue.push(late, Event::Undisclosed(id));
    }

    pub(super) fn hit(&self, id: TicketId) -> Option<Hit> {
        match self.ledger.ticket(id).ok()?.exam {
            Exam::Hit(hit) => Some(hit),
            _ => None,
        }
    }

    pub(super) fn disclose(&mut self, id: TicketId) {
        let Some(hit) = self.hit(id) else { return };
        let (record, shown) = self.record_of(id.stack, id.node, hit.unit);
        if self.parties[id.node].serving == Serving::Silent && record.wrong {
            return;
        }
        if self.ledger.disclose(self.now, id, shown).is_err() {
            return;
        }
        self.pays_gas(id.node);
        self.seen.verification += self.plan.market.gas;
        let number = self.ticket_number(id);
        let delay = self.hours((number.0, number.1 | 1 << 40), 1, 6);
        let at = self.present(hit.examiner, self.now + delay);
        let late = self.now + self.plan.rules.params.verdict_window_ms;
        self.queue.push(at, Event::Verdict(id));
        self.queue.push(late + 1, Event::Examine(id));
    }

    pub(super) fn undisclosed(&mut self, id: TicketId) {
        if self.ledger.undisclosed(self.now, id).is_ok() {
            self.convicted(id);
        }
    }

    pub(super) fn verdict(&mut self, id: TicketId) {
        let Some(hit) = self.hit(id) else { return };
        let number = self.ticket_number(id);
        let wrong = self.record_of(id.stack, id.node, hit.unit).0.wrong;
        let truth = if wrong { WRONG } else { Verdict::Ok };
        let own = self.parties[id.node].side == Side::Coalition;
        let alarms = self.plan.market.alarms_permille * ALARMS_EACH;
        let (verdict, works) = match self.parties[hit.examiner].judge {
            Judge::Honest | Judge::Copying => (truth, true),
            Judge::Lazy | Judge::Helped | Judge::False => (Verdict::Ok, false),
            Judge::Accomplice if own => (Verdict::Ok, false),
            Judge::Accomplice => (truth, true),
            Judge::Accuser if self.is_accused_falsely(id) => (WRONG, false),
            Judge::Accuser => (truth, true),
            Judge::Tester if self.dice.chance(Purpose::Whim, number, alarms) => (ALARM, true),
            Judge::Tester => (truth, true),
        };
        let owner = self.ledger.nodes[hit.examiner].owner;
        let bad = verdict != Verdict::Ok;
        let Ok(bond) = self.ledger.verdict(self.now, id, owner, bad) else {
            return;
        };
        let side = self.parties[hit.examiner].side;
        self.group(side).attesting.paid_in += bond;
        self.attested(hit.examiner, id, hit.unit, 1, works);
        if verdict != Verdict::Ok {
            self.queue.push(self.now, Event::Jury(id, false));
        } else if wrong && self.deals[id.stack].using == Using::Testing {
            self.challenge(id, hit.unit);
        }
    }

    /// What an attester spends on a duty.
    pub(super) fn attested(
        &mut self,
        attester: NodeIx,
        id: TicketId,
        unit: u64,
        calls: u64,
        works: bool,
    ) {
        let work = if works { self.work(id, unit) } else { 0 };
        let (gas, side) = (self.plan.market.gas, self.parties[attester].side);
        let account = &mut self.group(side).attesting;
        account.gas += gas * calls;
        account.work += work;
        self.seen.verification += gas * calls + work;
    }

    /// What looking at the record of a unit costs.
    fn work(&mut self, id: TicketId, unit: u64) -> Micro {
        let end = self.record_of(id.stack, id.node, unit).0.end;
        let Some(service) = self.service(id.stack, id.node) else {
            return 0;
        };
        let place = service.records.partition_point(|record| record.end < end);
        let from = self.ledger.ticket(id).map_or(0, |ticket| ticket.from);
        let begin = match place.checked_sub(1) {
            Some(before) => self.deals[id.stack]
                .services
                .iter()
                .find(|service| service.node == id.node)
                .map_or(from, |service| service.records[before].end),
            None => from,
        };
        let market = &self.plan.market;
        let share = (end - begin) * market.examination_permille / 1_000;
        share.max(market.examination_least)
    }

    /// The owner challenges a ticket; whether it could.
    pub(super) fn challenge(&mut self, id: TicketId, unit: u64) -> bool {
        let Ok(bond) = self.ledger.challenge(self.now, id, unit) else {
            return false;
        };
        let (gas, side) = (self.plan.market.gas, self.deals[id.stack].side);
        let account = &mut self.group(side).using;
        account.paid_in += bond;
        account.gas += gas;
        self.queue.push(self.now, Event::Jury(id, true));
        true
    }
}
