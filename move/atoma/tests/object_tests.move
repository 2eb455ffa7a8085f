/// Objects that don't belong together: another task than the stack's, a node that has no lease of it.
#[test_only]
module atoma::object_tests;

use atoma::db::AtomaDb;
use atoma::dispute;
use atoma::node::Node;
use atoma::settlement;
use atoma::stack::{Self, Stack};
use atoma::task::Task;
use atoma::vectors;
use atoma::world::{Self, World};
use sui::clock::Clock;

/// A task beside the one that everybody uses.
fun other_task(w: &mut World, db: &mut AtomaDb): Task {
    let ctx = &mut w.by(world::admin());
    world::create(db, 0, b"m", 0, 10_000_000, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0, ctx);
    w.last_task()
}

/// A settled lease, another task and another node.
macro fun mixed_up(
    $call: |
        &mut World,
        &mut AtomaDb,
        &mut Task,
        &mut Task,
        &mut Node,
        &mut Node,
        &mut Stack,
        &Clock,
    | -> (),
) {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    let mut other_task = other_task(&mut w, &mut db);
    let mut other_node = w.other_node(&mut db);
    $call(&mut w, &mut db, &mut task, &mut other_task, &mut node, &mut other_node, &mut stack, &clock);
    abort
}

#[test, expected_failure(abort_code = stack::EWrongTask)]
fun a_top_up_with_another_task() {
    mixed_up!(|w, _, _, other, _, _, stack, clock| {
        let payment = w.coin(3);
        stack.top_up(other, payment, 2, clock, &w.by(world::user()))
    });
}

#[test, expected_failure(abort_code = stack::EWrongTask)]
fun expired_with_another_task() {
    mixed_up!(|w, db, _, other, node, _, stack, clock| {
        settlement::expire_lease(db, stack, other, node, clock, &mut w.by(world::stranger()))
    });
}

#[test, expected_failure(abort_code = stack::ENoSuchLease)]
fun expired_for_another_node() {
    mixed_up!(|w, db, task, _, _, other, stack, clock| {
        settlement::expire_lease(db, stack, task, other, clock, &mut w.by(world::stranger()))
    });
}

#[test, expected_failure(abort_code = stack::ENoSuchLease)]
fun settled_by_another_node() {
    mixed_up!(|w, db, _, _, _, other, stack, clock| {
        world::settle_nothing(db, stack, other, clock, &w.by(world::operator()))
    });
}

#[test, expected_failure(abort_code = stack::ENoSuchLease)]
fun demanded_of_another_node() {
    mixed_up!(|w, _, _, _, _, other, stack, clock| w.demand(stack, other, 1, clock));
}

#[test, expected_failure(abort_code = stack::ENoSuchLease)]
fun answered_for_another_node() {
    mixed_up!(|w, db, _, _, node, other, stack, clock| {
        w.demand(stack, node, 2, clock);
        let blob = w.blob(true, 10, false);
        let (record, proof) = (vectors::record(), vectors::proof());
        let ctx = &mut w.by(world::stranger());
        dispute::answer(db, stack, other, &blob, record, proof, clock, ctx);
        abort
    });
}

#[test, expected_failure(abort_code = stack::ENoSuchLease)]
fun resolved_for_another_node() {
    mixed_up!(|w, db, task, _, node, other, stack, clock| {
        w.demand(stack, node, 1, clock);
        dispute::resolve(db, stack, task, other, 1, clock, &mut w.by(world::stranger()))
    });
}

#[test, expected_failure(abort_code = stack::EWrongTask)]
fun resolved_with_another_task() {
    mixed_up!(|w, db, _, other, node, _, stack, clock| {
        w.demand(stack, node, 1, clock);
        dispute::resolve(db, stack, other, node, 1, clock, &mut w.by(world::stranger()))
    });
}

#[test, expected_failure(abort_code = stack::EWrongTask)]
fun contradictions_with_another_task() {
    mixed_up!(|w, db, _, other, node, _, stack, clock| {
        dispute::equivocation(
            db,
            stack,
            other,
            node,
            vectors::second_receipt(),
            vectors::second_receipt_signature(),
            vectors::other_receipt(),
            vectors::other_receipt_signature(),
            clock,
            &mut w.by(world::stranger()),
        )
    });
}

#[test, expected_failure(abort_code = stack::ENoSuchLease)]
fun contradictions_of_another_node() {
    mixed_up!(|w, db, task, _, _, other, stack, clock| {
        dispute::equivocation(
            db,
            stack,
            task,
            other,
            vectors::second_receipt(),
            vectors::second_receipt_signature(),
            vectors::other_receipt(),
            vectors::other_receipt_signature(),
            clock,
            &mut w.by(world::stranger()),
        )
    });
}

#[test, expected_failure(abort_code = stack::EWrongTask)]
fun a_charge_by_another_task_s_tariff() {
    mixed_up!(|w, db, _, other, node, _, stack, clock| {
        dispute::over_claim(
            db,
            stack,
            other,
            node,
            vectors::greedy_receipt(),
            vectors::greedy_receipt_signature(),
            vector[],
            vector[],
            clock,
            &mut w.by(world::stranger()),
        )
    });
}
