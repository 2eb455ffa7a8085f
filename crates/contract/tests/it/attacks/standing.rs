//! Weight and reputation that cost nothing, or take nothing to destroy.

use super::Tale;
use crate::world::*;
use atoma_contract::draw;
use atoma_types::{
    MicroUsdc, Rule as Comparison,
    chain::{AbortCode, SubscriptionState},
};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "b1_a_node_of_a_hundred_wins_few_draws_against_ten_of_ten_thousand",
        b1_a_node_of_a_hundred_wins_few_draws_against_ten_of_ten_thousand,
    ),
    (
        "b1_units_that_nobody_uses_are_given_back_by_the_node_alone",
        b1_units_that_nobody_uses_are_given_back_by_the_node_alone,
    ),
    (
        "b2_a_node_jailed_in_one_task_gets_no_lease_in_another",
        b2_a_node_jailed_in_one_task_gets_no_lease_in_another,
    ),
    (
        "b3_leases_that_expire_take_no_reputation",
        b3_leases_that_expire_take_no_reputation,
    ),
    (
        "b3_reputation_by_deals_with_oneself_costs_what_it_weighs",
        b3_reputation_by_deals_with_oneself_costs_what_it_weighs,
    ),
    (
        "collateral_that_is_added_stands_like_a_new_nodes",
        collateral_that_is_added_stands_like_a_new_nodes,
    ),
    (
        "fresh_collateral_has_no_weight_and_cannot_leave",
        fresh_collateral_has_no_weight_and_cannot_leave,
    ),
    (
        "b8_a_collateral_below_the_minimum_takes_no_leases",
        b8_a_collateral_below_the_minimum_takes_no_leases,
    ),
    (
        "c2_a_full_task_goes_to_those_with_more_at_stake",
        c2_a_full_task_goes_to_those_with_more_at_stake,
    ),
    (
        "c2_a_duty_keeps_no_place_in_a_full_task",
        c2_a_duty_keeps_no_place_in_a_full_task,
    ),
];

/// B1. Edition 1: capacity was a free number in the weight. One node of 100 USDC and capacity 2^50 won 200 of 200 draws against
/// ten of 10,000 USDC.
#[test]
fn b1_a_node_of_a_hundred_wins_few_draws_against_ten_of_ten_thousand() {
    let mut w = World::new();
    let task = w.create_task();
    let bluff = w.serve(OPERATOR, task, 1, 100 * USDC);
    for party in 0..10 {
        w.serve(OPERATOR + 1 + party, task, PRICE, 10_000 * USDC);
    }
    let mut won = 0;
    for _ in 0..200 {
        let call = w.acquire_call(task, 10, PRICE, 1);
        let stack = bought(&w.run_unchecked(USER, call).unwrap());
        won += usize::from(w.stack(stack).candidates[0] == bluff);
    }
    // a thousandth of the weight
    assert!(won <= 3, "{won} of 200");
}

/// B1, and an earlier design with refundable grants that blocked a node's exposure for a dollar: whoever holds a lease that nobody
/// uses gives it back at once.
#[test]
fn b1_units_that_nobody_uses_are_given_back_by_the_node_alone() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 100 * USDC);
    let squatter = w.leased(OPERATOR, task, node, 10 * USDC);
    let good = w.buy(task, 10 * USDC);
    let call = w.lease_call(good, node, 10 * USDC);
    w.refused(OPERATOR, call.clone(), AbortCode::CollateralBusy);
    w.ok(OPERATOR, release_call(squatter.stack, node, 0));
    w.ok(OPERATOR, call);
    assert_eq!(w.stack(squatter.stack).ungranted.0, 10 * USDC);
}

/// B2. Edition 1: jailed in one task with reputation 0, a node was still drawn in another at full standing, and nobody called
/// `sync`. A stale copy may still be drawn; but what binds reads the node.
#[test]
fn b2_a_node_jailed_in_one_task_gets_no_lease_in_another() {
    let mut w = World::new();
    let (task, other) = (w.create_task(), w.create_task());
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    w.ok(OPERATOR, subscribe_call(other, node, PRICE));
    let mut chain = w.leased(OPERATOR, task, node, USDC);
    chain.serve(&w, USDC);
    w.settle(&chain);
    w.silence(&chain, 0);
    assert_eq!(w.subscription(other, node).state, SubscriptionState::Active);
    let call = w.acquire_call(other, 1_000, PRICE, 1);
    let stack = bought(&w.ok(USER, call));
    assert_eq!(w.stack(stack).candidates, [node]);
    let call = w.lease_call(stack, node, 1_000);
    w.refused(OPERATOR, call, AbortCode::NodeNotActive);
    // its own task knew at once, and anyone may tell the other
    assert_eq!(draw::weight(w.subscription(task, node)), 0);
    w.ok(STRANGER, sync_call(other, node));
    assert_eq!(draw::weight(w.subscription(other, node)), 0);
}

