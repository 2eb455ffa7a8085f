//! Duties that strangers pile up, and windows that nobody chose.

use super::Tale;
use crate::world::*;
use atoma_types::{
    ComputeUnits,
    chain::{AbortCode, LOCALNET_DB, calls},
};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "b4_eight_hundred_demands_pay_for_their_answers",
        b4_eight_hundred_demands_pay_for_their_answers,
    ),
    (
        "b10_no_network_of_worth_has_windows_that_nobody_can_keep",
        b10_no_network_of_worth_has_windows_that_nobody_can_keep,
    ),
    (
        "b10_nothing_raises_what_a_node_has_at_stake_but_its_owner",
        b10_nothing_raises_what_a_node_has_at_stake_but_its_owner,
    ),
    (
        "who_does_not_take_a_grant_loses_nothing",
        who_does_not_take_a_grant_loses_nothing,
    ),
    (
        "a_node_answers_while_storage_is_away",
        a_node_answers_while_storage_is_away,
    ),
    (
        "a_ticket_ends_whatever_its_owner_asks",
        a_ticket_ends_whatever_its_owner_asks,
    ),
];

/// B4. Edition 1: 800 demands of one node in one transaction, due in the same hour, one answer at a time: eight was a bound for a
/// ticket, not for a node. Now each pays what its answer costs, and a day is enough for all of them.
#[test]
fn b4_eight_hundred_demands_pay_for_their_answers() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chains: Vec<_> = (0..100)
        .map(|_| w.leased(OPERATOR, task, node, 8))
        .collect();
    for chain in &mut chains {
        for _ in 0..8 {
            chain.serve(&w, 1);
        }
        w.settle(chain);
        for unit in 0..8 {
            let call = w.demand_call(chain.stack, node, unit);
            w.run_unchecked(USER, call).unwrap();
        }
    }
    w.now += DAY;
    for chain in &chains {
        for unit in 0..8 {
            w.run_unchecked(OPERATOR, answer_call(chain, unit)).unwrap();
        }
    }
    w.now += 1;
    for chain in &chains {
        let call = w.claim_call(chain.stack, node);
        w.run_unchecked(STRANGER, call).unwrap();
    }
    w.check();
    assert_eq!(w.collateral(node), 1_000 * USDC);
    assert_eq!(w.earnings(node), 800 * 20_000 + 800);
}

/// B10. Edition 1: parameters at their floors (grace 0, window 0, answer window one second, bond 0) took everything from nodes that
/// never looked at them.
#[test]
fn b10_no_network_of_worth_has_windows_that_nobody_can_keep() {
    let mut w = World::new();
    for (name, value) in [
        ("dispute_window_ms", 0),
        ("answer_window_ms", 1_000),
        ("settle_grace_ms", 0),
        ("slash_delay_ms", 0),
        ("min_collateral", 0),
        ("jury_size", 3),
    ] {
        let call = w.set_param_call(name, value);
        w.refused(ADMIN, call, AbortCode::ParamTooSmall);
    }
    for (name, value) in [("fine_multiple", 31), ("demand_fee", 100_001)] {
        let call = w.set_param_call(name, value);
        w.refused(ADMIN, call, AbortCode::ParamTooLarge);
    }
    for (name, value) in [
        ("answer_window_ms", 2 * DAY),
        ("jail_ms", DAY),
        ("due", 24_999),
        ("attest_fee", 200_000),
        ("slash_delay_ms", 8 * DAY),
        // a rate and a multiple that are good enough beside each other's defaults alone, and a jury that must be of one mind
        ("sample_permille", 191),
        ("fine_multiple", 9),
        ("jury_quorum", 7),
    ] {
        let call = w.set_param_call(name, value);
        w.refused(ADMIN, call, AbortCode::ParamsContradict);
    }
    // of eight jurors five are more often liars' than bonds of a tenth make up for
    let mut larger = w.clone();
    let call = larger.set_param_call("min_attesters", 10);
    larger.ok(ADMIN, call);
    let call = larger.set_param_call("jury_size", 8);
    larger.refused(ADMIN, call.clone(), AbortCode::ParamsContradict);
    let bonds = larger.set_param_call("challenge_bond_permille", 119);
    larger.ok(ADMIN, bonds);
    larger.ok(ADMIN, call);
    // a network for development says so, from its beginning
    let development = calls::SetDevelopment {
        db: LOCALNET_DB.into(),
        cap: w.cap().into(),
    };
    w.refused(OPERATOR, development.clone(), AbortCode::NotAdmin);
    let mut fresh = w.clone();
    fresh.ok(ADMIN, development.clone());
    let call = fresh.set_param_call("answer_window_ms", 1);
    fresh.ok(ADMIN, call);
    assert!(fresh.db().development);
    w.register(OPERATOR, 100 * USDC);
    w.refused(ADMIN, development, AbortCode::InUse);
}

