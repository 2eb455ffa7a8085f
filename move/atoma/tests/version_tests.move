/// Every function refuses objects of another version, each that it takes; and objects are brought over once, none before
/// the notice is over. What follows those is one test for each function and object, all of one form.
#[test_only]
module atoma::version_tests;

use atoma::audit;
use atoma::bytes32;
use atoma::db::{Self, AdminCap, AtomaDb};
use atoma::dispute;
use atoma::lease;
use atoma::node::{Self, Node};
use atoma::settlement;
use atoma::stack::{Self, Stack};
use atoma::task::{Self, Task};
use atoma::ticket;
use atoma::treasury;
use atoma::vectors;
use atoma::version;
use atoma::world;
use std::unit_test::destroy;
use sui::clock::{Self, Clock};
use sui::coin::Coin;
use sui::event;
use sui::test_scenario::Scenario;
use usdc::usdc::USDC;

/// A version after this one.
const LATER: u64 = 2;
/// How long a version is announced.
const WEEK_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// The database goes over, as late as it must.
fun over(s: &mut Scenario, db: &mut AtomaDb, cap: &AdminCap) {
    let mut clock = clock::create_for_testing(s.ctx());
    db.announce(cap, &clock);
    clock.increment_for_testing(WEEK_MS);
    db.migrate(&clock);
    destroy(clock);
}

#[test]
fun objects_are_brought_over() {
    let (mut s, mut db, cap, clock, mut task, mut node, other, mut stack) = world::all();
    db.set_version_for_testing(0);
    node.set_version_for_testing(0);
    task.set_version_for_testing(0);
    stack.set_version_for_testing(0);
    over(&mut s, &mut db, &cap);
    node.migrate(&db);
    task.migrate(&db);
    stack.migrate(&db);
    db.assert_current();
    node.assert_current();
    task.assert_current();
    stack.assert_current();
    destroy(s);
    destroy(db);
    destroy(cap);
    destroy(clock);
    destroy(task);
    destroy(node);
    destroy(other);
    destroy(stack);
}

/// A stack of an older version with a ticket under way, and its parties.
fun older(): (Scenario, AtomaDb, AdminCap, Clock, Task, Node, Node, Stack) {
    let (s, mut db, cap, clock, mut task, mut node, other, mut stack) = world::all();
    let zero = bytes32::zero();
    let mut lease = lease::open(&node, 1_000_000);
    lease.set_units(1_000);
    lease.add_ticket(ticket::open(0, 900, 0, 10, zero, 0, zero, option::none(), 0, 1, false));
    stack.add_lease_for_testing(lease);
    node.restake(0, 10_000);
    db.set_version_for_testing(0);
    node.set_version_for_testing(0);
    task.set_version_for_testing(0);
    stack.set_version_for_testing(0);
    (s, db, cap, clock, task, node, other, stack)
}

