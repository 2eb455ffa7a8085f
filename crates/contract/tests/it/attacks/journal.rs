//! Nodes that lose their journal, are jailed, or rotate their keys.

use super::Tale;
use super::convictions::twice_for_one_request;
use crate::world::*;
use atoma_types::{
    chain::{AbortCode, NodeStatus, calls},
    message::Receipt,
};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "a3_a_node_without_its_journal_goes_on_from_the_ledger_and_is_convicted_of_nothing",
        a3_a_node_without_its_journal_goes_on_from_the_ledger_and_is_convicted_of_nothing,
    ),
    (
        "a_node_restored_from_yesterdays_backup_loses_a_day_and_nothing_else",
        a_node_restored_from_yesterdays_backup_loses_a_day_and_nothing_else,
    ),
    (
        "a4_a_jailed_node_settles_claims_and_answers_for_its_other_leases",
        a4_a_jailed_node_settles_claims_and_answers_for_its_other_leases,
    ),
    (
        "b13_a_stolen_key_is_rotated_and_convicts_nobody_on_what_is_paid",
        b13_a_stolen_key_is_rotated_and_convicts_nobody_on_what_is_paid,
    ),
    (
        "c7_a_record_of_another_model_above_tariff_or_order_backs_no_unit",
        c7_a_record_of_another_model_above_tariff_or_order_backs_no_unit,
    ),
];

/// A3. Edition 1: a node that had lost or restored its journal began its old lease at `seq` 1 again and was convicted of
/// equivocation: a stack of $0.50 cost $50. Two processes with one key did the same.
#[test]
fn a3_a_node_without_its_journal_goes_on_from_the_ledger_and_is_convicted_of_nothing() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 10 * USDC);
    chain.serve(&w, USDC);
    chain.serve(&w, USDC);
    w.earn(&mut chain);
    // a day's work that was neither settled nor backed up
    let mut lost = chain.clone();
    lost.serve(&w, 3 * USDC);
    let forgotten = lost.last_receipt();

    let mut fresh = Chain::resumed(&w, chain.stack, node, USER, OPERATOR);
    fresh.serve(&w, USDC);
    w.settle(&fresh);
    // two receipts for one seq are no proof of anything: nobody was charged twice
    let call = w.equivocation_call(chain.stack, node, forgotten, fresh.last_receipt());
    w.refused(USER, call, AbortCode::ReceiptsAgree);
    for unit in [2 * USDC, 3 * USDC - 1] {
        let call = w.demand_call(chain.stack, node, unit);
        w.ok(USER, call);
        w.ok(OPERATOR, answer_call(&fresh, unit));
    }
    w.now += DAY + 1;
    let call = w.claim_call(chain.stack, node);
    w.ok(STRANGER, call);
    assert_eq!(w.collateral(node), 1_000 * USDC);
    // it lost what it had not settled, and nothing else
    assert_eq!(w.lease_of(chain.stack, node).paid_units.0, 3 * USDC);
}

/// A3, and an earlier design with journal ids, which the backup contained: a node restored from yesterday's backup, whose
/// journal knows receipts that are paid already.
#[test]
fn a_node_restored_from_yesterdays_backup_loses_a_day_and_nothing_else() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 10 * USDC);
    chain.serve(&w, USDC);
    let backup = chain.clone();
    chain.serve(&w, USDC);
    w.earn(&mut chain);
    // what the backup would settle is paid already
    let call = backup.settle_call();
    w.refused(OPERATOR, call, AbortCode::NothingClaimed);
    let mut resumed = Chain::resumed(&w, chain.stack, node, USER, OPERATOR);
    resumed.serve(&w, 2 * USDC);
    w.earn(&mut resumed);
    assert_eq!(w.lease_of(chain.stack, node).paid_units.0, 4 * USDC);
    assert_eq!(w.collateral(node), 1_000 * USDC);
}

