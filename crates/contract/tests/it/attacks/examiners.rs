//! Examinations: who is missing, lazy, lying, or bribed by garbage.

use super::Tale;
use crate::world::*;
use atoma_types::{
    Rule as Comparison, SecurityLevel,
    chain::{AbortCode, Exam, Verdict, calls},
};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "b9_nothing_is_sold_as_examined_that_nobody_examines",
        b9_nothing_is_sold_as_examined_that_nobody_examines,
    ),
    (
        "a_ticket_that_nobody_can_examine_is_paid_and_its_due_returned",
        a_ticket_that_nobody_can_examine_is_paid_and_its_due_returned,
    ),
    (
        "an_honest_ticket_is_examined_and_paid",
        an_honest_ticket_is_examined_and_paid,
    ),
    (
        "a_draw_stores_its_seed_and_is_made_once",
        a_draw_stores_its_seed_and_is_made_once,
    ),
    (
        "a_node_that_does_not_disclose_is_convicted",
        a_node_that_does_not_disclose_is_convicted,
    ),
    (
        "a_record_that_nobody_can_read_costs_no_attester_its_place",
        a_record_that_nobody_can_read_costs_no_attester_its_place,
    ),
    (
        "a_silent_examiner_is_struck_off_once_another_has_spoken",
        a_silent_examiner_is_struck_off_once_another_has_spoken,
    ),
    (
        "a_silent_examiner_is_not_drawn_for_the_same_ticket_again",
        a_silent_examiner_is_not_drawn_for_the_same_ticket_again,
    ),
    (
        "a_jury_gives_an_owner_back_what_bonds_stood_for",
        a_jury_gives_an_owner_back_what_bonds_stood_for,
    ),
    (
        "a_troll_pays_the_jury_that_it_calls",
        a_troll_pays_the_jury_that_it_calls,
    ),
    (
        "a_lazy_examiner_is_caught_by_a_test_node",
        a_lazy_examiner_is_caught_by_a_test_node,
    ),
    (
        "the_jury_judges_what_the_examiner_saw",
        the_jury_judges_what_the_examiner_saw,
    ),
    (
        "the_pool_grows_with_every_ticket",
        the_pool_grows_with_every_ticket,
    ),
];

/// A node's ticket of one USDC in a task that samples, with so many attesters.
pub(super) fn sampled(attesters: u8) -> (World, atoma_types::TaskId, Chain) {
    let mut w = World::new();
    let task = w.sampling_task(Comparison::Exact, attesters);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, 400_000);
    chain.serve(&w, 600_000);
    (w, task, chain)
}

/// B9. Edition 1: tasks with sampling were sold, with a surcharge, though nothing sampled.
#[test]
fn b9_nothing_is_sold_as_examined_that_nobody_examines() {
    let mut w = World::new();
    let task = w.sampling_task(Comparison::Exact, 8);
    w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let call = w.acquire_call(task, USDC, PRICE, 0);
    w.refused(USER, call.clone(), AbortCode::NoExaminers);
    // a ninth of the buyer's own doesn't count
    let own = w.serve(USER, task, PRICE, 100 * USDC);
    let promise = attester_call(&w, task, own);
    w.ok(USER, promise);
    w.refused(USER, call.clone(), AbortCode::NoExaminers);
    let ninth = w.serve(OPERATOR + 1, task, PRICE, 100 * USDC);
    let promise = attester_call(&w, task, ninth);
    w.ok(OPERATOR + 1, promise);
    w.ok(USER, call);
    // nor is what nobody could pay for
    let mut poor = new_task();
    poor.security = SecurityLevel::SamplingConsensus;
    let poor = w.create_task_from(poor);
    let call = w.acquire_call(poor, USDC, PRICE, 0);
    w.refused(USER, call, AbortCode::NoExaminers);
    // and confidential stacks need somebody who attests a release
    let mut sealed = new_task();
    sealed.security = SecurityLevel::ConfidentialCompute;
    let sealed = w.create_task_from(sealed);
    w.serve(OPERATOR + 2, sealed, PRICE, 1_000 * USDC);
    let call = w.acquire_call(sealed, USDC, PRICE, 0);
    w.refused(USER, call, AbortCode::NobodyEligible);
}

