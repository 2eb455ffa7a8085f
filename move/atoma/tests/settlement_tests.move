#[test_only]
module atoma::settlement_tests;

use atoma::node;
use atoma::verified;
use atoma::settlement;
use atoma::stack;
use atoma::vectors;
use atoma::world::{Self, text};

const ANY: u8 = 2;
const SINGLE: u8 = 0;

#[test]
fun a_settlement_is_paid_after_its_window_even_in_a_pause() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    db.set_param(&cap, text(b"paused"), 1);
    clock.increment_for_testing(world::hour());
    let ctx = &mut w.by(world::stranger());
    settlement::claim(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    // 100 of cost, a hundredth of it the protocol's
    assert!(w.paid(world::operator()) == 99);
    assert!(w.paid(world::user()) == 50);
    assert!(node.reputation() == 502);
    let fees = task.take_fees();
    assert!(fees.destroy_for_testing() == 1);
    assert!(stack.escrow_for_testing() == 1_350);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun a_lease_never_used_is_settled_with_nothing() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    world::settle_nothing(&db, &mut stack, &node, &clock, &w.by(world::operator()));
    clock.increment_for_testing(world::hour());
    let ctx = &mut w.by(world::stranger());
    settlement::claim(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    assert!(w.paid(world::operator()) == 0);
    assert!(w.paid(world::user()) == 1_500 && stack.is_closed_for_testing());
    assert!(node.reputation() == 500);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun settled_in_the_last_moment() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    clock.increment_for_testing(world::day() + world::hour());
    w.settle(&db, &mut stack, &node, vectors::root(), &clock);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test, expected_failure(abort_code = settlement::EDeadlinePassed)]
fun settled_too_late() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    w.lease(&db, &mut stack, &mut task, &node, &clock);
    clock.increment_for_testing(world::day() + world::hour() + 1);
    w.settle(&db, &mut stack, &node, vectors::root(), &clock);
    abort
}

#[test, expected_failure(abort_code = node::ENotNodeOwner)]
fun a_stranger_settles_nothing() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    world::settle_nothing(&db, &mut stack, &node, &clock, &w.by(world::stranger()));
    abort
}

#[test, expected_failure(abort_code = stack::ENoSuchLease)]
fun nothing_to_settle() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, ANY, &clock);
    world::settle_nothing(&db, &mut stack, &node, &clock, &w.by(world::operator()));
    abort
}

#[test, expected_failure(abort_code = settlement::ELeaseNotOpen)]
fun settled_once() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    world::settle_nothing(&db, &mut stack, &node, &clock, &w.by(world::operator()));
    world::settle_nothing(&db, &mut stack, &node, &clock, &w.by(world::operator()));
    abort
}

/// Settles a single stack of 1000 units by the second receipt.
macro fun settle(
    $units: u64,
    $headers: vector<vector<u8>>,
    $signatures: vector<vector<u8>>,
    $receipt: vector<u8>,
    $receipt_signature: vector<u8>,
    $root: vector<u8>,
    $count: u64,
    $manifest: vector<u8>,
) {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    settlement::settle(
        &db,
        &mut stack,
        &node,
        $units,
        $headers,
        $signatures,
        $receipt,
        $receipt_signature,
        $root,
        $count,
        $manifest,
        &clock,
        &w.by(world::operator()),
    );
    w.end_all(db, cap, clock, task, node, stack);
}

fun headers(): vector<vector<u8>> { vector[vectors::second_header()] }

fun signatures(): vector<vector<u8>> { vector[vectors::second_header_signature()] }

#[test]
fun a_manifest_is_an_id() {
    settle!(
        100, headers(), signatures(), vectors::second_receipt(), vectors::second_receipt_signature(),
        vectors::root(), 2, vectors::root(),
    );
}

#[test, expected_failure(abort_code = settlement::EClaimAboveLease)]
fun above_the_lease() {
    settle!(
        1_001, headers(), signatures(), vectors::second_receipt(), vectors::second_receipt_signature(),
        vectors::root(), 2, vector[],
    );
}

#[test, expected_failure(abort_code = settlement::EClaimMismatch)]
fun another_sum() {
    settle!(
        99, headers(), signatures(), vectors::second_receipt(), vectors::second_receipt_signature(),
        vectors::root(), 2, vector[],
    );
}

#[test, expected_failure(abort_code = settlement::ECountMismatch)]
fun another_count() {
    settle!(
        100, headers(), signatures(), vectors::second_receipt(), vectors::second_receipt_signature(),
        vectors::root(), 3, vector[],
    );
}

#[test, expected_failure(abort_code = settlement::ERootInvalid)]
fun half_a_root() {
    settle!(
        100, headers(), signatures(), vectors::second_receipt(), vectors::second_receipt_signature(),
        x"00", 2, vector[],
    );
}

#[test, expected_failure(abort_code = settlement::EManifestInvalid)]
fun half_a_manifest() {
    settle!(
        100, headers(), signatures(), vectors::second_receipt(), vectors::second_receipt_signature(),
        vectors::root(), 2, x"00",
    );
}

