#[test_only]
module atoma::stack_tests;

use atoma::db;
use atoma::draw;
use atoma::money;
use atoma::node;
use atoma::verified;
use atoma::stack::{Self, Leased, StackAcquired};
use atoma::task;
use atoma::vectors;
use atoma::world::{Self, text};
use std::unit_test::destroy;
use sui::event;

const MAX_UNITS: u64 = 1 << 50;
const SINGLE: u8 = 0;
const LIMITED: u8 = 1;
const ANY: u8 = 2;

// === buying ===

#[test]
fun a_single_stack_is_leased_to_its_node() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let stack = w.stack(&db, &mut task, SINGLE, &clock);
    assert!(stack.escrow_for_testing() == 1_500);
    assert!(stack.lease_of(object::id(&node)).units() == 1_000);
    assert!(stack.lease_of(object::id(&node)).price() == 1_000_000);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun the_beacon_draws() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let beacon = w.beacon();
    let payment = w.coin(1_500);
    let ctx = &mut w.by(world::user());
    stack::acquire_by_beacon_for_testing(
        &db,
        &mut task,
        payment,
        1_000,
        1_500_000,
        SINGLE,
        0,
        vectors::request_key(),
        world::day(),
        &beacon,
        &clock,
        ctx,
    );
    assert!(event::events_by_type<StackAcquired>().length() == 1);
    assert!(event::events_by_type<Leased>().length() == 1);
    destroy(beacon);
    destroy(node);
    destroy(task);
    w.end(db, cap, clock);
}

/// Buys at a task of this level, with one node of 10 000 units at a price of 1.
macro fun buy(
    $level: u8,
    $payment: u64,
    $units: u64,
    $max_price: u64,
    $selection: u8,
    $nodes: u8,
    $lifetime: u64,
) {
    let (mut w, mut db, cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task_of(&mut db, $level);
    task::subscribe(&db, &mut task, &mut node, 1_000_000, 10_000, &w.by(world::operator()));
    let payment = w.coin($payment);
    let ctx = &mut w.by(world::user());
    world::acquire(
        &db,
        &mut task,
        payment,
        $units,
        $max_price,
        $selection,
        $nodes,
        $lifetime,
        &clock,
        ctx,
    );
    destroy(node);
    destroy(task);
    w.end(db, cap, clock);
}

#[test]
fun the_smallest_and_the_shortest() { buy!(0, 1, 1, 1_000_000, ANY, 0, 1_000); }

#[test]
fun the_longest() { buy!(0, 10_000, 10_000, 1_000_000, SINGLE, 0, 90 * 86_400_000); }

#[test]
fun audits_are_escrowed() { buy!(1, 1_020, 1_000, 1_000_000, LIMITED, 1, 1_000); }

#[test, expected_failure(abort_code = stack::ESelectionInvalid)]
fun an_unknown_selection() { buy!(0, 1_000, 1_000, 1_000_000, 3, 0, 1_000); }

#[test, expected_failure(abort_code = stack::ENodeCountInvalid)]
fun one_of_one() { buy!(0, 1_000, 1_000, 1_000_000, SINGLE, 1, 1_000); }

#[test, expected_failure(abort_code = stack::ENodeCountInvalid)]
fun limited_to_none() { buy!(0, 1_000, 1_000, 1_000_000, LIMITED, 0, 1_000); }

#[test, expected_failure(abort_code = stack::ENodeCountInvalid)]
fun limited_to_seventeen() { buy!(0, 1_000, 1_000, 1_000_000, LIMITED, 17, 1_000); }

#[test, expected_failure(abort_code = stack::EUnitsInvalid)]
fun no_units() { buy!(0, 0, 0, 1_000_000, ANY, 0, 1_000); }

#[test, expected_failure(abort_code = stack::EUnitsInvalid)]
fun too_many_units() { buy!(0, 0, MAX_UNITS + 1, 1_000_000, ANY, 0, 1_000); }

#[test, expected_failure(abort_code = stack::EMaxPriceInvalid)]
fun for_nothing() { buy!(0, 0, 1_000, 0, ANY, 0, 1_000); }

#[test, expected_failure(abort_code = stack::EMaxPriceInvalid)]
fun above_the_ceiling() { buy!(0, 10_000, 1_000, 10_000_001, ANY, 0, 1_000); }

#[test, expected_failure(abort_code = stack::ELifetimeInvalid)]
fun too_short() { buy!(0, 1_000, 1_000, 1_000_000, ANY, 0, 999); }

#[test, expected_failure(abort_code = stack::ELifetimeInvalid)]
fun too_long() { buy!(0, 1_000, 1_000, 1_000_000, ANY, 0, 90 * 86_400_000 + 1); }

#[test, expected_failure(abort_code = stack::EEscrowZero)]
fun a_stack_that_costs_nothing() { buy!(0, 0, 1, 999_999, ANY, 0, 1_000); }

#[test, expected_failure(abort_code = stack::EWrongPayment)]
fun one_too_little() { buy!(0, 999, 1_000, 1_000_000, ANY, 0, 1_000); }

#[test, expected_failure(abort_code = stack::EWrongPayment)]
fun one_too_much() { buy!(0, 1_001, 1_000, 1_000_000, ANY, 0, 1_000); }

#[test, expected_failure(abort_code = stack::ENobodyEligible)]
fun nobody_is_so_cheap() { buy!(0, 999, 1_000, 999_999, ANY, 0, 1_000); }

#[test, expected_failure(abort_code = stack::ENobodyEligible)]
fun nobody_has_so_much_room() { buy!(0, 10_001, 10_001, 1_000_000, SINGLE, 0, 1_000); }

#[test, expected_failure(abort_code = stack::ENobodyEligible)]
fun nobody_is_attested() { buy!(3, 1_020, 1_000, 1_000_000, ANY, 0, 1_000); }

#[test, expected_failure(abort_code = draw::ETooFewEligible)]
fun two_of_one() { buy!(0, 1_000, 1_000, 1_000_000, LIMITED, 2, 1_000); }

#[test, expected_failure(abort_code = db::EPaused)]
fun nobody_buys_in_a_pause() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    db.set_param(&cap, text(b"paused"), 1);
    let _stack = w.stack(&db, &mut task, ANY, &clock);
    abort
}