/// Examiners that leave after the sale: the ticket is paid, and the due for what wasn't delivered goes back.
#[test]
fn a_ticket_that_nobody_can_examine_is_paid_and_its_due_returned() {
    let (mut w, task, chain) = sampled(9);
    w.settle(&chain);
    for subscription in w.task(task).subscriptions.clone() {
        if subscription.attester.is_some() {
            let party = w.party(subscription.owner);
            let resign = calls::ResignAttester {
                task: task.into(),
                node: subscription.node.into(),
            };
            w.ok(party, resign);
        }
    }
    w.draw(&chain, true);
    let call = w.examine_call(chain.stack, chain.node, chain.seq);
    w.ok(STRANGER, call);
    w.now += DAY + 1;
    let call = w.claim_call(chain.stack, chain.node);
    w.ok(STRANGER, call);
    assert_eq!(w.free(chain.stack), 25_000);
    assert_eq!(w.earnings(chain.node), USDC - 10_000 - 25_000);
    assert_eq!(w.task(task).dues.0, 2 * USDC);
}

/// A good record passes: the examiner's fee comes from the pool, the due goes into it.
#[test]
fn an_honest_ticket_is_examined_and_paid() {
    let (mut w, task, mut chain) = sampled(9);
    w.settle(&chain);
    let call = w.claim_call(chain.stack, chain.node);
    w.refused(STRANGER, call.clone(), AbortCode::WindowNotOver);
    w.now += DAY + 1;
    w.refused(STRANGER, call.clone(), AbortCode::ExamOpen);
    let (_, examiner) = w.examined(&chain, false);
    w.ok(STRANGER, call);
    assert_eq!(w.task(task).dues.0, 2 * USDC + 25_000 - 100_000);
    let owner = address(examiner);
    let subscriptions = &w.task(task).subscriptions;
    let examiner = subscriptions.iter().find(|s| s.owner == owner).unwrap();
    let promise = examiner.attester.unwrap();
    assert_eq!((promise.earned.0, promise.duties), (100_000, 0));
    // the next one misses: paid without an examination, the due paid all the same
    chain.paid();
    chain.serve(&w, 200_000);
    w.settle(&chain);
    w.draw(&chain, false);
    let call = w.examine_call(chain.stack, chain.node, chain.seq);
    w.refused(STRANGER, call, AbortCode::Missed);
    w.now += DAY + 1;
    let call = w.claim_call(chain.stack, chain.node);
    w.ok(STRANGER, call);
    assert_eq!(w.task(task).dues.0, 2 * USDC + 50_000 - 100_000);
}

/// An earlier design: draws were retried by the gas budget, and honest ones died on hits because they were budgeted by a simulated miss.
/// The draw stores 32 bytes and does nothing else, and is made once. (Equal gas is measured in the Move VM.)
#[test]
fn a_draw_stores_its_seed_and_is_made_once() {
    let (mut w, _, chain) = sampled(9);
    w.settle(&chain);
    let mut sizes = Vec::new();
    for hit in [true, false] {
        let mut w = w.clone();
        w.draw(&chain, hit);
        let ticket = w.ticket_of(chain.stack, chain.node).unwrap();
        assert!(matches!(ticket.exam, Exam::Drawn { .. }));
        sizes.push(bcs::to_bytes(ticket).unwrap().len());
        w.refused(
            STRANGER,
            draw_call(chain.stack, chain.node, chain.seq),
            AbortCode::NotUndrawn,
        );
    }
    assert_eq!(sizes[0], sizes[1]);
}

