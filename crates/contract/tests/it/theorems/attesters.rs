//! Attesters come and go, and theorem 10: what is sold as examined is examined, or its due goes back.

use super::{
    honest::juries,
    play::{ALL_ATTESTERS, Play},
};
use crate::world::*;
use atoma_contract::{Object, State, limits};
use atoma_types::{
    Address, MicroUsdc, NodeId, StackId, TaskId, TimestampMs,
    chain::{
        Exam, HitStage, Subscription, SubscriptionState, Task, Ticket, calls,
        events::{Claimed, JuryDecided, Outcome, StackAcquired, Unexamined},
    },
};

impl Play {
    /// In one task all who can resign, or all come back, or one of them does either.
    pub(super) fn attesters_come_and_go(&mut self) {
        let sampled = self.tasks[1..].to_vec();
        let task = self.one(&sampled).unwrap();
        match self.below(10) {
            0..=2 => self.all_resign(task),
            3..=6 => self.promise_again(task, 0..ALL_ATTESTERS),
            _ => {
                let place = self.below(u64::from(ALL_ATTESTERS)) as u8;
                self.resign(task, place);
                if self.chance(50) {
                    self.promise_again(task, place..place + 1);
                }
            }
        }
    }

    /// Who has a duty is drawn no more.
    pub(super) fn all_resign(&mut self, task: TaskId) {
        for place in 0..ALL_ATTESTERS {
            self.resign(task, place);
        }
    }

    fn resign(&mut self, task: TaskId, place: u8) {
        let party = ATTESTERS + place;
        let node = self.attester(task, party).node.into();
        let call = calls::ResignAttester {
            task: task.into(),
            node,
        };
        if self.try_call(party, call) {
            match self.attester(task, party).attester {
                Some(_) => self.seen.leaving += 1,
                None => self.seen.resigned += 1,
            }
        }
    }

    fn promise_again(&mut self, task: TaskId, places: std::ops::Range<u8>) {
        for place in places {
            let party = ATTESTERS + place;
            let Subscription { node, attester, .. } = self.attester(task, party);
            if attester.is_none_or(|attester| !attester.active) {
                // who was struck off leaves first
                self.resign(task, place);
                let call = attester_call(&self.w, task, node);
                self.try_call(party, call);
            }
        }
    }

    fn attester(&self, task: TaskId, party: u8) -> Subscription {
        let mut all = self.w.task(task).subscriptions.iter();
        let own = all.find(|subscription| subscription.owner == address(party));
        own.unwrap().clone()
    }

    /// Who has resigned, or was silent, isn't drawn, whatever it has yet to do; and who hadn't promised to when the stack was
    /// bought isn't, whoever calls for the draw, and when.
    pub(super) fn watch_drawn(&self, before: &State, stack: StackId, drawn: &[NodeId]) {
        let stack = self.w.stack(stack);
        let task = task_in(before, stack.task);
        for node in drawn {
            let promise = task.subscription(*node).and_then(|offer| offer.attester);
            let promise = promise.unwrap();
            assert!(promise.active, "{node} is drawn no more");
            let late = promise.since_ms > stack.created_at_ms;
            assert!(!late, "{node} wasn't there at the purchase");
        }
    }

    /// At the purchase somebody is there, and money for them.
    pub(super) fn watch_sale(&self, before: &State, event: &StackAcquired) {
        let stack = self.w.stack(event.stack);
        let Some(sampling) = &stack.terms.sampling else {
            return;
        };
        let task = task_in(before, stack.task);
        let there = able(
            task,
            stack.created_at_ms,
            sampling.examiner_fine,
            &[event.owner],
        );
        assert!(there as u64 >= self.w.db().params.min_attesters, "for sale");
        assert!(task.dues.0 >= sampling.attest_fee.0 * limits::MIN_POOL_FEES);
    }

