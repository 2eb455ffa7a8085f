#[test_only]
module atoma::task_tests;

use atoma::db;
use atoma::node;
use atoma::task;
use atoma::world::{Self, text};
use std::unit_test::destroy;

const MAX_UNITS: u64 = 1 << 50;

/// Creates a task that is fine but for what is given.
macro fun create(
    $role: u8,
    $name: vector<u8>,
    $level: u8,
    $ceiling: u64,
    $weights: vector<u64>,
    $hash: u64,
    $numerics: u8,
    $rule: u8,
    $reputation: u64,
    $allowed: u64,
) {
    let (mut w, mut db, cap, clock) = world::begin();
    world::create(
        &mut db,
        $role,
        $name,
        $level,
        $ceiling,
        $weights,
        $hash,
        $numerics,
        $rule,
        $reputation,
        $allowed,
        &mut w.by(world::stranger()),
    );
    w.end(db, cap, clock);
}

#[test]
fun the_last_of_everything() {
    let name = vector::tabulate!(128, |_| 97);
    create!(7, name, 3, 1, vector[0, 0, 0, 0, 1 << 40], 32, 2, 1, 1_000, 64);
}

#[test, expected_failure(abort_code = task::ERoleUnknown)]
fun an_unknown_role() { create!(8, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0); }

#[test, expected_failure(abort_code = task::ESecurityLevelUnknown)]
fun an_unknown_level() { create!(0, b"m", 4, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0); }

#[test, expected_failure(abort_code = task::EModelNameInvalid)]
fun a_model_without_a_name() { create!(0, b"", 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0); }

#[test, expected_failure(abort_code = task::EModelNameInvalid)]
fun a_name_too_long() {
    let name = vector::tabulate!(129, |_| 97);
    create!(0, name, 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0);
}

#[test, expected_failure(abort_code = task::EPriceCeilingZero)]
fun a_ceiling_of_nothing() { create!(0, b"m", 0, 0, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0); }

#[test, expected_failure(abort_code = task::EWeightsInvalid)]
fun four_weights() { create!(0, b"m", 0, 1, vector[1, 1, 1, 1], 32, 0, 0, 0, 0); }

#[test, expected_failure(abort_code = task::EWeightsInvalid)]
fun weights_of_nothing() { create!(0, b"m", 0, 1, vector[0, 0, 0, 0, 0], 32, 0, 0, 0, 0); }

#[test, expected_failure(abort_code = task::EWeightsInvalid)]
fun a_weight_too_large() { create!(0, b"m", 0, 1, vector[(1 << 40) + 1, 1, 1, 1, 1], 32, 0, 0, 0, 0); }

#[test, expected_failure(abort_code = task::EModelHashInvalid)]
fun half_a_hash() { create!(0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 16, 0, 0, 0, 0); }

#[test, expected_failure(abort_code = task::ENumericsUnknown)]
fun unknown_numerics() { create!(0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 3, 0, 0, 0); }

#[test, expected_failure(abort_code = task::ERuleUnknown)]
fun an_unknown_rule() { create!(0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 2, 0, 0); }

#[test, expected_failure(abort_code = task::ERuleUnfit)]
fun exact_without_determinism() { create!(0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 2, 0, 0, 0); }

#[test, expected_failure(abort_code = task::EMinReputationTooHigh)]
fun a_reputation_nobody_has() { create!(0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 1_001, 0); }

#[test, expected_failure(abort_code = task::EAllowListTooLong)]
fun a_list_too_long() { create!(0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 65); }

#[test, expected_failure(abort_code = db::EPaused)]
fun no_task_in_a_pause() {
    let (mut w, mut db, cap, _clock) = world::begin();
    db.set_param(&cap, text(b"paused"), 1);
    let _task = w.task(&mut db);
    abort
}

#[test, expected_failure(abort_code = task::ENotTaskOwner)]
fun a_stranger_ends_no_task() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut task = w.task(&mut db);
    task::deprecate(&mut db, &mut task, &w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = task::ETaskDeprecated)]
fun a_task_ends_once() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut task = w.task(&mut db);
    task::deprecate(&mut db, &mut task, &w.by(world::admin()));
    task::deprecate(&mut db, &mut task, &w.by(world::admin()));
    abort
}

#[test]
fun subscriptions_come_change_and_go() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    task::subscribe(&db, &mut task, &mut node, 1, 1, &w.by(world::operator()));
    task::subscribe(&db, &mut task, &mut node, 10_000_000, MAX_UNITS, &w.by(world::operator()));
    assert!(task.subscriptions_for_testing() == 1);
    task.unsubscribe(&mut node, &w.by(world::operator()));
    assert!(task.subscriptions_for_testing() == 0);
    // with the last subscription gone it may leave
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    destroy(task);
    destroy(node);
    w.end(db, cap, clock);
}