/// Silence of the examined node.
#[test]
fn a_node_that_does_not_disclose_is_convicted() {
    let (mut w, _, chain) = sampled(9);
    w.settle(&chain);
    w.draw(&chain, true);
    w.examine(&chain);
    w.now += DAY;
    let call = w.undisclosed_call(chain.stack, chain.node);
    w.refused(STRANGER, call.clone(), AbortCode::AnswerTimeNotOver);
    w.now += 1;
    let changes = w.ok(STRANGER, call);
    assert_eq!(convictions(&changes)[0].2, 10 * USDC);
    assert_eq!(w.free(chain.stack), 5 * USDC);
}

/// The next examiner of a ticket is drawn and shown the record, and is late.
fn silent_examiner(w: &mut World, chain: &Chain) -> u8 {
    let (unit, examiner) = w.examine(chain);
    w.ok(OPERATOR, disclose_call(chain, unit));
    let call = w.examine_call(chain.stack, chain.node, chain.seq);
    w.refused(STRANGER, call, AbortCode::VerdictTimeNotOver);
    w.now += 12 * HOUR + 1;
    examiner
}

/// Owners of attesters that are drawn no more; nobody has a duty, nor lost of its deposit.
fn struck_off(w: &World, task: atoma_types::TaskId) -> Vec<u8> {
    let subscriptions = w.task(task).subscriptions.iter();
    let promises = subscriptions.filter_map(|s| Some((w.party(s.owner), s.attester?)));
    let mut struck = Vec::new();
    for (party, promise) in promises {
        assert_eq!((promise.duties, promise.stake.0), (0, 8 * USDC));
        if !promise.active {
            struck.push(party);
        }
    }
    struck
}

/// A record that is certified and can't be read: each who was shown it was struck off, two for each ticket that a cheat had
/// examined, until a task had no attester. Where nobody had anything to say nothing is known of those who were silent.
#[test]
fn a_record_that_nobody_can_read_costs_no_attester_its_place() {
    let (mut w, task, chain) = sampled(9);
    w.settle(&chain);
    w.draw(&chain, true);
    let silent = [
        silent_examiner(&mut w, &chain),
        silent_examiner(&mut w, &chain),
    ];
    assert_ne!(silent[0], silent[1]);
    let call = w.examine_call(chain.stack, chain.node, chain.seq);
    w.ok(STRANGER, call);
    let call = w.claim_call(chain.stack, chain.node);
    w.ok(STRANGER, call);
    assert!(struck_off(&w, task).is_empty());
}

/// Silence of an examiner, where the next one could read the record: it is struck off when the ticket ends.
#[test]
fn a_silent_examiner_is_struck_off_once_another_has_spoken() {
    let (mut w, task, chain) = sampled(9);
    w.settle(&chain);
    w.draw(&chain, true);
    let silent = silent_examiner(&mut w, &chain);
    let (unit, examiner) = w.examine(&chain);
    w.ok(OPERATOR, disclose_call(&chain, unit));
    let call = verdict_call(chain.stack, chain.node, chain.seq, false);
    w.ok(examiner, call);
    w.now += 24 * HOUR + 1;
    let call = w.claim_call(chain.stack, chain.node);
    w.ok(STRANGER, call);
    assert_eq!(struck_off(&w, task), [silent]);
}

/// It keeps its place until another has spoken, and isn't asked again about the same record.
#[test]
fn a_silent_examiner_is_not_drawn_for_the_same_ticket_again() {
    let (mut w, task, chain) = sampled(9);
    w.settle(&chain);
    w.draw(&chain, true);
    let silent = silent_examiner(&mut w, &chain);
    for subscription in w.task(task).subscriptions.clone() {
        let party = w.party(subscription.owner);
        if subscription.attester.is_some() && party != silent {
            let resign = calls::ResignAttester {
                task: task.into(),
                node: subscription.node.into(),
            };
            w.ok(party, resign);
        }
    }
    let call = w.examine_call(chain.stack, chain.node, chain.seq);
    w.ok(STRANGER, call);
    let ticket = w.ticket_of(chain.stack, chain.node).unwrap();
    assert_eq!(ticket.exam, Exam::Unexamined);
}

