/// A pause stops new business and nothing else: whatever was begun goes on and ends.
#[test_only]
module atoma::pause_tests;

use atoma::dispute;
use atoma::node;
use atoma::settlement;
use atoma::task;
use atoma::treasury;
use atoma::vectors;
use atoma::world::{Self, text};
use std::unit_test::destroy;

const SINGLE: u8 = 0;
const ANY: u8 = 2;

#[test]
fun a_node_moves_grows_and_leaves() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    db.set_param(&cap, text(b"paused"), 1);
    node.set_url(text(b"https://elsewhere.example"), &w.by(world::operator()));
    let more = w.coin(1);
    node.add_collateral(more, &w.by(world::operator()));
    task.sync(&mut node, &clock);
    task.unsubscribe(&mut node, &w.by(world::operator()));
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    clock.increment_for_testing(7 * world::day());
    node.withdraw_collateral(&clock, &mut w.by(world::operator()));
    assert!(w.paid(world::operator()) == 1_001);
    task::deprecate(&mut db, &mut task, &w.by(world::admin()));
    destroy(task);
    destroy(node);
    w.end(db, cap, clock);
}

#[test]
fun a_stack_grows_and_ends() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    db.set_param(&cap, text(b"paused"), 1);
    let payment = w.coin(3);
    stack.top_up(&mut task, payment, 2, &clock, &w.by(world::user()));
    atoma::stack::extend(&db, &mut stack, 1, &clock, &w.by(world::user()));
    stack.revoke_ungranted(&mut w.by(world::user()));
    assert!(w.paid(world::user()) == 1_503 && stack.is_closed_for_testing());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun a_stack_is_closed_and_its_silent_node_loses_it() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    db.set_param(&cap, text(b"paused"), 1);
    stack.begin_close(&clock, &mut w.by(world::user()));
    clock.increment_for_testing(world::hour() + 1);
    let ctx = &mut w.by(world::stranger());
    settlement::expire_lease(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    assert!(w.paid(world::user()) == 1_500 && stack.is_closed_for_testing());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun an_expired_stack_is_closed_by_anyone() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    db.set_param(&cap, text(b"paused"), 1);
    clock.increment_for_testing(world::day() + world::hour() + 1);
    stack.close_after_expiry(&clock, &mut w.by(world::stranger()));
    assert!(w.paid(world::user()) == 1_500);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun the_treasury_pays() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    db.set_param(&cap, text(b"treasury_payout_permille"), 1_000);
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    db.set_param(&cap, text(b"paused"), 1);
    clock.increment_for_testing(world::hour());
    let ctx = &mut w.by(world::stranger());
    settlement::claim(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    w.paid(world::operator());
    treasury::collect_fees(&mut db, &mut task);
    clock.increment_for_testing(world::day());
    treasury::report_units(&mut db, &mut node, &clock);
    clock.increment_for_testing(world::day() / 2);
    treasury::pay(&mut db, &node, &clock, &mut w.by(world::stranger()));
    assert!(w.paid(world::operator()) == 1);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun the_silent_are_convicted() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    w.demand(&mut stack, &node, 1, &clock);
    db.set_param(&cap, text(b"paused"), 1);
    clock.increment_for_testing(world::hour() + 1);
    let ctx = &mut w.by(world::stranger());
    dispute::resolve(&mut db, &mut stack, &mut task, &mut node, 1, &clock, ctx);
    assert!(stack.lease_of(object::id(&node)).is_convicted());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun who_contradicts_himself_is_convicted() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    db.set_param(&cap, text(b"paused"), 1);
    dispute::equivocation(
        &mut db,
        &mut stack,
        &mut task,
        &mut node,
        vectors::second_receipt(),
        vectors::second_receipt_signature(),
        vectors::other_receipt(),
        vectors::other_receipt_signature(),
        &clock,
        &mut w.by(world::stranger()),
    );
    assert!(stack.lease_of(object::id(&node)).is_convicted());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun the_greedy_are_convicted() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    db.set_param(&cap, text(b"paused"), 1);
    dispute::over_claim(
        &mut db,
        &mut stack,
        &mut task,
        &mut node,
        vectors::greedy_receipt(),
        vectors::greedy_receipt_signature(),
        vector[],
        vector[],
        &clock,
        &mut w.by(world::stranger()),
    );
    assert!(stack.lease_of(object::id(&node)).is_convicted());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun forgers_are_convicted() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::forged_root(), &clock);
    db.set_param(&cap, text(b"paused"), 1);
    let ctx = &mut w.by(world::stranger());
    let (record, proof) = (vectors::forged_record(), vectors::forged_proof());
    dispute::forged_request(&mut db, &mut stack, &mut task, &mut node, record, proof, &clock, ctx);
    assert!(stack.lease_of(object::id(&node)).is_convicted());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun the_administrator_ends_it() {
    let (mut w, mut db, cap, clock) = world::begin();
    db.set_param(&cap, text(b"paused"), 1);
    db.set_param(&cap, text(b"paused"), 0);
    let node = w.node(&mut db);
    destroy(node);
    w.end(db, cap, clock);
}