/// Subscribes at this price and capacity.
macro fun subscribe($sender: address, $price: u64, $capacity: u64) {
    let (mut w, mut db, cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    task::subscribe(&db, &mut task, &mut node, $price, $capacity, &w.by($sender));
    destroy(task);
    destroy(node);
    w.end(db, cap, clock);
}

#[test, expected_failure(abort_code = node::ENotNodeOwner)]
fun a_stranger_subscribes_nobody() { subscribe!(world::stranger(), 1, 1); }

#[test, expected_failure(abort_code = task::EPriceInvalid)]
fun a_price_of_nothing() { subscribe!(world::operator(), 0, 1); }

#[test, expected_failure(abort_code = task::EPriceInvalid)]
fun a_price_above_the_ceiling() { subscribe!(world::operator(), 10_000_001, 1); }

#[test, expected_failure(abort_code = task::ECapacityInvalid)]
fun no_capacity() { subscribe!(world::operator(), 1, 0); }

#[test, expected_failure(abort_code = task::ECapacityInvalid)]
fun too_much_capacity() { subscribe!(world::operator(), 1, MAX_UNITS + 1); }

#[test, expected_failure(abort_code = db::EPaused)]
fun nobody_subscribes_in_a_pause() {
    let (mut w, mut db, cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    db.set_param(&cap, text(b"paused"), 1);
    task::subscribe(&db, &mut task, &mut node, 1, 1, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = task::ETaskDeprecated)]
fun nobody_subscribes_to_what_has_ended() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    task::deprecate(&mut db, &mut task, &w.by(world::admin()));
    task::subscribe(&db, &mut task, &mut node, 1, 1, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = node::ENodeNotActive)]
fun nobody_subscribes_from_jail_even_if_it_is_over() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    node.jail(clock.timestamp_ms());
    task::subscribe(&db, &mut task, &mut node, 1, 1, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = task::ENodeNotAllowed)]
fun only_the_listed_subscribe() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    let ctx = &mut w.by(world::admin());
    world::create(&mut db, 0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 1, ctx);
    let mut task = w.last_task();
    task::subscribe(&db, &mut task, &mut node, 1, 1, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = task::ECollateralBelowTask)]
fun too_little_collateral_for_the_task() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    task.set_min_collateral_for_testing(1_001);
    task::subscribe(&db, &mut task, &mut node, 1, 1, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = task::EReputationBelowTask)]
fun too_little_reputation_for_the_task() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    task.set_min_reputation_for_testing(501);
    task::subscribe(&db, &mut task, &mut node, 1, 1, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = task::ESubscriptionsFull)]
fun the_257th_node() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    task.fill_for_testing(object::id_from_address(@0x1));
    task::subscribe(&db, &mut task, &mut node, 1, 1, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = node::ENotNodeOwner)]
fun a_stranger_unsubscribes_nobody() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    task.unsubscribe(&mut node, &w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = task::ENotSubscribed)]
fun nobody_unsubscribes_twice() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    task.unsubscribe(&mut node, &w.by(world::operator()));
    task.unsubscribe(&mut node, &w.by(world::operator()));
    abort
}

#[test]
fun anyone_syncs_and_lifts_a_jail() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    node.jail(clock.timestamp_ms() + 1);
    task.sync(&mut node, &clock);
    let (_, anybody) = task.draw_weights(10_000_000, 1, 1_000);
    assert!(!anybody);
    clock.increment_for_testing(1);
    task.sync(&mut node, &clock);
    let (weights, anybody) = task.draw_weights(10_000_000, 1, 1_000);
    assert!(anybody && weights == vector[1_000 * 500 * 10_000]);
    node.assert_marked_active();
    destroy(task);
    destroy(node);
    w.end(db, cap, clock);
}

#[test]
fun a_jail_is_lifted_without_a_subscription() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    node.jail(clock.timestamp_ms() + 1);
    clock.increment_for_testing(1);
    task.sync(&mut node, &clock);
    node.assert_marked_active();
    destroy(task);
    destroy(node);
    w.end(db, cap, clock);
}

#[test, expected_failure(abort_code = task::ENotSubscribed)]
fun nobody_is_synced_into_a_task_in_jail() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    node.jail(clock.timestamp_ms() + 1);
    task.sync(&mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = task::ENotSubscribed)]
fun nobody_is_synced_who_is_not_there() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task(&mut db);
    task.sync(&mut node, &clock);
    abort
}

#[test]
fun nobody_fits_a_confidential_task() {
    let (mut w, mut db, cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    let mut task = w.task_of(&mut db, 2);
    task::subscribe(&db, &mut task, &mut node, 1, 1, &w.by(world::operator()));
    let (_, anybody) = task.draw_weights(10_000_000, 1, 1_000);
    assert!(!anybody);
    destroy(task);
    destroy(node);
    w.end(db, cap, clock);
}

#[test]
fun a_tariff_rounds_up_and_ends_where_numbers_do() {
    let (mut w, mut db, cap, clock) = world::begin();
    let task = w.task(&mut db);
    assert!(task.tariff(&vector[1, 1, 0, 5, 5]) == option::some(2));
    assert!(task.tariff(&vector[0, 0, 0, 0, 0]) == option::some(0));
    let most = 18_446_744_073_709_551_615;
    assert!(task.tariff(&vector[most, 0, 0, 0, 0]) == option::some(most));
    assert!(task.tariff(&vector[most, 0, 1, 0, 0]).is_none());
    destroy(task);
    w.end(db, cap, clock);
}