/// Whose accusation the jury judged, of a ticket that its examiner accused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    Examiners,
    /// The same, while a challenge was open.
    ExaminersBesideAChallenge,
    Owners,
}

/// A ticket of 100 USDC on a sampled task, of which an examiner with such a bond said that it is bad, and a jury, too. What
/// its owner has, and the treasury, of what was claimed.
fn convicted_with(bond: u64, judged: Judged) -> (u64, u64) {
    let mut w = World::new();
    let task = w.sampling_task(Comparison::Exact, 10);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 100 * USDC);
    chain.serve(&w, 100_000_000);
    w.settle(&chain);
    w.draw(&chain, true);
    let (unit, examiner) = w.examine(&chain);
    w.ok(OPERATOR, disclose_call(&chain, unit));
    let mut call = verdict_call(chain.stack, chain.node, chain.seq, true);
    call.bond.0.0 = bond;
    w.ok(examiner, call);
    let challenged = judged != Judged::Examiners;
    if challenged {
        let call = w.challenge_call(chain.stack, node, 17);
        assert_eq!(call.bond.0.0, 10 * USDC);
        w.ok(USER, call);
    }
    let by_challenge = judged == Judged::Owners;
    let members = w.seated(&chain, by_challenge);
    let (before, fees) = (w.free(chain.stack), w.task(task).fees.0);
    let changes = w.vote(&chain, by_challenge, &members, &[Some(BAD); 7]);
    let (_, claimed, fine, _, freed) = convictions(&changes)[0];
    assert_eq!((claimed, fine), (100 * USDC, 1_000 * USDC));
    let back = if challenged { 10 * USDC } else { 0 };
    assert_eq!(w.free(chain.stack) - before, freed);
    (freed - back, w.task(task).fees.0 - fees)
}

/// With a third of the attesters' weight a jury is the liars' one time in 22, and its owner had all answers for nothing,
/// for a bond of two USDC whatever the ticket was worth. What no bond stood for goes to the treasury.
#[test]
fn a_jury_gives_an_owner_back_what_bonds_stood_for() {
    // the bond of a ticket is rounded down, what it stood for up
    let a_fifth = (20 * USDC + 9, 80 * USDC - 9);
    assert_eq!(convicted_with(2 * USDC, Judged::Examiners), a_fifth);
    assert_eq!(
        convicted_with(10 * USDC, Judged::Examiners),
        (100 * USDC, 0)
    );
    assert_eq!(convicted_with(2 * USDC, Judged::Owners), (100 * USDC, 0));
    // each accusation for itself: two that risk a part each would win the whole
    assert_eq!(
        convicted_with(2 * USDC, Judged::ExaminersBesideAChallenge),
        a_fifth
    );
}

/// An earlier design: one troll attester forced second committees for free.
#[test]
fn a_troll_pays_the_jury_that_it_calls() {
    let (mut w, task, chain) = sampled(10);
    w.settle(&chain);
    let mut stingy = w.clone();
    let (_, troll) = w.examined(&chain, true);
    accuse_for_less(&mut stingy, &chain);
    let members = w.seated(&chain, false);
    assert!(members.iter().all(|&(_, party)| party != troll));
    w.vote(&chain, false, &members, &[Some(Verdict::OK); 7]);
    let owner = address(troll);
    let subscriptions = &w.task(task).subscriptions;
    let promise = subscriptions.iter().find(|s| s.owner == owner).unwrap();
    assert_eq!(promise.attester.unwrap().stake.0, 8 * USDC);
    // out of the bond, which it paid in with its accusation
    assert_eq!(w.task(task).fees.0, 2 * USDC - 700_000);
    let call = w.claim_call(chain.stack, chain.node);
    w.ok(STRANGER, call);
    assert_eq!(w.collateral(chain.node), 1_000 * USDC);
    let promise = w.task(task).subscriptions.iter().find(|s| s.owner == owner);
    assert_eq!(promise.unwrap().attester.unwrap().earned.0, 0);
}