#[test, expected_failure(abort_code = settlement::ENotAllEmpty)]
fun nothing_with_a_root() {
    settle!(0, vector[], vector[], vector[], vector[], vectors::root(), 0, vector[]);
}

#[test, expected_failure(abort_code = settlement::EHeaderCountInvalid)]
fun no_headers() {
    settle!(
        100, vector[], vector[], vectors::second_receipt(), vectors::second_receipt_signature(),
        vectors::root(), 2, vector[],
    );
}

#[test, expected_failure(abort_code = settlement::EHeaderCountInvalid)]
fun sixty_five_headers() {
    settle!(
        100, vector::tabulate!(65, |_| vectors::second_header()),
        vector::tabulate!(65, |_| vectors::second_header_signature()), vectors::second_receipt(),
        vectors::second_receipt_signature(), vectors::root(), 2, vector[],
    );
}

#[test, expected_failure(abort_code = settlement::ELanesNotRising)]
fun the_same_lane_twice() {
    settle!(
        100, vector[vectors::first_header(), vectors::second_header()],
        vector[vectors::first_header_signature(), vectors::second_header_signature()],
        vectors::second_receipt(), vectors::second_receipt_signature(), vectors::root(), 2, vector[],
    );
}

#[test, expected_failure(abort_code = settlement::EClaimAboveCeilings)]
fun above_the_ceiling() {
    settle!(
        100, vector[vectors::first_header()], vector[vectors::first_header_signature()],
        vectors::second_receipt(), vectors::second_receipt_signature(), vectors::root(), 2, vector[],
    );
}

#[test, expected_failure(abort_code = verified::EReceiptBadSignature)]
fun a_receipt_that_nobody_signed() {
    settle!(
        100, headers(), signatures(), vectors::second_receipt(), vectors::first_receipt_signature(),
        vectors::root(), 2, vector[],
    );
}

#[test, expected_failure(abort_code = verified::EReceiptInvalid)]
fun a_header_is_no_receipt() {
    settle!(
        100, headers(), signatures(), vectors::second_header(), vectors::second_header_signature(),
        vectors::root(), 2, vector[],
    );
}

#[test, expected_failure(abort_code = verified::EHeaderBadSignature)]
fun a_header_that_nobody_signed() {
    settle!(
        100, headers(), vector[vectors::first_header_signature()], vectors::second_receipt(),
        vectors::second_receipt_signature(), vectors::root(), 2, vector[],
    );
}

#[test, expected_failure(abort_code = settlement::EWindowNotOver)]
fun claimed_a_moment_too_early() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    clock.increment_for_testing(world::hour() - 1);
    let ctx = &mut w.by(world::operator());
    settlement::claim(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    abort
}

#[test, expected_failure(abort_code = atoma::lease::ENotSettling)]
fun claimed_without_a_settlement() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    let ctx = &mut w.by(world::operator());
    settlement::claim(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    abort
}

#[test, expected_failure(abort_code = settlement::EDisputeOpen)]
fun nothing_is_paid_over_a_dispute() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    w.demand(&mut stack, &node, 1, &clock);
    clock.increment_for_testing(world::hour());
    let ctx = &mut w.by(world::operator());
    settlement::claim(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    abort
}

#[test, expected_failure(abort_code = stack::EWrongTask)]
fun claimed_with_another_task() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (_task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    let ctx = &mut w.by(world::admin());
    world::create(&mut db, 0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0, ctx);
    let mut other = w.last_task();
    let ctx = &mut w.by(world::operator());
    settlement::claim(&db, &mut stack, &mut other, &mut node, &clock, ctx);
    abort
}

#[test, expected_failure(abort_code = stack::ENoSuchLease)]
fun claimed_for_another_node() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, _node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    let mut other = w.other_node(&mut db);
    let ctx = &mut w.by(world::operator());
    settlement::claim(&db, &mut stack, &mut task, &mut other, &clock, ctx);
    abort
}

#[test]
fun a_silent_node_loses_its_lease() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    clock.increment_for_testing(world::day() + world::hour() + 1);
    let ctx = &mut w.by(world::stranger());
    settlement::expire_lease(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    assert!(w.paid(world::user()) == 1_500 && stack.is_closed_for_testing());
    assert!(node.reputation() == 450);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test, expected_failure(abort_code = settlement::EDeadlineNotPassed)]
fun expired_a_moment_too_early() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, mut node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, SINGLE, &clock);
    clock.increment_for_testing(world::day() + world::hour());
    let ctx = &mut w.by(world::stranger());
    settlement::expire_lease(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    abort
}

#[test, expected_failure(abort_code = settlement::ELeaseNotOpen)]
fun a_settled_lease_does_not_expire() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    clock.increment_for_testing(world::day() + world::hour() + 1);
    let ctx = &mut w.by(world::stranger());
    settlement::expire_lease(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    abort
}