/// B10. Edition 1: a `Single` stack bound a node that never agreed to its terms, and `top_up` raised what it had at stake.
#[test]
fn b10_nothing_raises_what_a_node_has_at_stake_but_its_owner() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let chain = w.leased(OPERATOR, task, node, USDC);
    let before = w.node(node).at_stake;
    let call = w.top_up_call(chain.stack, 5 * USDC);
    w.ok(USER, call);
    assert_eq!(w.node(node).at_stake, before);
    let call = w.lease_call(chain.stack, node, 3 * USDC);
    w.refused(USER, call.clone(), AbortCode::NotNodeOwner);
    w.ok(OPERATOR, call);
    // and terms are those of the purchase
    for (name, value) in [("fine_multiple", 30), ("demand_fee", 0)] {
        let call = w.set_param_call(name, value);
        w.ok(ADMIN, call);
    }
    assert_eq!(w.stack(chain.stack).terms.fine_multiple, 10);
    assert_eq!(w.node(node).at_stake.0, 30 * USDC);
}

/// An earlier design: nodes went from reputation 500 to 0 by ten draws with terms that they had to refuse.
#[test]
fn who_does_not_take_a_grant_loses_nothing() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    for _ in 0..10 {
        let call = w.acquire_call(task, 1_000, PRICE, 1);
        let stack = bought(&w.ok(USER, call));
        assert_eq!(w.stack(stack).candidates, [node]);
    }
    w.now += 5 * DAY;
    assert_eq!(w.node(node).standing.reputation, 100);
    assert_eq!(w.node(node).at_stake.0, 0);
}

/// An earlier design: storage that was away for longer than the answer window convicted everybody. An answer carries the record
/// itself, and where nothing can be stored, the sealed bodies.
#[test]
fn a_node_answers_while_storage_is_away() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, USDC);
    chain.serve(&w, 1_000);
    w.settle(&chain);
    let call = w.demand_call(chain.stack, node, 0);
    w.ok(USER, call);
    let nothing = calls::AnswerDemand {
        blob: None,
        ..answer_call(&chain, 0)
    };
    w.refused(OPERATOR, nothing.clone(), AbortCode::EvidenceMissing);
    let carried = calls::AnswerDemand {
        bodies: vec![7; 900],
        ..nothing
    };
    w.ok(STRANGER, carried);
}

/// An earlier design: accomplices extended a window again and again, by a demand in its last moment.
#[test]
fn a_ticket_ends_whatever_its_owner_asks() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, USDC);
    chain.serve(&w, 1_000);
    w.settle(&chain);
    w.now += DAY;
    let call = w.demand_call(chain.stack, node, 0);
    w.ok(USER, call);
    w.now += DAY;
    let late = w.demand_call(chain.stack, node, 1);
    w.refused(USER, late, AbortCode::WindowOver);
    w.ok(OPERATOR, answer_call(&chain, 0));
    let call = w.claim_call(chain.stack, node);
    w.ok(STRANGER, call);
    assert_eq!(
        w.lease_of(chain.stack, node).paid_units,
        ComputeUnits(1_000)
    );
}
