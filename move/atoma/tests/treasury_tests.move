#[test_only]
module atoma::treasury_tests;

use atoma::book;
use atoma::db::AtomaDb;
use atoma::node::Node;
use atoma::settlement;
use atoma::task::Task;
use atoma::treasury;
use atoma::vectors;
use atoma::world::{Self, World};
use std::unit_test::destroy;
use sui::clock::Clock;

/// A node that was paid 100 units, in the first hours of an epoch.
fun earned(w: &mut World, db: &mut AtomaDb, clock: &mut Clock): (Task, Node) {
    let (mut task, mut node, mut stack) = w.settled(db, vectors::root(), clock);
    clock.increment_for_testing(world::hour());
    let ctx = &mut w.by(world::stranger());
    settlement::claim(db, &mut stack, &mut task, &mut node, clock, ctx);
    w.paid(world::operator());
    destroy(stack);
    (task, node)
}

#[test]
fun an_epoch_is_reported_and_paid() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    db.set_param(&cap, world::text(b"treasury_payout_permille"), 1_000);
    let (mut task, mut node) = earned(&mut w, &mut db, &mut clock);
    treasury::collect_fees(&mut db, &mut task);
    assert!(db.treasury() == 1);
    clock.increment_for_testing(world::day());
    treasury::report_units(&mut db, &mut node, &clock);
    clock.increment_for_testing(world::day() / 2);
    treasury::pay(&mut db, &node, &clock, &mut w.by(world::stranger()));
    assert!(db.treasury() == 0 && w.paid(world::operator()) == 1);
    destroy(task);
    destroy(node);
    w.end(db, cap, clock);
}

#[test, expected_failure(abort_code = treasury::ENoFees)]
fun fees_are_collected_once() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, _node) = earned(&mut w, &mut db, &mut clock);
    treasury::collect_fees(&mut db, &mut task);
    treasury::collect_fees(&mut db, &mut task);
    abort
}

#[test, expected_failure(abort_code = treasury::ENothingToReport)]
fun the_running_epoch_is_not_reported() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (_task, mut node) = earned(&mut w, &mut db, &mut clock);
    treasury::report_units(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = treasury::ENothingToReport)]
fun units_are_reported_once() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (_task, mut node) = earned(&mut w, &mut db, &mut clock);
    clock.increment_for_testing(world::day());
    treasury::report_units(&mut db, &mut node, &clock);
    treasury::report_units(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = treasury::ENothingToReport)]
fun before_the_first_epoch_there_was_none() {
    let (mut w, mut db, cap, clock) = world::begin();
    let mut node = w.node(&mut db);
    db.set_param(&cap, world::text(b"epoch_ms"), 366 * world::day());
    treasury::report_units(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = treasury::EReportsClosed)]
fun reported_at_half_time() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (_task, mut node) = earned(&mut w, &mut db, &mut clock);
    clock.increment_for_testing(world::day() + 11 * world::hour());
    treasury::report_units(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = book::EBookFull)]
fun the_4097th_report() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (_task, mut node) = earned(&mut w, &mut db, &mut clock);
    clock.increment_for_testing(world::day());
    let (epoch, _) = db.epoch_at(clock.timestamp_ms());
    db.open_book(epoch - 1);
    db.book_mut().fill_for_testing(object::id_from_address(@0x1));
    treasury::report_units(&mut db, &mut node, &clock);
    abort
}

#[test, expected_failure(abort_code = treasury::EPaymentsNotOpen)]
fun paid_a_moment_too_early() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (_task, mut node) = earned(&mut w, &mut db, &mut clock);
    clock.increment_for_testing(world::day());
    treasury::report_units(&mut db, &mut node, &clock);
    clock.increment_for_testing(world::day() / 2 - world::hour() - 1);
    treasury::pay(&mut db, &node, &clock, &mut w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = treasury::ENoShare)]
fun a_share_is_paid_once() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (_task, mut node) = earned(&mut w, &mut db, &mut clock);
    clock.increment_for_testing(world::day());
    treasury::report_units(&mut db, &mut node, &clock);
    clock.increment_for_testing(world::day() / 2);
    treasury::pay(&mut db, &node, &clock, &mut w.by(world::stranger()));
    treasury::pay(&mut db, &node, &clock, &mut w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = treasury::EReportsClosed)]
fun a_book_that_is_being_paid_takes_no_report() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, mut node) = earned(&mut w, &mut db, &mut clock);
    treasury::collect_fees(&mut db, &mut task);
    clock.increment_for_testing(world::day());
    let (epoch, _) = db.epoch_at(clock.timestamp_ms());
    db.open_book(epoch - 1);
    db.book_mut().report(object::id(&node), 1);
    db.book_mut().take(0, 1);
    db.set_param(&cap, world::text(b"paused"), 0);
    treasury::report_units(&mut db, &mut node, &clock);
    abort
}
