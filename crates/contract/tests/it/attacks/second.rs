//! Attacks that these rules themselves fell to, found when they were attacked a second time.

use super::{Tale, examiners::sampled};
use crate::world::*;
use atoma_contract::limits::POOL_REST_MS;
use atoma_types::{
    Rule as Comparison, TaskId,
    chain::{AbortCode, Event, Verdict, calls, events::Outcome},
};

/// Whoever has nearly all the weight of a task.
const TROLL: u8 = 199;

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "an_empty_pool_saves_nobody_from_an_examiner",
        an_empty_pool_saves_nobody_from_an_examiner,
    ),
    (
        "accomplices_that_resign_dissolve_no_jury",
        accomplices_that_resign_dissolve_no_jury,
    ),
    (
        "no_fine_of_jurors_is_above_what_attesters_deposit",
        no_fine_of_jurors_is_above_what_attesters_deposit,
    ),
    (
        "who_accuses_falsely_in_five_tickets_at_once_pays_every_jury",
        who_accuses_falsely_in_five_tickets_at_once_pays_every_jury,
    ),
    (
        "an_attester_with_duties_leaves_and_pays_its_fines_first",
        an_attester_with_duties_leaves_and_pays_its_fines_first,
    ),
    (
        "duties_that_are_filled_leave_no_ticket_unexamined",
        duties_that_are_filled_leave_no_ticket_unexamined,
    ),
    (
        "a_grant_is_void_once_it_is_revoked_though_no_unit_was_left",
        a_grant_is_void_once_it_is_revoked_though_no_unit_was_left,
    ),
    (
        "who_promises_after_the_purchase_examines_none_of_its_tickets",
        who_promises_after_the_purchase_examines_none_of_its_tickets,
    ),
    (
        "the_pool_of_a_task_that_is_over_is_the_treasurys",
        the_pool_of_a_task_that_is_over_is_the_treasurys,
    ),
];

/// Seen: a node that was hit claimed 26 dimes of its own that had been examined, 0.10 out of the pool and 0.025 into it each, and called
/// for its examiner in the same transaction: nobody could be paid, so nobody looked, and a ticket of any size was paid unexamined.
#[test]
fn an_empty_pool_saves_nobody_from_an_examiner() {
    let (mut w, task, chain) = sampled(10);
    let node = chain.node;
    let mut dimes: Vec<_> = (0..27)
        .map(|_| w.leased(OPERATOR, task, node, 100_000))
        .collect();
    for dime in &mut dimes {
        dime.serve(&w, 100_000);
        w.settle(dime);
        w.examined(dime, false);
    }
    w.settle(&chain);
    w.draw(&chain, true);
    w.now += DAY + 1;
    for dime in &dimes {
        let call = w.claim_call(dime.stack, node);
        w.ok(OPERATOR, call);
    }
    assert_eq!(w.task(task).dues.0, 0, "nothing is left of two USDC");
    let (unit, examiner) = w.examine(&chain);
    w.ok(OPERATOR, disclose_call(&chain, unit));
    let ok = verdict_call(chain.stack, node, chain.seq, false);
    w.ok(examiner, ok);
    // who works then has what the pool holds when the ticket ends, its own due at least
    let earned = fees_of(&w, task, examiner);
    let call = w.claim_call(chain.stack, node);
    w.ok(STRANGER, call);
    assert_eq!(fees_of(&w, task, examiner), earned + 25_000);
}

fn fees_of(w: &World, task: TaskId, party: u8) -> u64 {
    let mut offers = w.task(task).subscriptions.iter();
    let offer = offers.find(|offer| offer.owner == address(party));
    offer.unwrap().attester.unwrap().earned.0
}

/// Seen: of nine attesters, as many as a sale asks for, an accused node had two resign, whatever their weight, and called for the jury in the same
/// transaction: seven others weren't there, so it was dissolved, and the node paid.
#[test]
fn accomplices_that_resign_dissolve_no_jury() {
    let (mut w, task, chain) = sampled(9);
    w.settle(&chain);
    let (_, accuser) = w.examined(&chain, true);
    let mut others = (ATTESTERS..ATTESTERS + 9).filter(|&party| party != accuser);
    let resigned: Vec<_> = others.by_ref().take(2).collect();
    for &accomplice in &resigned {
        resign(&mut w, task, accomplice);
    }
    let mut few = w.clone();
    let members = w.seated(&chain, false);
    assert_eq!(members.len(), 6);
    let changes = w.vote(&chain, false, &members, &[Some(BAD); 6]);
    assert_eq!(convictions(&changes)[0].2, 10 * USDC);
    // who accused has its bond back, and its fee
    assert_eq!(fees_of(&w, task, accuser), 2 * USDC + 100_000);

    // less than a quorum convicts nobody, so that none is drawn
    for accomplice in others.take(2) {
        resign(&mut few, task, accomplice);
    }
    let call = few.jury_call(chain.stack, chain.node, chain.seq, false);
    let changes = few.ok(STRANGER, call);
    let [Event::JuryDecided(decided)] = &changes.events[..] else {
        panic!("{:?}", changes.events);
    };
    assert_eq!(decided.outcome, Outcome::Dissolved);
    assert_eq!(fees_of(&few, task, accuser), 2 * USDC);
}

