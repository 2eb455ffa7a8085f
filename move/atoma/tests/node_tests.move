#[test_only]
module atoma::node_tests;

use atoma::db;
use atoma::money;
use atoma::node::{Self, NodeStatusChanged};
use atoma::vectors;
use atoma::world::{Self, text};
use std::unit_test::destroy;
use sui::event;

const MAX: u64 = 18_446_744_073_709_551_615;

#[test]
fun a_node_joins_grows_and_leaves_with_everything() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let mut node = w.node(&mut db);
    let more = w.coin(1);
    node.add_collateral(more, &w.by(world::operator()));
    assert!(node.collateral() == 1_001);
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    clock.increment_for_testing(7 * world::day());
    node.withdraw_collateral(&clock, &mut w.by(world::operator()));
    assert!(event::events_by_type<NodeStatusChanged>().length() == 2);
    assert!(node.has_left() && node.collateral() == 0);
    assert!(w.paid(world::operator()) == 1_001);
    destroy(node);
    w.end(db, cap, clock);
}

#[test]
fun a_node_moves() {
    let (mut w, mut db, cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    node.set_url(text(b"https://node.example"), &w.by(world::operator()));
    assert!(node.url_for_testing() == text(b"https://node.example"));
    destroy(node);
    w.end(db, cap, clock);
}

/// Registers with this collateral, URL and keys.
fun register(collateral: u64, url: vector<u8>, key: vector<u8>, sealing: vector<u8>) {
    let (mut w, mut db, cap, clock) = world::begin();
    let coin = w.coin(collateral);
    let ctx = &mut w.by(world::operator());
    node::register(&mut db, coin, url.to_string(), key, sealing, ctx);
    w.end(db, cap, clock);
}

#[test]
fun all_the_money_there_is_can_be_collateral() {
    register(MAX, b"http://a", vectors::response_key(), vectors::request_key());
}

#[test, expected_failure(abort_code = node::ECollateralTooLow)]
fun no_collateral() {
    register(0, b"http://a", vectors::response_key(), vector[]);
}

#[test, expected_failure(abort_code = node::ECollateralTooLow)]
fun one_too_little() {
    register(999, b"http://a", vectors::response_key(), vector[]);
}

#[test, expected_failure(abort_code = node::EUrlInvalid)]
fun a_url_of_another_kind() {
    register(1_000, b"ftp://a", vectors::response_key(), vector[]);
}

#[test, expected_failure(abort_code = node::EResponseKeyInvalid)]
fun a_key_of_another_length() {
    register(1_000, b"http://a", x"00", vector[]);
}

#[test, expected_failure(abort_code = node::EResponseKeyInvalid)]
fun a_weak_key() {
    register(1_000, b"http://a", x"0100000000000000000000000000000000000000000000000000000000000080", vector[]);
}

#[test, expected_failure(abort_code = node::ESealingKeyInvalid)]
fun a_sealing_key_of_another_length() {
    register(1_000, b"http://a", vectors::response_key(), x"0102");
}

#[test, expected_failure(abort_code = db::EPaused)]
fun nobody_joins_in_a_pause() {
    let (mut w, mut db, cap, _clock) = world::begin();
    db.set_param(&cap, text(b"paused"), 1);
    let _node = w.node(&mut db);
    abort
}

#[test, expected_failure(abort_code = node::ENotNodeOwner)]
fun a_stranger_moves_no_node() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    node.set_url(text(b"http://a"), &w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = node::EUrlInvalid)]
fun a_node_does_not_move_to_nowhere() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    node.set_url(text(b"http://"), &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = node::ENotNodeOwner)]
fun a_stranger_adds_no_collateral() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    let coin = w.coin(1);
    node.add_collateral(coin, &w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = node::ENothingAdded)]
fun nothing_is_no_collateral() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    let coin = w.coin(0);
    node.add_collateral(coin, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = money::EAmountOverflow)]
fun more_collateral_than_there_is() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let mut node = w.node(&mut db);
    let coin = w.coin(MAX);
    node.add_collateral(coin, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = node::ENodeNotActive)]
fun who_leaves_adds_no_collateral() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    let coin = w.coin(1);
    node.add_collateral(coin, &w.by(world::operator()));
    abort
}

#[test]
fun a_jailed_node_adds_collateral() {
    let (mut w, mut db, cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    node.jail(MAX);
    let coin = w.coin(1);
    node.add_collateral(coin, &w.by(world::operator()));
    destroy(node);
    w.end(db, cap, clock);
}

#[test, expected_failure(abort_code = node::ENotNodeOwner)]
fun a_stranger_makes_nobody_leave() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = node::ENodeNotActive)]
fun nobody_leaves_twice() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = node::ENodeNotActive)]
fun nobody_leaves_from_jail() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    node.jail(clock.timestamp_ms() + 1);
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    abort
}

#[test]
fun a_jail_that_is_over_holds_nobody() {
    let (mut w, mut db, cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    node.jail(clock.timestamp_ms());
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    // who is leaving keeps leaving
    node.jail(MAX);
    assert!(!node.is_active(MAX));
    destroy(node);
    w.end(db, cap, clock);
}

#[test]
fun a_later_jail_lasts_at_least_as_long() {
    let (mut w, mut db, cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    node.jail(100);
    node.jail(50);
    assert!(!node.is_active(99) && node.is_active(100));
    destroy(node);
    w.end(db, cap, clock);
}

#[test, expected_failure(abort_code = node::ENodeHasSubscriptions)]
fun nobody_leaves_with_subscriptions() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (_task, mut node) = w.serving(&mut db);
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = node::ENotNodeOwner)]
fun a_stranger_takes_no_collateral() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let mut node = w.node(&mut db);
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    clock.increment_for_testing(7 * world::day());
    node.withdraw_collateral(&clock, &mut w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = node::ENotUnbonding)]
fun who_stays_takes_no_collateral() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    node.withdraw_collateral(&clock, &mut w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = node::EUnbondingNotOver)]
fun a_moment_too_early() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let mut node = w.node(&mut db);
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    clock.increment_for_testing(7 * world::day() - 1);
    node.withdraw_collateral(&clock, &mut w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = node::ENotUnbonding)]
fun the_collateral_is_taken_once() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let mut node = w.node(&mut db);
    node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    clock.increment_for_testing(7 * world::day());
    node.withdraw_collateral(&clock, &mut w.by(world::operator()));
    node.withdraw_collateral(&clock, &mut w.by(world::operator()));
    abort
}