    /// Nobody examines only where nobody could, or where two were silent.
    pub(super) fn watch_unexamined(&self, before: &State, event: &Unexamined) {
        let Some(Object::Stack(stack)) = before.get(event.stack.0) else {
            panic!("a ticket has a stack");
        };
        let lease = stack.lease(event.node).unwrap();
        let mut tickets = lease.tickets.iter();
        let ticket = tickets.find(|t| t.to_seq == event.ticket).unwrap();
        if let Exam::Hit(hit) = &ticket.exam {
            assert_eq!(hit.stage, HitStage::Examining);
            if hit.silent.is_some() {
                return;
            }
        }
        let sampling = stack.terms.sampling.as_ref().unwrap();
        let task = task_in(before, stack.task);
        let silent = usize::from(matches!(ticket.exam, Exam::Hit(_)));
        let but = [stack.owner, lease.owner];
        let there = able(task, stack.created_at_ms, sampling.examiner_fine, &but);
        assert!(there <= silent, "{there} could examine");
    }

    /// Theorem 4: whoever sat on the side of a jury that decided has its fee, whatever else there is to pay.
    pub(super) fn watch_jury(&self, before: &State, event: &JuryDecided) {
        if !matches!(event.outcome, Outcome::Guilty | Outcome::Acquitted) {
            return;
        }
        let Some(Object::Stack(stack)) = before.get(event.stack.0) else {
            panic!("a ticket has a stack");
        };
        let sampling = stack.terms.sampling.as_ref().unwrap();
        let mut tickets = stack.lease(event.node).unwrap().tickets.iter();
        let ticket = tickets.find(|t| t.to_seq == event.ticket).unwrap();
        let mut juries = juries(ticket).into_iter();
        let (jury, _) = juries.find(|(_, of)| *of == event.challenge).unwrap();
        let count = |verdict| jury.jurors.iter().filter(|j| j.verdict == verdict).count();
        let earned = |task: &Task, node| {
            let promise = task.subscription(node).and_then(|offer| offer.attester);
            promise.unwrap().earned.0
        };
        let (old, new) = (task_in(before, stack.task), self.w.task(stack.task));
        for juror in jury.jurors.iter().filter(|juror| juror.verdict.is_some()) {
            if count(juror.verdict) as u64 >= sampling.jury_quorum {
                let node = juror.auditor.node;
                let gained = earned(new, node) - earned(old, node);
                assert!(gained >= sampling.attest_fee.0, "jurors are paid");
            }
        }
    }

    /// Theorem 1: what an examiner or a jury was shown, and is paid, is a proper record.
    fn check_examined(&self, event: &Claimed, ticket: &Ticket) {
        let account = &self.accounts[&(event.stack, event.node)];
        let of_exam = match &ticket.exam {
            Exam::Hit(hit) => hit.seq,
            Exam::None | Exam::Undrawn | Exam::Drawn { .. } | Exam::Unexamined => 0,
        };
        let shown = juries(ticket).into_iter().map(|(jury, _)| jury.seq);
        for seq in shown.chain([of_exam]) {
            let proper = !account.improper.contains(&seq);
            assert!(proper, "{seq} was paid without a proper record");
        }
    }

    /// Such a ticket is paid, and its due is the owner's.
    pub(super) fn watch_claim(&mut self, before: &State, event: &Claimed) {
        let Some(Object::Stack(old)) = before.get(event.stack.0) else {
            panic!("a ticket has a stack");
        };
        let ticket = &old.lease(event.node).unwrap().tickets[0];
        self.check_examined(event, ticket);
        if ticket.exam != Exam::Unexamined {
            return;
        }
        let new = self.w.stack(event.stack);
        assert!(new.free.0 - old.free.0 >= event.due.0, "the due goes back");
        let pool = task_in(before, old.task).dues;
        assert_eq!(self.w.task(old.task).dues, pool, "and not to the pool");
        self.seen.returned += 1;
    }
}

fn task_in(state: &State, id: TaskId) -> &Task {
    match state.get(id.0) {
        Some(Object::Task(task)) => task,
        other => panic!("{other:?}"),
    }
}

/// How many could examine, by a promise no younger than the purchase, who aren't these.
fn able(task: &Task, bought_at: TimestampMs, fine: MicroUsdc, but: &[Address]) -> usize {
    let able = |subscription: &&Subscription| {
        let promise = subscription.attester.unwrap_or_default();
        promise.active
            && promise.since_ms <= bought_at
            && promise.stake >= fine
            && subscription.state == SubscriptionState::Active
            && subscription.matured.0 > 0
            && subscription.reputation > 0
            && !but.contains(&subscription.owner)
    };
    task.subscriptions.iter().filter(able).count()
}