/// Seen: a promise to examine counted from the moment it was made. A cheat's other nodes, which none of its users saw among the attesters, promised when a
/// ticket of its was hit, in the transaction that called for the examiner: with nine tenths of the weight that serves they were it in 17 cases of 20, and
/// could be the jury if not. Now who hadn't promised at the purchase is drawn for none of the stack's tickets, and a buyer sees whose weight looks.
#[test]
fn who_promises_after_the_purchase_examines_none_of_its_tickets() {
    let (mut w, task, chain) = sampled(9);
    let heavy = w.serve(TROLL, task, PRICE, 1_000_000 * USDC);
    w.settle(&chain);
    w.draw(&chain, true);
    let promise = attester_call(&w, task, heavy);
    w.ok(TROLL, promise);
    for seed in 0..20 {
        let mut w = w.clone();
        w.beacon = Some([seed; 32]);
        let (unit, examiner) = w.examine(&chain);
        assert_ne!(examiner, TROLL, "it promised for this ticket");
        w.ok(OPERATOR, disclose_call(&chain, unit));
        let bad = verdict_call(chain.stack, chain.node, chain.seq, true);
        w.ok(examiner, bad);
        w.beacon = Some([seed + 100; 32]);
        let jury = w.seated(&chain, false);
        assert_eq!(jury.len(), 7);
        assert!(jury.iter().all(|&(node, _)| node != heavy));
    }
    // whoever buys from now on sees it among the attesters, and is examined by it
    let mut later = w.leased(OPERATOR, task, chain.node, 5 * USDC);
    later.serve(&w, USDC);
    w.settle(&later);
    w.draw(&later, true);
    w.beacon = Some([7; 32]);
    assert_eq!(w.examine(&later).1, TROLL);
}

fn resign(w: &mut World, task: TaskId, party: u8) {
    let mut offers = w.task(task).subscriptions.iter();
    let offer = offers.find(|offer| offer.owner == address(party)).unwrap();
    let call = calls::ResignAttester {
        task: task.into(),
        node: offer.node.into(),
    };
    w.ok(party, call);
}

/// Seen: an attester with a duty couldn't resign. Whoever had tickets drawn often enough kept its deposit, and with it the node's collateral, for as long as it
/// liked. Now it is drawn no more from its first word on. What it was drawn for it does: a jury that sits is as large as before, and its fine comes out of
/// the deposit before anything of it comes free.
#[test]
fn an_attester_with_duties_leaves_and_pays_its_fines_first() {
    let (mut w, task, chain) = sampled(9);
    let mut other = w.leased(OPERATOR, task, chain.node, USDC);
    other.serve(&w, USDC);
    w.settle(&chain);
    w.examined(&chain, true);
    let members = w.seated(&chain, false);
    let (lazy, leaver) = members[0];
    resign(&mut w, task, leaver);
    let promise = |w: &World| w.task(task).subscription(lazy).unwrap().attester;
    let left = promise(&w).unwrap();
    assert_eq!(
        (left.active, left.stake.0, left.duties),
        (false, 8 * USDC, 1)
    );
    // neither its deposit nor the node's collateral is out before the jury's word, and it doesn't come back meanwhile
    let again = calls::ResignAttester {
        task: task.into(),
        node: lazy.into(),
    };
    w.refused(leaver, again.clone(), AbortCode::DutyOpen);
    w.refused(leaver, unsubscribe_call(task, lazy), AbortCode::DutyOpen);
    w.refused(
        leaver,
        attester_call(&w, task, lazy),
        AbortCode::AttestsAlready,
    );
    // whatever is drawn next, it isn't it
    w.settle(&other);
    let (_, examiner) = w.examined(&other, true);
    assert_ne!(examiner, leaver);
    let next = w.seated(&other, false);
    assert!(next.iter().all(|(node, _)| *node != lazy));
    let mut verdicts = [Some(BAD); 7];
    verdicts[0] = Some(Verdict::OK);
    let changes = w.vote(&chain, false, &members, &verdicts);
    assert_eq!(convictions(&changes).len(), 1);
    let fined = promise(&w).unwrap();
    assert_eq!((fined.stake.0, fined.duties), (7 * USDC, 0));
    w.ok(leaver, again);
    assert_eq!(w.earnings(lazy), 7 * USDC);
    w.ok(leaver, unsubscribe_call(task, lazy));
}