/// B3. Edition 1: ten stacks of one micro-USDC that lived a second took a node that was away for an hour from reputation 500 to 0.
#[test]
fn b3_leases_that_expire_take_no_reputation() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let chains: Vec<_> = (0..10).map(|_| w.leased(OPERATOR, task, node, 1)).collect();
    w.now += 3 * DAY;
    for chain in &chains {
        w.ok(STRANGER, expire_call(chain.stack, node));
    }
    assert_eq!(w.node(node).standing.reputation, 100);
    assert_eq!(w.collateral(node), 1_000 * USDC);
}

/// B3. Edition 1: the way back was 500 deals with oneself, at a fee of nothing. Now 900 points cost a hundredth of the collateral in
/// fees, and eighteen days.
#[test]
fn b3_reputation_by_deals_with_oneself_costs_what_it_weighs() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    for _ in 0..300 {
        let mut chain = w.leased(OPERATOR, task, node, 100);
        chain.serve(&w, 100);
        w.earn(&mut chain);
    }
    assert_eq!(w.node(node).standing.reputation, 100);
    // a claim of 100 USDC, a tenth of the collateral, brings a tenth of 900 points, of which 50 count in a day
    let mut chain = w.leased(OPERATOR, task, node, 100 * USDC);
    chain.serve(&w, 100 * USDC);
    w.earn(&mut chain);
    assert_eq!(w.node(node).standing.reputation, 150);
}

/// A reputation made with a small collateral weighs for that collateral only.
#[test]
fn collateral_that_is_added_stands_like_a_new_nodes() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 100 * USDC);
    w.edit_node(node, |node| node.standing.reputation = 1_000);
    w.ok(OPERATOR, collateral_call(node, 9_900 * USDC));
    // (1000 * 100 + 100 * 9900) / 10000
    assert_eq!(w.node(node).standing.reputation, 109);
}

/// An earlier design: collateral was borrowed for a moment around a draw.
#[test]
fn fresh_collateral_has_no_weight_and_cannot_leave() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 100 * USDC);
    let before = draw::weight(w.subscription(task, node));
    w.ok(OPERATOR, collateral_call(node, 1_000_000 * USDC));
    w.ok(STRANGER, sync_call(task, node));
    assert!(draw::weight(w.subscription(task, node)) <= before);
    w.ok(OPERATOR, unsubscribe_call(task, node));
    w.ok(OPERATOR, unbond_call(node));
    w.now += 7 * DAY - 1;
    w.refused(OPERATOR, leave_call(node), AbortCode::UnbondingNotOver);
}

/// B8. Edition 1: a collateral slashed to nothing was still active, for the minimum was looked at once.
#[test]
fn b8_a_collateral_below_the_minimum_takes_no_leases() {
    let mut w = World::new();
    let mut listed = new_task();
    listed.min_collateral = MicroUsdc(100 * USDC);
    let task = w.create_task_from(listed);
    let node = w.serve(OPERATOR, task, PRICE, 100 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, USDC);
    chain.serve(&w, USDC);
    w.settle(&chain);
    w.silence(&chain, 0);
    w.now += 3 * DAY;
    let stack = w.run(USER, w.acquire_call(task, 1_000, PRICE, 0));
    // nobody fits: the task's copy says so
    assert_eq!(stack.unwrap_err(), AbortCode::NobodyEligible);
    w.ok(OPERATOR, collateral_call(node, 9 * USDC));
    w.refused(
        OPERATOR,
        subscribe_call(task, node, PRICE),
        AbortCode::CollateralBelowTask,
    );
    w.ok(OPERATOR, collateral_call(node, USDC));
    w.ok(OPERATOR, subscribe_call(task, node, PRICE));
}