#[test]
fun what_is_brought_over_goes_on_where_it_stood() {
    let (mut s, mut db, cap, clock, mut task, mut node, other, mut stack) = older();
    over(&mut s, &mut db, &cap);
    node.migrate(&db);
    task.migrate(&db);
    stack.migrate(&db);
    settlement::claim(&mut stack, &mut task, &mut node, &clock);
    node::withdraw(&mut node, @0x5, s.ctx());
    treasury::collect_fees(&mut db, &mut task, &clock);
    s.next_tx(@0x5);
    let paid = s.take_from_sender<Coin<USDC>>();
    assert!(paid.value() == 891);
    destroy(paid);
    destroy(s);
    destroy(db);
    destroy(cap);
    destroy(clock);
    destroy(task);
    destroy(node);
    destroy(other);
    destroy(stack);
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_stack_that_was_not_brought_over_is_closed() {
    let (mut s, mut db, cap, clock, mut task, mut node, _other, mut stack) = older();
    over(&mut s, &mut db, &cap);
    node.migrate(&db);
    task.migrate(&db);
    settlement::claim(&mut stack, &mut task, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_task_that_was_not_brought_over_is_closed() {
    let (mut s, mut db, cap, clock, mut task, mut node, _other, mut stack) = older();
    over(&mut s, &mut db, &cap);
    node.migrate(&db);
    stack.migrate(&db);
    settlement::claim(&mut stack, &mut task, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_node_that_was_not_brought_over_is_closed() {
    let (mut s, mut db, cap, clock, mut task, mut node, _other, mut stack) = older();
    over(&mut s, &mut db, &cap);
    task.migrate(&db);
    stack.migrate(&db);
    settlement::claim(&mut stack, &mut task, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_database_of_this_version_is_not_brought_over() {
    let (_s, mut db, _cap, clock) = world::begin();
    db.migrate(&clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_version_that_is_there_is_not_announced() {
    let (_s, mut db, cap, clock) = world::begin();
    db.announce(&cap, &clock);
    abort
}

#[test, expected_failure(abort_code = db::ENoticeNotOver)]
fun a_version_that_nobody_announced_takes_nothing_over() {
    let (mut s, mut db, _cap, _clock) = world::begin();
    let mut clock = clock::create_for_testing(s.ctx());
    db.set_version_for_testing(0);
    clock.set_for_testing(1_000_000 * WEEK_MS);
    db.migrate(&clock);
    abort
}

#[test, expected_failure(abort_code = db::ENoticeNotOver)]
fun nothing_goes_over_a_moment_before_the_notice_is_over() {
    let (mut s, mut db, cap, _clock) = world::begin();
    let mut clock = clock::create_for_testing(s.ctx());
    db.set_version_for_testing(0);
    clock.set_for_testing(5);
    db.announce(&cap, &clock);
    clock.set_for_testing(4 + WEEK_MS);
    db.migrate(&clock);
    abort
}

#[test]
fun a_version_that_is_announced_again_comes_no_later() {
    let (mut s, mut db, cap, old) = world::begin();
    let mut clock = clock::create_for_testing(s.ctx());
    db.set_version_for_testing(0);
    clock.set_for_testing(5);
    db.announce(&cap, &clock);
    assert!(event::num_events() == 1);
    clock.set_for_testing(6);
    db.announce(&cap, &clock);
    assert!(event::num_events() == 1);
    clock.set_for_testing(5 + WEEK_MS);
    db.migrate(&clock);
    db.assert_current();
    destroy(s);
    destroy(db);
    destroy(cap);
    destroy(old);
    destroy(clock);
}

/// Whoever bought a stack, or sold it, or nobody of them: none closes it to a program of the version before.
#[test, expected_failure(abort_code = version::EWrongVersion)]
fun nobody_brings_a_stack_over_before_the_database() {
    let (_s, db, _cap, _clock, _task, _node, _other, mut stack) = older();
    stack.migrate(&db);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun nobody_brings_a_task_over_before_the_database() {
    let (_s, db, _cap, _clock, mut task, _node, _other, _stack) = older();
    task.migrate(&db);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun nobody_brings_a_node_over_before_the_database() {
    let (_s, db, _cap, _clock, _task, mut node, _other, _stack) = older();
    node.migrate(&db);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_node_of_this_version_is_not_brought_over() {
    let (_s, db, _cap, _clock, _task, mut node, _other, _stack) = world::all();
    node.migrate(&db);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_task_of_this_version_is_not_brought_over() {
    let (_s, db, _cap, _clock, mut task, _node, _other, _stack) = world::all();
    task.migrate(&db);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun a_stack_of_this_version_is_not_brought_over() {
    let (_s, db, _cap, _clock, _task, _node, _other, mut stack) = world::all();
    stack.migrate(&db);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun db_set_param_of_another_db() {
    let (_s, mut db, cap, _clock, _task, _node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    db::set_param(&mut db, &cap, b"".to_string(), 0);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun db_set_development_of_another_db() {
    let (_s, mut db, cap, _clock, _task, _node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    db::set_development(&mut db, &cap);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_register_of_another_db() {
    let (mut s, mut db, _cap, clock, _task, _node, _other, _stack) = world::all();
    let coin = world::coin(&mut s, 1);
    db.set_version_for_testing(LATER);
    node::register(&mut db, coin, b"".to_string(), vector[], vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_set_url_of_another_node() {
    let (mut s, _db, _cap, _clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    node::set_url(&mut node, b"".to_string(), s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_set_keys_of_another_node() {
    let (mut s, _db, _cap, _clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    node::set_keys(&mut node, vector[], vector[], s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_attest_of_another_node() {
    let (mut s, _db, _cap, _clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    node::attest(&mut node, 0, vector[], 0, 0, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_add_collateral_of_another_db() {
    let (mut s, mut db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    let coin = world::coin(&mut s, 1);
    db.set_version_for_testing(LATER);
    node::add_collateral(&db, &mut node, coin, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_add_collateral_of_another_node() {
    let (mut s, db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    let coin = world::coin(&mut s, 1);
    node.set_version_for_testing(LATER);
    node::add_collateral(&db, &mut node, coin, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_begin_unbonding_of_another_node() {
    let (mut s, _db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    node::begin_unbonding(&mut node, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_leave_of_another_node() {
    let (mut s, _db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    node::leave(&mut node, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_withdraw_of_another_node() {
    let (mut s, _db, _cap, _clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    node::withdraw(&mut node, @0x1, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_pardon_of_another_db() {
    let (_s, mut db, cap, clock, _task, mut node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    node::pardon(&db, &cap, &mut node, 0, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_pardon_of_another_node() {
    let (_s, db, cap, clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    node::pardon(&db, &cap, &mut node, 0, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_forfeit_of_another_db() {
    let (_s, mut db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    node::forfeit(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun node_forfeit_of_another_node() {
    let (_s, mut db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    node::forfeit(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_create_of_another_db() {
    let (mut s, mut db, _cap, _clock, _task, _node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    task::create(
        &mut db,
        0,
        b"".to_string(),
        0,
        0,
        vector[],
        vector[],
        0,
        0,
        0,
        0,
        option::none(),
        s.ctx(),
    );
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_deprecate_of_another_db() {
    let (mut s, mut db, _cap, clock, mut task, _node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    task::deprecate(&mut db, &mut task, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_deprecate_of_another_task() {
    let (mut s, mut db, _cap, clock, mut task, _node, _other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    task::deprecate(&mut db, &mut task, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_fund_of_another_task() {
    let (mut s, _db, _cap, _clock, mut task, _node, _other, _stack) = world::all();
    let coin = world::coin(&mut s, 1);
    task.set_version_for_testing(LATER);
    task::fund(&mut task, coin);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_release_of_another_db() {
    let (mut s, mut db, _cap, clock, mut task, _node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    task::release(&db, &mut task, vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_release_of_another_task() {
    let (mut s, db, _cap, clock, mut task, _node, _other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    task::release(&db, &mut task, vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_withdraw_release_of_another_task() {
    let (mut s, _db, _cap, _clock, mut task, _node, _other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    task::withdraw_release(&mut task, vector[], s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_subscribe_of_another_db() {
    let (mut s, mut db, _cap, clock, mut task, mut node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    task::subscribe(&db, &mut task, &mut node, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_subscribe_of_another_task() {
    let (mut s, db, _cap, clock, mut task, mut node, _other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    task::subscribe(&db, &mut task, &mut node, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_subscribe_of_another_node() {
    let (mut s, db, _cap, clock, mut task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    task::subscribe(&db, &mut task, &mut node, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_evict_of_another_db() {
    let (mut s, mut db, _cap, clock, mut task, mut node, mut other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    task::evict(&db, &mut task, &mut node, &mut other, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_evict_of_another_task() {
    let (mut s, db, _cap, clock, mut task, mut node, mut other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    task::evict(&db, &mut task, &mut node, &mut other, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_evict_of_another_node() {
    let (mut s, db, _cap, clock, mut task, mut node, mut other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    task::evict(&db, &mut task, &mut node, &mut other, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_evict_of_another_evicted_node() {
    let (mut s, db, _cap, clock, mut task, mut node, mut other, _stack) = world::all();
    other.set_version_for_testing(LATER);
    task::evict(&db, &mut task, &mut node, &mut other, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_unsubscribe_of_another_task() {
    let (mut s, _db, _cap, _clock, mut task, mut node, _other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    task::unsubscribe(&mut task, &mut node, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_unsubscribe_of_another_node() {
    let (mut s, _db, _cap, _clock, mut task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    task::unsubscribe(&mut task, &mut node, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_sync_of_another_task() {
    let (_s, _db, _cap, clock, mut task, node, _other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    task::sync(&mut task, &node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_sync_of_another_node() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    task::sync(&mut task, &node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_attest_of_another_db() {
    let (mut s, mut db, _cap, clock, mut task, node, _other, _stack) = world::all();
    let coin = world::coin(&mut s, 1);
    db.set_version_for_testing(LATER);
    task::attest(&db, &mut task, &node, coin, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_attest_of_another_task() {
    let (mut s, db, _cap, clock, mut task, node, _other, _stack) = world::all();
    let coin = world::coin(&mut s, 1);
    task.set_version_for_testing(LATER);
    task::attest(&db, &mut task, &node, coin, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_attest_of_another_node() {
    let (mut s, db, _cap, clock, mut task, mut node, _other, _stack) = world::all();
    let coin = world::coin(&mut s, 1);
    node.set_version_for_testing(LATER);
    task::attest(&db, &mut task, &node, coin, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_resign_of_another_task() {
    let (mut s, _db, _cap, _clock, mut task, mut node, _other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    task::resign(&mut task, &mut node, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_resign_of_another_node() {
    let (mut s, _db, _cap, _clock, mut task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    task::resign(&mut task, &mut node, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_collect_of_another_task() {
    let (_s, _db, _cap, _clock, mut task, mut node, _other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    task::collect(&mut task, &mut node);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun task_collect_of_another_node() {
    let (_s, _db, _cap, _clock, mut task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    task::collect(&mut task, &mut node);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_acquire_of_another_db() {
    let (mut s, mut db, _cap, clock, task, _node, _other, _stack) = world::all();
    let coin = world::coin(&mut s, 1);
    db.set_version_for_testing(LATER);
    stack::acquire_for_testing(
        &db,
        &task,
        coin,
        0,
        0,
        0,
        vector[],
        0,
        vectors::request_key(),
        &clock,
        s.ctx(),
    );
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_acquire_of_another_task() {
    let (mut s, db, _cap, clock, mut task, _node, _other, _stack) = world::all();
    let coin = world::coin(&mut s, 1);
    task.set_version_for_testing(LATER);
    stack::acquire_for_testing(
        &db,
        &task,
        coin,
        0,
        0,
        0,
        vector[],
        0,
        vectors::request_key(),
        &clock,
        s.ctx(),
    );
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_lease_of_another_db() {
    let (mut s, mut db, _cap, clock, task, mut node, _other, mut stack) = world::all();
    db.set_version_for_testing(LATER);
    stack::lease(&db, &mut stack, &task, &mut node, vector[], vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_lease_of_another_stack() {
    let (mut s, db, _cap, clock, task, mut node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    stack::lease(&db, &mut stack, &task, &mut node, vector[], vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_lease_of_another_task() {
    let (mut s, db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    task.set_version_for_testing(LATER);
    stack::lease(&db, &mut stack, &task, &mut node, vector[], vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_lease_of_another_node() {
    let (mut s, db, _cap, clock, task, mut node, _other, mut stack) = world::all();
    node.set_version_for_testing(LATER);
    stack::lease(&db, &mut stack, &task, &mut node, vector[], vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_release_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, mut node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    stack::release(&mut stack, &mut node, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_release_of_another_node() {
    let (mut s, _db, _cap, clock, _task, mut node, _other, mut stack) = world::all();
    node.set_version_for_testing(LATER);
    stack::release(&mut stack, &mut node, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_top_up_of_another_stack() {
    let (mut s, _db, _cap, clock, task, _node, _other, mut stack) = world::all();
    let coin = world::coin(&mut s, 1);
    stack.set_version_for_testing(LATER);
    stack::top_up(&mut stack, &task, coin, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_top_up_of_another_task() {
    let (mut s, _db, _cap, clock, mut task, _node, _other, mut stack) = world::all();
    let coin = world::coin(&mut s, 1);
    task.set_version_for_testing(LATER);
    stack::top_up(&mut stack, &task, coin, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_extend_of_another_db() {
    let (mut s, mut db, _cap, clock, _task, _node, _other, mut stack) = world::all();
    db.set_version_for_testing(LATER);
    stack::extend(&db, &mut stack, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_extend_of_another_stack() {
    let (mut s, db, _cap, clock, _task, _node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    stack::extend(&db, &mut stack, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_set_watcher_of_another_stack() {
    let (mut s, _db, _cap, _clock, _task, _node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    stack::set_watcher(&mut stack, option::none(), s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_revoke_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, _node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    stack::revoke(&mut stack, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_begin_close_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, _node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    stack::begin_close(&mut stack, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun stack_withdraw_of_another_stack() {
    let (mut s, _db, _cap, _clock, _task, _node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    stack::withdraw(&mut stack, @0x1, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_settle_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    settlement::settle(
        &mut stack,
        id,
        0,
        0,
        0,
        vector[],
        vector[],
        vector[],
        vector[],
        vector[],
        &clock,
        s.ctx(),
    );
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_claim_of_another_stack() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    settlement::claim(&mut stack, &mut task, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_claim_of_another_task() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    task.set_version_for_testing(LATER);
    settlement::claim(&mut stack, &mut task, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_claim_of_another_node() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    node.set_version_for_testing(LATER);
    settlement::claim(&mut stack, &mut task, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_expire_of_another_stack() {
    let (_s, _db, _cap, clock, _task, mut node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    settlement::expire(&mut stack, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun settlement_expire_of_another_node() {
    let (_s, _db, _cap, clock, _task, mut node, _other, mut stack) = world::all();
    node.set_version_for_testing(LATER);
    settlement::expire(&mut stack, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_demand_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, node, _other, mut stack) = world::all();
    let coin = world::coin(&mut s, 1);
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    dispute::demand(&mut stack, id, 0, coin, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_answer_of_another_stack() {
    let (_s, _db, _cap, clock, _task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    dispute::answer(&mut stack, id, 0, vector[], vector[], vector[], vector[], &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_silence_of_another_stack() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    dispute::silence(&mut stack, &mut task, &mut node, 0, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_silence_of_another_task() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    task.set_version_for_testing(LATER);
    dispute::silence(&mut stack, &mut task, &mut node, 0, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_silence_of_another_node() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    node.set_version_for_testing(LATER);
    dispute::silence(&mut stack, &mut task, &mut node, 0, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_equivocation_of_another_stack() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    dispute::equivocation(
        &mut stack,
        &mut task,
        &mut node,
        vector[],
        vector[],
        vector[],
        vector[],
        &clock,
    );
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_equivocation_of_another_task() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    task.set_version_for_testing(LATER);
    dispute::equivocation(
        &mut stack,
        &mut task,
        &mut node,
        vector[],
        vector[],
        vector[],
        vector[],
        &clock,
    );
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun dispute_equivocation_of_another_node() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    node.set_version_for_testing(LATER);
    dispute::equivocation(
        &mut stack,
        &mut task,
        &mut node,
        vector[],
        vector[],
        vector[],
        vector[],
        &clock,
    );
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_draw_of_another_stack() {
    let (_s, _db, _cap, _clock, _task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    audit::draw_for_testing(&mut stack, id, 0, vectors::request_key());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_examine_of_another_stack() {
    let (_s, _db, _cap, clock, mut task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    audit::examine_for_testing(&mut stack, &mut task, id, 0, vectors::request_key(), &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_examine_of_another_task() {
    let (_s, _db, _cap, clock, mut task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    task.set_version_for_testing(LATER);
    audit::examine_for_testing(&mut stack, &mut task, id, 0, vectors::request_key(), &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_disclose_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    audit::disclose(&mut stack, id, 0, vector[], vector[], vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_verdict_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, node, _other, mut stack) = world::all();
    let coin = world::coin(&mut s, 0);
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    audit::verdict(&mut stack, id, 0, false, coin, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_challenge_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, node, _other, mut stack) = world::all();
    let coin = world::coin(&mut s, 1);
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    audit::challenge(&mut stack, id, 0, coin, 0, &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_jury_of_another_stack() {
    let (_s, _db, _cap, clock, mut task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    audit::jury_for_testing(&mut stack, &mut task, id, 0, false, vectors::request_key(), &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_jury_of_another_task() {
    let (_s, _db, _cap, clock, mut task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    task.set_version_for_testing(LATER);
    audit::jury_for_testing(&mut stack, &mut task, id, 0, false, vectors::request_key(), &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_disclose_jury_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    audit::disclose_jury(
        &mut stack,
        id,
        0,
        false,
        vector[],
        vector[],
        vector[],
        &clock,
        s.ctx(),
    );
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_commit_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    audit::commit(&mut stack, id, 0, false, id, vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_reveal_of_another_stack() {
    let (mut s, _db, _cap, clock, _task, node, _other, mut stack) = world::all();
    let id = object::id(&node);
    stack.set_version_for_testing(LATER);
    audit::reveal(&mut stack, id, 0, false, id, 0, vector[], vector[], &clock, s.ctx());
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_decide_of_another_stack() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    audit::decide(&mut stack, &mut task, &mut node, 0, false, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_decide_of_another_task() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    task.set_version_for_testing(LATER);
    audit::decide(&mut stack, &mut task, &mut node, 0, false, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_decide_of_another_node() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    node.set_version_for_testing(LATER);
    audit::decide(&mut stack, &mut task, &mut node, 0, false, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_undisclosed_of_another_stack() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    stack.set_version_for_testing(LATER);
    audit::undisclosed(&mut stack, &mut task, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_undisclosed_of_another_task() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    task.set_version_for_testing(LATER);
    audit::undisclosed(&mut stack, &mut task, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun audit_undisclosed_of_another_node() {
    let (_s, _db, _cap, clock, mut task, mut node, _other, mut stack) = world::all();
    node.set_version_for_testing(LATER);
    audit::undisclosed(&mut stack, &mut task, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_collect_fees_of_another_db() {
    let (_s, mut db, _cap, clock, mut task, _node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    treasury::collect_fees(&mut db, &mut task, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_collect_fees_of_another_task() {
    let (_s, mut db, _cap, clock, mut task, _node, _other, _stack) = world::all();
    task.set_version_for_testing(LATER);
    treasury::collect_fees(&mut db, &mut task, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_report_of_another_db() {
    let (_s, mut db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    treasury::report(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_report_of_another_node() {
    let (_s, mut db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    treasury::report(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_pay_of_another_db() {
    let (_s, mut db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    db.set_version_for_testing(LATER);
    treasury::pay(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = version::EWrongVersion)]
fun treasury_pay_of_another_node() {
    let (_s, mut db, _cap, clock, _task, mut node, _other, _stack) = world::all();
    node.set_version_for_testing(LATER);
    treasury::pay(&mut db, &mut node, &clock);
    abort
}
