#[test_only]
module atoma::db_tests;

use atoma::db::{Self, ParamSet};
use atoma::params;
use atoma::vectors;
use atoma::world::{Self, text};
use std::bcs;
use std::unit_test::destroy;
use sui::event;

#[test]
fun a_parameter_is_set_and_told() {
    let (w, mut db, cap, clock) = world::begin();
    db.set_param(&cap, text(b"protocol_fee_permille"), 200);
    assert!(db.params().protocol_fee_permille() == 200);
    assert!(event::events_by_type<ParamSet>().length() == 2);
    w.end(db, cap, clock);
}

/// What the client reads and no scenario compares: the same bytes as in Rust (`vectors`).
#[test]
fun a_right_and_a_blob_are_these_bytes() {
    let (mut w, db, cap, clock) = world::begin();
    let mut right = object::id(&cap).to_bytes();
    right.append(object::id(&db).to_bytes());
    assert!(bcs::to_bytes(&cap) == right);
    let blob = w.blob(true, 10, false);
    let mut bytes = object::id(&blob).to_bytes();
    bytes.append(vectors::blob_head());
    bytes.append(object::id(blob.storage()).to_bytes());
    bytes.append(vectors::blob_tail());
    assert!(bcs::to_bytes(&blob) == bytes);
    destroy(blob);
    w.end(db, cap, clock);
}

#[test]
fun bounds_are_inside() {
    let (w, mut db, cap, clock) = world::begin();
    db.set_param(&cap, text(b"min_collateral"), 0);
    db.set_param(&cap, text(b"min_collateral"), 18_446_744_073_709_551_615);
    db.set_param(&cap, text(b"epoch_ms"), 1_000);
    db.set_param(&cap, text(b"answer_window_ms"), 1_000);
    db.set_param(&cap, text(b"collateral_cap"), 1);
    db.set_param(&cap, text(b"collateral_cap"), 1 << 50);
    w.end(db, cap, clock);
}

#[test, expected_failure(abort_code = db::EWrongDatabase)]
fun a_right_to_another_database_sets_nothing() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let foreign = db::foreign_cap_for_testing(&mut w.by(world::admin()));
    db.set_param(&foreign, text(b"paused"), 1);
    abort
}

#[test, expected_failure(abort_code = db::EWrongDatabase)]
fun a_right_to_another_database_migrates_nothing() {
    let (mut w, mut db, _cap, _clock) = world::begin();
    let foreign = db::foreign_cap_for_testing(&mut w.by(world::admin()));
    db.set_version_for_testing(0);
    db.migrate(&foreign);
    abort
}

#[test, expected_failure(abort_code = params::EUnknownParam)]
fun only_parameters_are_set() {
    let (_w, mut db, cap, _clock) = world::begin();
    db.set_param(&cap, text(b"communal_treasury"), 1);
    abort
}

#[test, expected_failure(abort_code = params::EParamTooLarge)]
fun a_fee_above_its_limit() {
    let (_w, mut db, cap, _clock) = world::begin();
    db.set_param(&cap, text(b"protocol_fee_permille"), 201);
    abort
}

#[test, expected_failure(abort_code = params::EParamTooSmall)]
fun an_epoch_too_short() {
    let (_w, mut db, cap, _clock) = world::begin();
    db.set_param(&cap, text(b"epoch_ms"), 999);
    abort
}

#[test, expected_failure(abort_code = params::EParamsContradict)]
fun lifetimes_that_contradict_each_other() {
    let (_w, mut db, cap, _clock) = world::begin();
    db.set_param(&cap, text(b"max_lifetime_ms"), 999);
    abort
}

#[test]
fun registers_count_and_forget() {
    let (mut w, mut db, cap, clock) = world::begin();
    let node = w.node(&mut db);
    let mut task = w.task(&mut db);
    assert!(db.node_for_testing(1) == object::id(&node));
    assert!(db.task_for_testing(1) == object::id(&task));
    assert!(db.live_tasks_for_testing(text(b"tiny")) == 1);
    atoma::task::deprecate(&mut db, &mut task, &w.by(world::admin()));
    assert!(db.live_tasks_for_testing(text(b"tiny")) == 0);
    std::unit_test::destroy(node);
    std::unit_test::destroy(task);
    w.end(db, cap, clock);
}