/// C. Edition 1: suspended and dust nodes kept their places in a full task.
#[test]
fn c2_a_full_task_goes_to_those_with_more_at_stake() {
    let mut w = World::new();
    let task = w.create_task();
    let dust: Vec<_> = (0..256)
        .map(|place| {
            let party = 100 + (place % 50) as u8;
            let call = register_call(party, 100 * USDC);
            let changes = w.run_unchecked(party, call).unwrap();
            let node = match &changes.events[..] {
                [atoma_types::chain::Event::NodeRegistered(event)] => event.node,
                other => panic!("{other:?}"),
            };
            w.run_unchecked(party, subscribe_call(task, node, PRICE))
                .unwrap();
            (node, party)
        })
        .collect();
    w.now += DAY;
    let (last, _) = dust[200];
    for &(node, _) in &dust {
        w.run_unchecked(STRANGER, sync_call(task, node)).unwrap();
    }
    let small = w.register(OPERATOR, 124 * USDC);
    let large = w.register(OPERATOR, 125 * USDC);
    w.now += DAY;
    w.refused(
        OPERATOR,
        subscribe_call(task, large, PRICE),
        AbortCode::SubscriptionsFull,
    );
    w.refused(
        OPERATOR,
        evict_call(task, small, last, PRICE),
        AbortCode::NotEvictable,
    );
    let (first, party) = dust[0];
    w.refused(
        party,
        evict_call(task, first, last, PRICE),
        AbortCode::SubscribedAlready,
    );
    w.ok(OPERATOR, evict_call(task, large, last, PRICE));
    assert!(w.task(task).subscription(last).is_none());
    assert_eq!(w.node(last).subscriptions, 0);
}

/// Seen: only the smallest node of a full task may be evicted, and with a duty it couldn't be. So one attester of 100 USDC, which was drawn for dimes of its
/// own again and again, kept a task shut for whoever came, however large. Now its place is another's at once; it is drawn no more, does what it was
/// drawn for, and has its deposit then.
#[test]
fn c2_a_duty_keeps_no_place_in_a_full_task() {
    let mut w = World::new();
    let task = w.sampling_task(Comparison::Exact, 9);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    for place in w.task(task).subscriptions.len()..256 {
        let party = 150 + (place % 40) as u8;
        let changes = w.run_unchecked(party, register_call(party, 200 * USDC));
        let other = match &changes.unwrap().events[..] {
            [atoma_types::chain::Event::NodeRegistered(event)] => event.node,
            other => panic!("{other:?}"),
        };
        w.run_unchecked(party, subscribe_call(task, other, PRICE))
            .unwrap();
    }
    w.now += DAY;
    for offer in w.task(task).subscriptions.clone() {
        w.run_unchecked(STRANGER, sync_call(task, offer.node))
            .unwrap();
    }
    let large = w.register(USER, 125 * USDC);
    let another = w.register(STRANGER, 1_000 * USDC);
    w.now += DAY;
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, USDC);
    w.settle(&chain);
    w.draw(&chain, true);
    let (unit, examiner) = w.examine(&chain);
    let mut offers = w.task(task).subscriptions.iter();
    let drawn = offers.find(|offer| offer.owner == address(examiner));
    let drawn = drawn.unwrap().node;

    w.ok(USER, evict_call(task, large, drawn, PRICE));
    let offer = w.task(task).subscription(drawn).unwrap();
    assert_eq!(offer.state, SubscriptionState::Evicted);
    assert!(!offer.attester.unwrap().active, "it is drawn no more");
    w.ok(STRANGER, sync_call(task, drawn));
    w.refused(
        examiner,
        subscribe_call(task, drawn, PRICE),
        AbortCode::DutyOpen,
    );
    w.refused(examiner, unsubscribe_call(task, drawn), AbortCode::DutyOpen);
    w.refused(
        STRANGER,
        evict_call(task, another, drawn, PRICE),
        AbortCode::NotSubscribed,
    );
    w.refused(
        STRANGER,
        subscribe_call(task, another, PRICE),
        AbortCode::SubscriptionsFull,
    );
    // it takes no place: where another goes, one is free
    let offers = w.task(task).subscriptions.clone();
    let leaves = offers
        .iter()
        .find(|offer| offer.matured == MicroUsdc(200 * USDC));
    let leaves = leaves.unwrap();
    let party = w.party(leaves.owner);
    w.ok(party, unsubscribe_call(task, leaves.node));
    w.ok(STRANGER, subscribe_call(task, another, PRICE));
    // what it was drawn for it does, and then it has all that it has here, whoever asks
    w.ok(OPERATOR, disclose_call(&chain, unit));
    let fine = verdict_call(chain.stack, node, chain.seq, false);
    w.ok(examiner, fine);
    w.now += DAY + 1;
    let claim = w.claim_call(chain.stack, node);
    w.ok(STRANGER, claim);
    let collect = atoma_types::chain::calls::CollectAttesterFees {
        task: task.into(),
        node: drawn.into(),
    };
    w.ok(STRANGER, collect);
    assert!(w.task(task).subscription(drawn).is_none());
    assert_eq!(w.node(drawn).subscriptions, 0);
    assert_eq!(w.node(drawn).earnings.0, 8 * USDC + 100_000);
    assert_eq!(w.task(task).subscriptions.len(), 256);
}