/// Seen: a juror's fine above the deposit was within all bounds. Stacks were sold as examined, for attesters were there who could be fined as
/// examiners, and none of them could be drawn for a jury: every accusation was dissolved.
#[test]
fn no_fine_of_jurors_is_above_what_attesters_deposit() {
    let mut w = World::new();
    let call = w.set_param_call("juror_fine", 8 * USDC + 1);
    w.refused(ADMIN, call, AbortCode::ParamsContradict);
    // nor above what makes one an examiner, who is counted at the sale
    let call = w.set_param_call("juror_fine", 2 * USDC + 1);
    w.refused(ADMIN, call, AbortCode::ParamsContradict);
    let call = w.set_param_call("juror_fine", 2 * USDC);
    w.ok(ADMIN, call);
    let call = w.set_param_call("examiner_fine", 2 * USDC - 1);
    w.refused(ADMIN, call, AbortCode::ParamsContradict);
}

/// Seen: a deposit pays four of an examiner's fines, and an attester could have 32 duties. One that accused falsely in five tickets at once
/// left the last jury unpaid (2.80 of 3.50 USDC). Now each accusation has its jury's pay with it.
#[test]
fn who_accuses_falsely_in_five_tickets_at_once_pays_every_jury() {
    let mut w = World::new();
    let task = w.sampling_task(Comparison::Exact, 10);
    let troll = w.serve(TROLL, task, PRICE, 1_000_000 * USDC);
    let promise = attester_call(&w, task, troll);
    w.ok(TROLL, promise);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let accused: Vec<_> = (0..5)
        .map(|_| {
            let mut chain = w.leased(OPERATOR, task, node, USDC);
            chain.serve(&w, USDC);
            w.settle(&chain);
            assert_eq!(w.examined(&chain, true).1, TROLL);
            chain
        })
        .collect();
    for chain in &accused {
        let members = w.seated(chain, false);
        w.vote(chain, false, &members, &[Some(Verdict::OK); 7]);
    }
    let offers = w.task(task).subscriptions.iter();
    let promises = offers.filter_map(|offer| offer.attester);
    let earned: u64 = promises.map(|promise| promise.earned.0).sum();
    assert_eq!(earned, 5 * 700_000);
}

/// Seen: an attester could be drawn for 32 tickets at once. Whoever filled that of all who were there, with small tickets of its own (five dues of
/// 0.025 for a hit: 36 USDC for nine attesters), had every other ticket paid unexamined for a day, whatever its size. Here eight have left, so
/// that fewer tickets do.
#[test]
fn duties_that_are_filled_leave_no_ticket_unexamined() {
    let (mut w, task, chain) = sampled(9);
    let mut filling: Vec<_> = (0..16)
        .map(|_| w.leased(OPERATOR, task, chain.node, 200_000))
        .collect();
    for party in ATTESTERS..ATTESTERS + 8 {
        resign(&mut w, task, party);
    }
    for small in &mut filling {
        for _ in 0..2 {
            small.serve(&w, 100_000);
            w.settle(small);
            w.draw(small, true);
            w.examine(small);
            small.paid();
        }
    }
    w.settle(&chain);
    w.draw(&chain, true);
    // in its first form this found nobody
    assert_eq!(w.examine(&chain).1, ATTESTERS + 8);
}

/// Seen: an owner that had granted a stack twice over, and would take the second grant back, was refused, for there was nothing
/// ungranted. When the first node gave units back, the second took them by that grant.
#[test]
fn a_grant_is_void_once_it_is_revoked_though_no_unit_was_left() {
    let mut w = World::new();
    let task = w.create_task();
    let first = w.serve(OPERATOR, task, PRICE, 100 * USDC);
    let second = w.serve(OPERATOR + 1, task, PRICE, 100 * USDC);
    let stack = w.buy(task, USDC);
    w.grant(OPERATOR, stack, first, USDC);
    let late = w.lease_call(stack, second, USDC);
    w.ok(USER, revoke_call(stack));
    w.ok(OPERATOR, release_call(stack, first, 0));
    assert_eq!(w.stack(stack).ungranted.0, USDC);
    w.refused(OPERATOR + 1, late, AbortCode::GrantRevoked);
}

/// Seen: what a pool held beyond the cost of its examinations, and what whoever created the task had put in, stayed there for ever. Now it is
/// the treasury's when no stack of the task can be left, and not sooner: nobody takes examiners their pay.
#[test]
fn the_pool_of_a_task_that_is_over_is_the_treasurys() {
    let mut w = World::new();
    let task = w.sampling_task(Comparison::Exact, 9);
    w.now += POOL_REST_MS + 1;
    w.refused(STRANGER, collect_call(task), AbortCode::NoFees);
    w.ok(ADMIN, deprecate_call(task));
    w.now += POOL_REST_MS;
    w.refused(STRANGER, collect_call(task), AbortCode::NoFees);
    w.now += 1;
    w.ok(STRANGER, collect_call(task));
    assert_eq!(w.task(task).dues.0, 0);
    assert_eq!(w.db().communal_treasury.0, 2 * USDC);
}