/// An accusation has the examiner's fine with it, at least, and a good word nothing.
fn accuse_for_less(w: &mut World, chain: &Chain) {
    w.draw(chain, true);
    let (unit, examiner) = w.examine(chain);
    w.ok(OPERATOR, disclose_call(chain, unit));
    for bad in [false, true] {
        let mut call = verdict_call(chain.stack, chain.node, chain.seq, bad);
        call.bond.0.0 = if bad { call.bond.0.0 - 1 } else { 1 };
        w.refused(examiner, call, AbortCode::WrongBond);
    }
}

/// An earlier design: digests were given away to lazy examiners. Nothing stops a node from that; but anyone runs a throw-away node and a
/// user with a wrong record, and an examiner that passes it is fined.
#[test]
fn a_lazy_examiner_is_caught_by_a_test_node() {
    let (mut w, task, chain) = sampled(10);
    w.settle(&chain);
    let (unit, lazy) = w.examined(&chain, false);
    let call = w.challenge_call(chain.stack, chain.node, unit);
    w.ok(USER, call);
    let members = w.seated(&chain, true);
    let changes = w.vote(&chain, true, &members, &[Some(BAD); 7]);
    assert_eq!(convictions(&changes).len(), 1);
    let owner = address(lazy);
    let subscriptions = &w.task(task).subscriptions;
    let promise = subscriptions.iter().find(|s| s.owner == owner).unwrap();
    let promise = promise.attester.unwrap();
    assert_eq!((promise.stake.0, promise.earned.0), (6 * USDC, 0));
}

/// An earlier design: garbage keys for one attester, and good ones for others. The jury makes the first wrap again, and judges the
/// record that the examiner was shown.
#[test]
fn the_jury_judges_what_the_examiner_saw() {
    let (mut w, _, chain) = sampled(10);
    // a second record over the same units, to be shown to whoever looks again
    let mut chain = chain;
    chain.serve_with(&w, 600_000, |header, receipt| {
        header.ceiling.0 = 1_000_000;
        receipt.cumulative_units.0 = 1_000_000;
    });
    w.settle(&chain);
    let (unit, _) = w.examined(&chain, true);
    let call = w.jury_call(chain.stack, chain.node, chain.seq, false);
    w.ok(STRANGER, call);
    let mut call = disclose_jury_call(&chain, unit, 7, false);
    if unit >= 400_000 {
        let other = chain.prove(2);
        (call.record, call.proof) = other;
        w.refused(OPERATOR, call.clone(), AbortCode::ReceiptWrongSeq);
        call = disclose_jury_call(&chain, unit, 7, false);
    }
    w.ok(OPERATOR, call.clone());
    w.refused(OPERATOR, call, AbortCode::NotDisclosing);
}

/// Dues pay for examinations, so that no cycle of one's own tickets and attesters takes anything out of the pool on average.
#[test]
fn the_pool_grows_with_every_ticket() {
    let params = World::new().db().params.clone();
    let spent = params.sample_permille * params.attest_fee / 1_000;
    assert!(params.due * 4 >= spent * 5);
    // five tickets, one of which is hit, as one in five is
    let (mut w, task, first) = sampled(10);
    for place in 0..5 {
        let before = w.task(task).dues.0;
        let mut chain = w.leased(OPERATOR, task, first.node, USDC);
        chain.serve(&w, USDC);
        w.settle(&chain);
        if place == 2 {
            w.examined(&chain, false);
        } else {
            w.draw(&chain, false);
        }
        w.now += DAY + 1;
        let call = w.claim_call(chain.stack, chain.node);
        w.ok(STRANGER, call);
        let after = w.task(task).dues.0;
        let paid = if place == 2 { params.attest_fee } else { 0 };
        assert_eq!(after, before + params.due - paid, "ticket {place}");
    }
}
