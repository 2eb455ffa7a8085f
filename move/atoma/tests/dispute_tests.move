#[test_only]
module atoma::dispute_tests;

use atoma::dispute;
use atoma::lease;
use atoma::merkle;
use atoma::verified;
use atoma::stack;
use atoma::vectors;
use atoma::world::{Self, text};
use std::unit_test::destroy;

const BOND: u64 = 1_000_000;

// === the dispute with an answer ===

#[test]
fun who_shows_the_record_gets_the_bond_even_in_a_pause() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (task, node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    db.set_param(&cap, text(b"paused"), 1);
    clock.increment_for_testing(world::hour() - 1);
    w.demand(&mut stack, &node, 2, &clock);
    clock.increment_for_testing(world::hour());
    let blob = w.blob(true, 10, false);
    let ctx = &mut w.by(world::stranger());
    let (record, proof) = (vectors::record(), vectors::proof());
    dispute::answer(&db, &mut stack, &node, &blob, record, proof, &clock, ctx);
    assert!(w.paid(world::operator()) == BOND);
    destroy(blob);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun the_record_has_the_receipt_that_was_shown() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (task, node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    let bond = w.coin(BOND);
    let (receipt, signature) = (vectors::second_receipt(), vectors::second_receipt_signature());
    let ctx = &w.by(world::user());
    dispute::missing_response(&mut stack, &node, bond, 2, receipt, signature, &clock, ctx);
    let blob = w.blob(true, 10, false);
    let ctx = &mut w.by(world::stranger());
    let (record, proof) = (vectors::record(), vectors::proof());
    dispute::answer(&db, &mut stack, &node, &blob, record, proof, &clock, ctx);
    destroy(blob);
    w.end_all(db, cap, clock, task, node, stack);
}

/// Demands a record of a settlement of two.
macro fun demand(
    $sender: address,
    $bond: u64,
    $seq: u64,
    $receipt: vector<u8>,
    $signature: vector<u8>,
    $wait: u64,
) {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (task, node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    clock.increment_for_testing($wait);
    let bond = w.coin($bond);
    let ctx = &w.by($sender);
    dispute::missing_response(&mut stack, &node, bond, $seq, $receipt, $signature, &clock, ctx);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun a_demand_in_the_last_moment() {
    demand!(world::user(), BOND, 1, vector[], vector[], 3_599_999);
}

#[test, expected_failure(abort_code = stack::ENotStackOwner)]
fun a_stranger_demands_nothing() {
    demand!(world::stranger(), BOND, 1, vector[], vector[], 0);
}

#[test, expected_failure(abort_code = dispute::EWrongBond)]
fun one_too_little_at_stake() { demand!(world::user(), BOND - 1, 1, vector[], vector[], 0); }

#[test, expected_failure(abort_code = dispute::EWrongBond)]
fun one_too_much_at_stake() { demand!(world::user(), BOND + 1, 1, vector[], vector[], 0); }

#[test, expected_failure(abort_code = dispute::ESeqNotSettled)]
fun there_is_no_record_zero() { demand!(world::user(), BOND, 0, vector[], vector[], 0); }

#[test, expected_failure(abort_code = dispute::ESeqNotSettled)]
fun a_record_past_the_last() { demand!(world::user(), BOND, 3, vector[], vector[], 0); }

#[test, expected_failure(abort_code = dispute::EWindowOver)]
fun a_demand_too_late() { demand!(world::user(), BOND, 1, vector[], vector[], 3_600_000); }

#[test, expected_failure(abort_code = verified::EReceiptWrongSeq)]
fun a_receipt_of_another_record() {
    demand!(
        world::user(), BOND, 1, vectors::second_receipt(), vectors::second_receipt_signature(), 0,
    );
}

#[test, expected_failure(abort_code = verified::EReceiptBadSignature)]
fun a_receipt_without_its_signature() {
    demand!(world::user(), BOND, 2, vectors::second_receipt(), vector[], 0);
}

#[test, expected_failure(abort_code = lease::EAlreadyDisputed)]
fun a_record_is_demanded_once() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (_task, node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    w.demand(&mut stack, &node, 1, &clock);
    w.demand(&mut stack, &node, 1, &clock);
    abort
}

#[test, expected_failure(abort_code = lease::ENotSettling)]
fun nothing_is_owed_before_the_settlement() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, node) = w.serving(&mut db);
    let mut stack = w.stack(&db, &mut task, 0, &clock);
    w.demand(&mut stack, &node, 1, &clock);
    abort
}

/// Answers a demand for the second record.
macro fun answer(
    $shown: bool,
    $certified: bool,
    $end_epoch: u32,
    $deletable: bool,
    $record: vector<u8>,
    $proof: vector<u8>,
    $wait: u64,
) {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (task, node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    let bond = w.coin(BOND);
    let (receipt, signature) = if ($shown) {
        (vectors::other_receipt(), vectors::other_receipt_signature())
    } else {
        (vector[], vector[])
    };
    let ctx = &w.by(world::user());
    dispute::missing_response(&mut stack, &node, bond, 2, receipt, signature, &clock, ctx);
    db.set_param(&cap, text(b"walrus_epoch"), 9);
    clock.increment_for_testing($wait);
    let blob = w.blob($certified, $end_epoch, $deletable);
    let ctx = &mut w.by(world::operator());
    dispute::answer(&db, &mut stack, &node, &blob, $record, $proof, &clock, ctx);
    destroy(blob);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun an_answer_in_the_last_moment() {
    answer!(false, true, 10, false, vectors::record(), vectors::proof(), 3_600_000);
}

#[test, expected_failure(abort_code = dispute::EAnswerTooLate)]
fun an_answer_too_late() {
    answer!(false, true, 10, false, vectors::record(), vectors::proof(), 3_600_001);
}

#[test, expected_failure(abort_code = dispute::EReceiptDiffers)]
fun a_record_with_another_receipt() {
    answer!(true, true, 10, false, vectors::record(), vectors::proof(), 0);
}

#[test, expected_failure(abort_code = dispute::EBlobInvalid)]
fun a_blob_that_is_not_certified() {
    answer!(false, false, 10, false, vectors::record(), vectors::proof(), 0);
}

#[test, expected_failure(abort_code = dispute::EBlobDeletable)]
fun a_blob_that_can_be_deleted() {
    answer!(false, true, 10, true, vectors::record(), vectors::proof(), 0);
}

#[test, expected_failure(abort_code = dispute::EBlobExpired)]
fun a_blob_that_has_ended() {
    answer!(false, true, 9, false, vectors::record(), vectors::proof(), 0);
}

#[test, expected_failure(abort_code = merkle::EProofInvalid)]
fun half_a_proof() { answer!(false, true, 10, false, vectors::record(), x"00", 0); }

#[test, expected_failure(abort_code = merkle::EProofFails)]
fun a_record_that_was_not_settled() {
    answer!(false, true, 10, false, vectors::forged_record(), vectors::proof(), 0);
}

#[test, expected_failure(abort_code = lease::ENoSuchDispute)]
fun an_answer_that_nobody_asked_for() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (_task, node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    w.demand(&mut stack, &node, 1, &clock);
    let blob = w.blob(true, 10, false);
    let ctx = &mut w.by(world::operator());
    let (record, proof) = (vectors::record(), vectors::proof());
    dispute::answer(&db, &mut stack, &node, &blob, record, proof, &clock, ctx);
    abort
}

#[test]
fun silence_loses() {
    let (mut w, mut db, cap, mut clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    w.demand(&mut stack, &node, 1, &clock);
    w.demand(&mut stack, &node, 2, &clock);
    clock.increment_for_testing(world::hour() + 1);
    let ctx = &mut w.by(world::stranger());
    dispute::resolve(&mut db, &mut stack, &mut task, &mut node, 1, &clock, ctx);
    // the lease's escrow, both bonds, and half of a tenth of the collateral
    assert!(w.paid(world::user()) == 150 + 2 * BOND + 50);
    assert!(db.treasury() == 50 && node.collateral() == 900 && node.reputation() == 450);
    assert!(stack.lease_of(object::id(&node)).is_convicted());
    w.end_all(db, cap, clock, task, node, stack);
}

#[test, expected_failure(abort_code = dispute::EAnswerTimeNotOver)]
fun nobody_is_convicted_while_he_may_answer() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    w.demand(&mut stack, &node, 1, &clock);
    clock.increment_for_testing(world::hour());
    let ctx = &mut w.by(world::user());
    dispute::resolve(&mut db, &mut stack, &mut task, &mut node, 1, &clock, ctx);
    abort
}

#[test, expected_failure(abort_code = lease::ENoSuchDispute)]
fun nothing_to_resolve() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    let ctx = &mut w.by(world::user());
    dispute::resolve(&mut db, &mut stack, &mut task, &mut node, 1, &clock, ctx);
    abort
}

// === the disputes without an answer ===

/// Shows two receipts of a settlement.
macro fun contradict(
    $first: vector<u8>,
    $first_signature: vector<u8>,
    $second: vector<u8>,
    $second_signature: vector<u8>,
) {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    dispute::equivocation(
        &mut db,
        &mut stack,
        &mut task,
        &mut node,
        $first,
        $first_signature,
        $second,
        $second_signature,
        &clock,
        &mut w.by(world::stranger()),
    );
    assert!(node.collateral() == 500 && node.reputation() == 0);
    assert!(w.paid(world::user()) == 150 + 250);
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun two_receipts_of_one_seq() {
    contradict!(
        vectors::second_receipt(), vectors::second_receipt_signature(), vectors::other_receipt(),
        vectors::other_receipt_signature(),
    );
}

#[test, expected_failure(abort_code = dispute::EReceiptsAgree)]
fun honest_receipts_agree() {
    contradict!(
        vectors::second_receipt(), vectors::second_receipt_signature(), vectors::first_receipt(),
        vectors::first_receipt_signature(),
    );
}

#[test, expected_failure(abort_code = dispute::EReceiptsAgree)]
fun a_receipt_agrees_with_itself() {
    contradict!(
        vectors::second_receipt(), vectors::second_receipt_signature(), vectors::second_receipt(),
        vectors::second_receipt_signature(),
    );
}

#[test, expected_failure(abort_code = verified::EReceiptBadSignature)]
fun a_receipt_that_the_node_did_not_sign() {
    contradict!(
        vectors::second_receipt(), vectors::second_receipt_signature(), vectors::other_receipt(),
        vectors::first_receipt_signature(),
    );
}

#[test, expected_failure(abort_code = dispute::EAlreadyConvicted)]
fun one_lease_is_punished_once() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    2u8.do!(|_| {
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
    });
    abort
}

#[test, expected_failure(abort_code = dispute::ENodeLeft)]
fun who_has_left_is_not_liable() {
    let (mut w, mut db, _cap, mut clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    clock.increment_for_testing(world::hour());
    let ctx = &mut w.by(world::stranger());
    atoma::settlement::claim(&db, &mut stack, &mut task, &mut node, &clock, ctx);
    task.unsubscribe(&mut node, &w.by(world::operator()));
    atoma::node::begin_unbonding(&db, &mut node, &clock, &w.by(world::operator()));
    clock.increment_for_testing(7 * world::day());
    node.withdraw_collateral(&clock, &mut w.by(world::operator()));
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
    abort
}

/// Shows a receipt and a request.
macro fun over_claim(
    $receipt: vector<u8>,
    $receipt_signature: vector<u8>,
    $header: vector<u8>,
    $header_signature: vector<u8>,
) {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    dispute::over_claim(
        &mut db,
        &mut stack,
        &mut task,
        &mut node,
        $receipt,
        $receipt_signature,
        $header,
        $header_signature,
        &clock,
        &mut w.by(world::stranger()),
    );
    w.end_all(db, cap, clock, task, node, stack);
}

#[test]
fun a_charge_above_the_tariff() {
    over_claim!(
        vectors::greedy_receipt(), vectors::greedy_receipt_signature(), vector[], vector[],
    );
}

#[test, expected_failure(abort_code = dispute::EChargeAllowed)]
fun an_honest_charge() {
    over_claim!(
        vectors::second_receipt(), vectors::second_receipt_signature(), vectors::second_header(),
        vectors::second_header_signature(),
    );
}

#[test, expected_failure(abort_code = verified::EReceiptWrongRequest)]
fun a_receipt_for_another_order() {
    over_claim!(
        vectors::second_receipt(), vectors::second_receipt_signature(), vectors::first_header(),
        vectors::first_header_signature(),
    );
}

#[test, expected_failure(abort_code = verified::EHeaderInvalid)]
fun a_receipt_is_no_order() {
    over_claim!(
        vectors::second_receipt(), vectors::second_receipt_signature(), vectors::first_receipt(),
        vectors::first_receipt_signature(),
    );
}

#[test]
fun a_forged_record() {
    let (mut w, mut db, cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::forged_root(), &clock);
    let ctx = &mut w.by(world::stranger());
    let (record, proof) = (vectors::forged_record(), vectors::forged_proof());
    dispute::forged_request(
        &mut db, &mut stack, &mut task, &mut node, record, proof, &clock, ctx,
    );
    assert!(node.reputation() == 0 && !node.is_active(clock.timestamp_ms()));
    w.end_all(db, cap, clock, task, node, stack);
}

#[test, expected_failure(abort_code = dispute::ERecordGenuine)]
fun a_genuine_record_convicts_nobody() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (mut task, mut node, mut stack) = w.settled(&mut db, vectors::root(), &clock);
    let ctx = &mut w.by(world::stranger());
    let (record, proof) = (vectors::record(), vectors::proof());
    dispute::forged_request(
        &mut db, &mut stack, &mut task, &mut node, record, proof, &clock, ctx,
    );
    abort
}

#[test, expected_failure(abort_code = stack::EWrongTask)]
fun no_trial_with_another_task() {
    let (mut w, mut db, _cap, clock) = world::begin();
    let (_task, mut node, mut stack) = w.settled(&mut db, vectors::forged_root(), &clock);
    let ctx = &mut w.by(world::admin());
    world::create(&mut db, 0, b"m", 0, 1, vector[1, 1, 1, 1, 1], 32, 0, 0, 0, 0, ctx);
    let mut other = w.last_task();
    let ctx = &mut w.by(world::stranger());
    let (record, proof) = (vectors::forged_record(), vectors::forged_proof());
    dispute::forged_request(
        &mut db, &mut stack, &mut other, &mut node, record, proof, &clock, ctx,
    );
    abort
}
