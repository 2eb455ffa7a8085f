/// Every function refuses objects of another version, and objects are brought over once.
#[test_only]
module atoma::version_tests;

use atoma::dispute;
use atoma::node;
use atoma::settlement;
use atoma::stack;
use atoma::task;
use atoma::treasury;
use atoma::vectors;
use atoma::version;
use atoma::world::{Self, text};
use std::unit_test::destroy;

/// A version after this one.
const LATER: u64 = 2;

#[test]
fun objects_are_brought_over() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, 2, &clock);
    db.set_version_for_testing(0);
    version::mark_for_testing(node.uid_for_testing(), 0);
    version::mark_for_testing(task.uid_for_testing(), 0);
    version::mark_for_testing(stack.uid_for_testing(), 0);
    db.migrate(&cap);
    node.migrate();
    task.migrate();
    stack.migrate();
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_database_of_this_version_is_not_brought_over() {
    let (_w, mut db, cap, _clock) = world::begin();
    db.migrate(&cap);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_node_of_this_version_is_not_brought_over() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    node.migrate();
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_task_of_this_version_is_not_brought_over() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut task = w.task(&mut db);
    task.migrate();
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_stack_of_this_version_is_not_brought_over() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, 2, &clock);
    stack.migrate();
    abort
}

/// One call with everything at hand: `$change` makes one object another version's.
macro fun refused(
    $change: |
        &mut atoma::db::AtomaDb,
        &mut atoma::task::Task,
        &mut atoma::node::Node,
        &mut atoma::stack::Stack,
    | -> (),
    $call: |
        &mut world::World,
        &mut atoma::db::AtomaDb,
        &mut atoma::task::Task,
        &mut atoma::node::Node,
        &mut atoma::stack::Stack,
        &sui::clock::Clock,
    | -> (),
) {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, 2, &clock);
    $change(&mut db, &mut task, &mut node, &mut stack);
    $call(&mut w, &mut db, &mut task, &mut node, &mut stack, &clock);
    w.end_all(db, cap, clock, task, node, stack);
}

macro fun later_db($call: |
    &mut world::World,
    &mut atoma::db::AtomaDb,
    &mut atoma::task::Task,
    &mut atoma::node::Node,
    &mut atoma::stack::Stack,
    &sui::clock::Clock,
| -> ()) {
    refused!(|db, _, _, _| db.set_version_for_testing(LATER), $call)
}

macro fun later_task($call: |
    &mut world::World,
    &mut atoma::db::AtomaDb,
    &mut atoma::task::Task,
    &mut atoma::node::Node,
    &mut atoma::stack::Stack,
    &sui::clock::Clock,
| -> ()) {
    refused!(|_, task, _, _| version::mark_for_testing(task.uid_for_testing(), LATER), $call)
}

macro fun later_node($call: |
    &mut world::World,
    &mut atoma::db::AtomaDb,
    &mut atoma::task::Task,
    &mut atoma::node::Node,
    &mut atoma::stack::Stack,
    &sui::clock::Clock,
| -> ()) {
    refused!(|_, _, node, _| version::mark_for_testing(node.uid_for_testing(), LATER), $call)
}