#[test, expected_failure(abort_code = task::ETaskDeprecated)]
fun nobody_buys_of_what_has_ended() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    task::deprecate(&mut db, &mut task, &w.by(world::admin()));
    let _stack = w.stack(&db, &mut task, ANY, &clock);
    abort
}

#[test, expected_failure(abort_code = stack::ERequestKeyInvalid)]
fun a_request_key_of_another_length() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let payment = w.coin(1_000);
    let ctx = &mut w.by(world::user());
    stack::acquire_for_testing(
        &db, &mut task, payment, 1_000, 1_000_000, ANY, 0, x"01", 1_000, vector[], &clock, ctx,
    );
    abort
}

#[test, expected_failure(abort_code = money::EEscrowOverflow)]
fun more_than_all_the_money() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let ctx = &mut w.by(world::admin());
    let most = 18_446_744_073_709_551_615;
    world::create(&mut db, 0, b"m", 0, most, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0, ctx);
    let mut task = w.last_task();
    let payment = w.coin(1);
    let ctx = &mut w.by(world::user());
    world::acquire(&db, &mut task, payment, MAX_UNITS, most, ANY, 0, 1_000, &clock, ctx);
    abort
}

// === leasing ===

#[test]
fun a_grant_is_taken_to_the_ledger() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, LIMITED, &clock);
    assert!(stack.candidates_for_testing() == vector[object::id(&node)]);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    assert!(stack.lease_of(object::id(&node)).units() == 100);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test, expected_failure(abort_code = stack::EGrantNotHigher)]
fun a_grant_counts_once() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    abort
}

#[test, expected_failure(abort_code = db::EPaused)]
fun no_lease_in_a_pause() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    db.set_param(&cap, text(b"paused"), 1);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    abort
}

#[test, expected_failure(abort_code = node::ENotNodeOwner)]
fun a_stranger_takes_no_grant() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    let ctx = &w.by(world::stranger());
    let (grant, signature) = (vectors::grant(), vectors::grant_signature());
    stack::lease(&db, &mut stack, &mut task, &node, grant, signature, &clock, ctx);
    abort
}

#[test, expected_failure(abort_code = stack::EWrongTask)]
fun no_lease_of_another_task() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    let ctx = &mut w.by(world::admin());
    world::create(&mut db, 0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0, ctx);
    let mut other = w.last_task();
    w.lease(&db, &mut stack, &mut other, &node, &clock);
    abort
}