/// A4. Edition 1: a jailed node could not settle, claim or answer for its other leases, so one conviction became many.
#[test]
fn a4_a_jailed_node_settles_claims_and_answers_for_its_other_leases() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut bad = w.leased(OPERATOR, task, node, USDC);
    let mut good = w.leased(OPERATOR, task, node, 5 * USDC);
    bad.serve(&w, USDC);
    good.serve(&w, USDC);
    w.settle(&bad);
    let stack = w.buy(task, 1_000);
    let call = w.lease_call(stack, node, 1_000);
    let mut lease = w.clone();
    lease.ok(OPERATOR, call);
    w.silence(&bad, 0);
    assert!(matches!(w.node(node).status, NodeStatus::Jailed { .. }));
    let mut later = w.clone();
    later.now = w.stack(stack).created_at_ms.0 + HOUR;
    let call = later.lease_call(stack, node, 1_000);
    later.refused(OPERATOR, call, AbortCode::NodeNotActive);

    w.settle(&good);
    let call = w.demand_call(good.stack, node, 3);
    w.ok(USER, call);
    w.ok(OPERATOR, answer_call(&good, 3));
    w.now += DAY + 1;
    let call = w.claim_call(good.stack, node);
    w.ok(OPERATOR, call);
    w.ok(OPERATOR, withdraw_node_call(node, OPERATOR));
    // and when its time is over it is active without anybody's call
    w.now += 2 * DAY;
    w.ok(OPERATOR, subscribe_call(task, node, PRICE));
}

/// B13. Edition 1: the hot response key was worth half of the collateral, on leases long over, and could not be rotated.
#[test]
fn b13_a_stolen_key_is_rotated_and_convicts_nobody_on_what_is_paid() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, USDC);
    w.earn(&mut chain);
    chain.serve(&w, 1);
    let (first, second) = twice_for_one_request(&w, &chain);
    // nothing waits to be paid, so nothing can be void
    let call = w.equivocation_call(chain.stack, node, first, second);
    w.refused(STRANGER, call, AbortCode::NoTicket);

    let thief = 77;
    let rotate = calls::SetNodeKeys {
        node: node.into(),
        response_key: key(thief).public_key(),
        sealing_key: None,
    };
    w.ok(OPERATOR, rotate);
    // open leases keep the key that they began with
    assert_eq!(
        w.lease_of(chain.stack, node).key,
        key(OPERATOR).public_key()
    );
    let stack = w.buy(task, USDC);
    w.grant(OPERATOR, stack, node, USDC);
    assert_eq!(w.lease_of(stack, node).key, key(thief).public_key());
    // the old key opens nothing on the new lease
    let mut old = Chain::new(stack, node, USER, OPERATOR);
    old.serve(&w, 1_000);
    w.refused(OPERATOR, old.settle_call(), AbortCode::ReceiptBadSignature);
}

/// C. Edition 1: a receipt for another model than the task's convicted nobody. (And counts above tariff or order were proofs of
/// their own; now they are records that back no unit.)
#[test]
fn c7_a_record_of_another_model_above_tariff_or_order_backs_no_unit() {
    type Change = fn(&mut Receipt);
    let changes: [(Change, AbortCode); 3] = [
        (
            |receipt| receipt.engine.model = atoma_types::hash::Hash32([1; 32]),
            AbortCode::ReceiptWrongEngine,
        ),
        (
            |receipt| receipt.usage.output -= 1,
            AbortCode::RecordOverTariff,
        ),
        (
            |receipt| {
                receipt.units.0 += 1;
                receipt.usage.output += 1;
                receipt.cumulative_units.0 += 1;
            },
            AbortCode::RecordOverOrder,
        ),
    ];
    for (change, code) in changes {
        let mut w = World::new();
        let task = w.create_task();
        let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
        let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
        chain.serve_with(&w, 1_000, |header, receipt| {
            header.ceiling.0 += 1;
            change(receipt);
        });
        w.settle(&chain);
        let call = w.demand_call(chain.stack, node, 500);
        w.ok(USER, call);
        w.refused(OPERATOR, answer_call(&chain, 500), code);
        w.now += 25 * HOUR;
        let call = w.silence_call(chain.stack, node, 500);
        w.ok(STRANGER, call);
    }
}