macro fun later_stack($call: |
    &mut world::World,
    &mut atoma::db::AtomaDb,
    &mut atoma::task::Task,
    &mut atoma::node::Node,
    &mut atoma::stack::Stack,
    &sui::clock::Clock,
| -> ()) {
    refused!(|_, _, _, stack| version::mark_for_testing(stack.uid_for_testing(), LATER), $call)
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_register_of_a_later_db() {
    later_db!(|w, db, _, _, _, _| destroy(w.other_node(db)));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_set_url_of_a_later_node() {
    later_node!(|w, _, _, node, _, _| node.set_url(text(b"http://a"), &w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_add_collateral_of_a_later_node() {
    later_node!(|w, _, _, node, _, _| node.add_collateral(w.coin(1), &w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_begin_unbonding_of_a_later_db() {
    later_db!(|w, db, _, node, _, clock| node::begin_unbonding(db, node, clock, &w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_begin_unbonding_of_a_later_node() {
    later_node!(|w, db, _, node, _, clock| node::begin_unbonding(db, node, clock, &w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_withdraw_collateral_of_a_later_node() {
    later_node!(|w, _, _, node, _, clock| node.withdraw_collateral(clock, &mut w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_create_of_a_later_db() {
    later_db!(|w, db, task, _, _, _| destroy(w.task(db)));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_deprecate_of_a_later_db() {
    later_db!(|w, db, task, _, _, _| task::deprecate(db, task, &w.by(world::admin())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_deprecate_of_a_later_task() {
    later_task!(|w, db, task, _, _, _| task::deprecate(db, task, &w.by(world::admin())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_subscribe_of_a_later_db() {
    later_db!(|w, db, task, node, _, _| task::subscribe(db, task, node, 1, 1, &w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_subscribe_of_a_later_task() {
    later_task!(|w, db, task, node, _, _| task::subscribe(db, task, node, 1, 1, &w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_subscribe_of_a_later_node() {
    later_node!(|w, db, task, node, _, _| task::subscribe(db, task, node, 1, 1, &w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_unsubscribe_of_a_later_task() {
    later_task!(|w, _, task, node, _, _| task.unsubscribe(node, &w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_unsubscribe_of_a_later_node() {
    later_node!(|w, _, task, node, _, _| task.unsubscribe(node, &w.by(world::operator())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_sync_of_a_later_task() {
    later_task!(|_, _, task, node, _, clock| task.sync(node, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_sync_of_a_later_node() {
    later_node!(|_, _, task, node, _, clock| task.sync(node, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_acquire_of_a_later_db() {
    later_db!(|w, db, task, _, stack, clock| destroy(w.stack(db, task, 2, clock)));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_acquire_of_a_later_task() {
    later_task!(|w, db, task, _, stack, clock| destroy(w.stack(db, task, 2, clock)));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_lease_of_a_later_db() {
    later_db!(|w, db, task, node, stack, clock| w.lease(db, stack, task, node, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_lease_of_a_later_stack() {
    later_stack!(|w, db, task, node, stack, clock| w.lease(db, stack, task, node, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_lease_of_a_later_task() {
    later_task!(|w, db, task, node, stack, clock| w.lease(db, stack, task, node, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_lease_of_a_later_node() {
    later_node!(|w, db, task, node, stack, clock| w.lease(db, stack, task, node, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_top_up_of_a_later_stack() {
    later_stack!(|w, _, task, _, stack, clock| stack.top_up(task, w.coin(1), 1, clock, &w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_top_up_of_a_later_task() {
    later_task!(|w, _, task, _, stack, clock| stack.top_up(task, w.coin(1), 1, clock, &w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_extend_of_a_later_db() {
    later_db!(|w, db, _, _, stack, clock| stack::extend(db, stack, 1, clock, &w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_extend_of_a_later_stack() {
    later_stack!(|w, db, _, _, stack, clock| stack::extend(db, stack, 1, clock, &w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_revoke_ungranted_of_a_later_stack() {
    later_stack!(|w, _, _, _, stack, _| stack.revoke_ungranted(&mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_begin_close_of_a_later_stack() {
    later_stack!(|w, _, _, _, stack, clock| stack.begin_close(clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_close_after_expiry_of_a_later_stack() {
    later_stack!(|w, _, _, _, stack, clock| stack.close_after_expiry(clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_settle_of_a_later_db() {
    later_db!(|w, db, _, node, stack, clock| w.settle(db, stack, node, vectors::root(), clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_settle_of_a_later_stack() {
    later_stack!(|w, db, _, node, stack, clock| w.settle(db, stack, node, vectors::root(), clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_settle_of_a_later_node() {
    later_node!(|w, db, _, node, stack, clock| w.settle(db, stack, node, vectors::root(), clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_claim_of_a_later_db() {
    later_db!(|w, db, task, node, stack, clock| settlement::claim(db, stack, task, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_claim_of_a_later_stack() {
    later_stack!(|w, db, task, node, stack, clock| settlement::claim(db, stack, task, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_claim_of_a_later_task() {
    later_task!(|w, db, task, node, stack, clock| settlement::claim(db, stack, task, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_claim_of_a_later_node() {
    later_node!(|w, db, task, node, stack, clock| settlement::claim(db, stack, task, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_expire_lease_of_a_later_db() {
    later_db!(|w, db, task, node, stack, clock| settlement::expire_lease(db, stack, task, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_expire_lease_of_a_later_stack() {
    later_stack!(|w, db, task, node, stack, clock| settlement::expire_lease(db, stack, task, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_expire_lease_of_a_later_task() {
    later_task!(|w, db, task, node, stack, clock| settlement::expire_lease(db, stack, task, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_expire_lease_of_a_later_node() {
    later_node!(|w, db, task, node, stack, clock| settlement::expire_lease(db, stack, task, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_missing_response_of_a_later_stack() {
    later_stack!(|w, _, _, node, stack, clock| w.demand(stack, node, 1, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_missing_response_of_a_later_node() {
    later_node!(|w, _, _, node, stack, clock| w.demand(stack, node, 1, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_answer_of_a_later_db() {
    later_db!(|w, db, _, node, stack, clock| {
        let blob = w.blob(true, 10, false);
        let ctx = &mut w.by(world::user());
        dispute::answer(db, stack, node, &blob, vectors::record(), vectors::proof(), clock, ctx);
        destroy(blob)
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_answer_of_a_later_stack() {
    later_stack!(|w, db, _, node, stack, clock| {
        let blob = w.blob(true, 10, false);
        let ctx = &mut w.by(world::user());
        dispute::answer(db, stack, node, &blob, vectors::record(), vectors::proof(), clock, ctx);
        destroy(blob)
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_answer_of_a_later_node() {
    later_node!(|w, db, _, node, stack, clock| {
        let blob = w.blob(true, 10, false);
        let ctx = &mut w.by(world::user());
        dispute::answer(db, stack, node, &blob, vectors::record(), vectors::proof(), clock, ctx);
        destroy(blob)
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_resolve_of_a_later_db() {
    later_db!(|w, db, task, node, stack, clock| dispute::resolve(db, stack, task, node, 1, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_resolve_of_a_later_stack() {
    later_stack!(|w, db, task, node, stack, clock| dispute::resolve(db, stack, task, node, 1, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_resolve_of_a_later_task() {
    later_task!(|w, db, task, node, stack, clock| dispute::resolve(db, stack, task, node, 1, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_resolve_of_a_later_node() {
    later_node!(|w, db, task, node, stack, clock| dispute::resolve(db, stack, task, node, 1, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_equivocation_of_a_later_db() {
    later_db!(|w, db, task, node, stack, clock| {
        let (a, b) = (vectors::second_receipt(), vectors::second_receipt_signature());
        dispute::equivocation(db, stack, task, node, a, b, a, b, clock, &mut w.by(world::user()))
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_equivocation_of_a_later_stack() {
    later_stack!(|w, db, task, node, stack, clock| {
        let (a, b) = (vectors::second_receipt(), vectors::second_receipt_signature());
        dispute::equivocation(db, stack, task, node, a, b, a, b, clock, &mut w.by(world::user()))
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_equivocation_of_a_later_task() {
    later_task!(|w, db, task, node, stack, clock| {
        let (a, b) = (vectors::second_receipt(), vectors::second_receipt_signature());
        dispute::equivocation(db, stack, task, node, a, b, a, b, clock, &mut w.by(world::user()))
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_equivocation_of_a_later_node() {
    later_node!(|w, db, task, node, stack, clock| {
        let (a, b) = (vectors::second_receipt(), vectors::second_receipt_signature());
        dispute::equivocation(db, stack, task, node, a, b, a, b, clock, &mut w.by(world::user()))
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_over_claim_of_a_later_db() {
    later_db!(|w, db, task, node, stack, clock| {
        let (a, b) = (vectors::second_receipt(), vectors::second_receipt_signature());
        dispute::over_claim(db, stack, task, node, a, b, a, b, clock, &mut w.by(world::user()))
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_over_claim_of_a_later_stack() {
    later_stack!(|w, db, task, node, stack, clock| {
        let (a, b) = (vectors::second_receipt(), vectors::second_receipt_signature());
        dispute::over_claim(db, stack, task, node, a, b, a, b, clock, &mut w.by(world::user()))
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_over_claim_of_a_later_task() {
    later_task!(|w, db, task, node, stack, clock| {
        let (a, b) = (vectors::second_receipt(), vectors::second_receipt_signature());
        dispute::over_claim(db, stack, task, node, a, b, a, b, clock, &mut w.by(world::user()))
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_over_claim_of_a_later_node() {
    later_node!(|w, db, task, node, stack, clock| {
        let (a, b) = (vectors::second_receipt(), vectors::second_receipt_signature());
        dispute::over_claim(db, stack, task, node, a, b, a, b, clock, &mut w.by(world::user()))
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_forged_request_of_a_later_db() {
    later_db!(|w, db, task, node, stack, clock| {
        let (record, proof, ctx) = (vectors::record(), vectors::proof(), &mut w.by(world::user()));
        dispute::forged_request(db, stack, task, node, record, proof, clock, ctx)
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_forged_request_of_a_later_stack() {
    later_stack!(|w, db, task, node, stack, clock| {
        let (record, proof, ctx) = (vectors::record(), vectors::proof(), &mut w.by(world::user()));
        dispute::forged_request(db, stack, task, node, record, proof, clock, ctx)
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_forged_request_of_a_later_task() {
    later_task!(|w, db, task, node, stack, clock| {
        let (record, proof, ctx) = (vectors::record(), vectors::proof(), &mut w.by(world::user()));
        dispute::forged_request(db, stack, task, node, record, proof, clock, ctx)
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_forged_request_of_a_later_node() {
    later_node!(|w, db, task, node, stack, clock| {
        let (record, proof, ctx) = (vectors::record(), vectors::proof(), &mut w.by(world::user()));
        dispute::forged_request(db, stack, task, node, record, proof, clock, ctx)
    });
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_collect_fees_of_a_later_db() {
    later_db!(|_, db, task, _, _, _| treasury::collect_fees(db, task));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_collect_fees_of_a_later_task() {
    later_task!(|_, db, task, _, _, _| treasury::collect_fees(db, task));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_report_units_of_a_later_db() {
    later_db!(|_, db, _, node, _, clock| treasury::report_units(db, node, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_report_units_of_a_later_node() {
    later_node!(|_, db, _, node, _, clock| treasury::report_units(db, node, clock));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_pay_of_a_later_db() {
    later_db!(|w, db, _, node, _, clock| treasury::pay(db, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_pay_of_a_later_node() {
    later_node!(|w, db, _, node, _, clock| treasury::pay(db, node, clock, &mut w.by(world::user())));
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun db_set_param_of_a_later_db() {
    let (_w, mut db, cap, _clock) = world::begin();
    db.set_version_for_testing(LATER);
    db.set_param(&cap, text(b"paused"), 1);
    abort
}