#[test, expected_failure(abort_code = stack::ESingleTakesNoGrants)]
fun no_grants_of_a_single_stack() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    abort
}

#[test, expected_failure(abort_code = stack::EStackExpired)]
fun no_lease_at_the_end() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    clock.increment_for_testing(world::day());
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    abort
}

#[test]
fun a_lease_in_the_last_moment() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    clock.increment_for_testing(world::day() - 1);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test, expected_failure(abort_code = node::ENodeNotActive)]
fun the_jailed_lease_nothing() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    node.jail(clock.timestamp_ms() + 1);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    abort
}

#[test, expected_failure(abort_code = stack::ELeasesFull)]
fun the_33rd_lease() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    stack.fill_for_testing(object::id_from_address(@0x1));
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    abort
}

#[test, expected_failure(abort_code = verified::EGrantBadSignature)]
fun a_grant_that_nobody_signed() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    let ctx = &w.by(world::operator());
    let (grant, signature) = (vectors::grant(), vectors::first_receipt_signature());
    stack::lease(&db, &mut stack, &mut task, &node, grant, signature, &clock, ctx);
    abort
}

#[test, expected_failure(abort_code = verified::EGrantInvalid)]
fun a_receipt_is_no_grant() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    let ctx = &w.by(world::operator());
    let (grant, signature) = (vectors::first_receipt(), vectors::first_receipt_signature());
    stack::lease(&db, &mut stack, &mut task, &node, grant, signature, &clock, ctx);
    abort
}

#[test, expected_failure(abort_code = verified::EGrantWrongNode)]
fun a_grant_to_another_node() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let other = w.other_node(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    w.lease(&db, &mut stack, &mut task, &other, &clock);
    abort
}

// === growing ===

#[test]
fun a_top_up_grows_the_lease_of_a_single_stack() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    let payment = w.coin(13_500);
    stack.top_up(&mut task, payment, 9_000, &clock, &w.by(world::user()));
    assert!(stack.escrow_for_testing() == 15_000);
    assert!(stack.lease_of(object::id(&node)).units() == 10_000);
    w.end_all(db, cap, clock, task, node, stack);
}

/// Tops up a stack of 1000 units.
macro fun top_up($selection: u8, $sender: address, $payment: u64, $units: u64, $wait: u64) {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, $selection, &clock);
    clock.increment_for_testing($wait);
    let payment = w.coin($payment);
    stack.top_up(&mut task, payment, $units, &clock, &w.by($sender));
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun a_top_up_by_one_in_the_last_moment() { top_up!(ANY, world::user(), 1, 1, 86_399_999); }

#[test, expected_failure(abort_code = stack::ENotStackOwner)]
fun a_stranger_tops_nothing_up() { top_up!(ANY, world::stranger(), 1, 1, 0); }

#[test, expected_failure(abort_code = stack::EUnitsInvalid)]
fun a_top_up_of_nothing() { top_up!(ANY, world::user(), 0, 0, 0); }

#[test, expected_failure(abort_code = stack::EUnitsInvalid)]
fun a_top_up_past_the_end() { top_up!(ANY, world::user(), 0, 18_446_744_073_709_551_615, 0); }

#[test, expected_failure(abort_code = stack::EWrongPayment)]
fun a_top_up_paid_wrongly() { top_up!(ANY, world::user(), 2, 1, 0); }

#[test, expected_failure(abort_code = stack::EStackExpired)]
fun a_top_up_at_the_end() { top_up!(ANY, world::user(), 1, 1, 86_400_000); }

#[test, expected_failure(abort_code = task::ECapacityExceeded)]
fun a_top_up_above_capacity() { top_up!(SINGLE, world::user(), 13_501, 9_001, 0); }

#[test, expected_failure(abort_code = task::ESubscriptionNotActive)]
fun a_top_up_of_a_node_that_left() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    task.unsubscribe(&mut node, &w.by(world::operator()));
    let payment = w.coin(1);
    stack.top_up(&mut task, payment, 1, &clock, &w.by(world::user()));
    abort
}

#[test, expected_failure(abort_code = stack::ELeaseClosed)]
fun a_top_up_of_a_settled_lease() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    world::settle_nothing(&db, &mut stack, &node, &clock, &w.by(world::operator()));
    let payment = w.coin(1);
    stack.top_up(&mut task, payment, 1, &clock, &w.by(world::user()));
    abort
}

/// Extends a stack that lives a day.
macro fun extend($sender: address, $by: u64, $wait: u64) {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    let end = stack.expires_at_for_testing();
    clock.increment_for_testing($wait);
    stack::extend(&db, &mut stack, $by, &clock, &w.by($sender));
    assert!(stack.expires_at_for_testing() == end + $by);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun an_extension_by_one_in_the_last_moment() { extend!(world::user(), 1, 86_399_999); }

#[test]
fun an_extension_to_the_longest_life() { extend!(world::user(), 89 * 86_400_000, 0); }

#[test, expected_failure(abort_code = stack::ENotStackOwner)]
fun a_stranger_extends_nothing() { extend!(world::stranger(), 1, 0); }

#[test, expected_failure(abort_code = stack::EExtensionInvalid)]
fun an_extension_by_nothing() { extend!(world::user(), 0, 0); }

#[test, expected_failure(abort_code = stack::EExtensionInvalid)]
fun an_extension_past_the_longest_life() { extend!(world::user(), 89 * 86_400_000 + 1, 0); }

#[test, expected_failure(abort_code = stack::EExtensionInvalid)]
fun an_extension_past_the_end_of_time() { extend!(world::user(), 18_446_744_073_709_551_615, 0); }

#[test, expected_failure(abort_code = stack::EStackExpired)]
fun an_extension_too_late() { extend!(world::user(), 1, 86_400_000); }

// === leaving ===

#[test]
fun the_owner_takes_back_what_nobody_has() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    stack.revoke_ungranted(&mut w.by(world::user()));
    assert!(w.paid(world::user()) == 1_350 && stack.escrow_for_testing() == 150);
    assert!(stack.total_units_for_testing() == 100 && !stack.is_closed_for_testing());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun closing_an_unused_stack_ends_it() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    stack.begin_close(&clock, &mut w.by(world::user()));
    assert!(w.paid(world::user()) == 1_500 && stack.is_closed_for_testing());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun anyone_closes_an_expired_stack_for_its_owner() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    clock.increment_for_testing(world::day() + world::hour() + 1);
    stack.close_after_expiry(&clock, &mut w.by(world::stranger()));
    assert!(w.paid(world::user()) == 1_500 && stack.is_closed_for_testing());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test, expected_failure(abort_code = stack::ENotStackOwner)]
fun a_stranger_revokes_nothing() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    stack.revoke_ungranted(&mut w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = stack::ENothingUngranted)]
fun nothing_to_revoke() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    stack.revoke_ungranted(&mut w.by(world::user()));
    abort
}

#[test, expected_failure(abort_code = stack::EStackClosed)]
fun a_closed_stack_is_not_revoked() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    stack.revoke_ungranted(&mut w.by(world::user()));
    stack.revoke_ungranted(&mut w.by(world::user()));
    abort
}

#[test, expected_failure(abort_code = stack::EStackClosed)]
fun a_closed_stack_is_not_closed_again() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    stack.begin_close(&clock, &mut w.by(world::user()));
    stack.begin_close(&clock, &mut w.by(world::user()));
    abort
}

#[test]
fun closing_after_the_expiry_moves_nothing() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    let expiry = stack.expires_at_for_testing();
    clock.increment_for_testing(world::day() + 1);
    stack.begin_close(&clock, &mut w.by(world::user()));
    assert!(stack.expires_at_for_testing() == expiry);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test, expected_failure(abort_code = stack::ENotStackOwner)]
fun a_stranger_begins_no_close() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    stack.begin_close(&clock, &mut w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = stack::EGraceNotOver)]
fun a_close_in_the_last_moment_of_grace() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    clock.increment_for_testing(world::day() + world::hour());
    stack.close_after_expiry(&clock, &mut w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = stack::ELeasesNotClosed)]
fun no_close_over_an_open_lease() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    clock.increment_for_testing(world::day() + world::hour() + 1);
    stack.close_after_expiry(&clock, &mut w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = stack::EStackClosed)]
fun nothing_closes_twice() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, _node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    clock.increment_for_testing(world::day() + world::hour() + 1);
    stack.close_after_expiry(&clock, &mut w.by(world::stranger()));
    stack.close_after_expiry(&clock, &mut w.by(world::stranger()));
    abort
}
