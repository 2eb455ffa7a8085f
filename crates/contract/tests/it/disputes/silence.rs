//! A node that is asked for a record: silent, late, honest.

use super::*;

#[test]
pub(super) fn silence_loses() {
    let mut scene = Scene::settled();
    let changes = scene.open(2);
    assert_eq!(changes.paid_in, MicroUsdc(BOND));
    let Some(Event::DisputeOpened(event)) = changes.events.first() else {
        panic!("no event");
    };
    assert_eq!((event.seq, event.receipt), (2, None));
    assert_eq!(event.deadline_ms, TimestampMs(scene.world.now + HOUR));

    // nothing is paid while it is open, though the window is over
    scene.world.now += HOUR;
    let claim = scene.world.claim_call(scene.stack, scene.node);
    assert_eq!(
        scene.world.run(OPERATOR, claim.clone()).err(),
        Some(AbortCode::DisputeOpen)
    );
    let resolve = scene.world.resolve_call(scene.stack, scene.node, 2);
    assert_eq!(
        scene.world.run(STRANGER, resolve.clone()).err(),
        Some(AbortCode::AnswerTimeNotOver)
    );
    scene.world.now += 1;
    let changes = scene.world.ok(STRANGER, resolve);
    // all of the escrow, the bond, and half of a tenth of the collateral
    assert_eq!(paid_to(&changes, USER), ESCROW + BOND + 50);
    assert_eq!(paid_to(&changes, OPERATOR), 0);
    assert_eq!(scene.treasury(), 50);
    let node = scene.world.node(scene.node);
    assert_eq!(node.collateral, MicroUsdc(900));
    assert_eq!((node.reputation, node.failed), (450, 1));
    assert!(matches!(node.status, NodeStatus::Jailed { .. }));
    assert!(matches!(
        changes.events[..],
        [
            Event::NodeStatusChanged(_),
            Event::NodeConvicted(_),
            Event::StackClosed(_)
        ]
    ));
    assert_eq!(
        scene.world.lease_of(scene.stack, scene.node).state,
        LeaseState::Closed {
            paid_units: ComputeUnits(0),
            paid: MicroUsdc(0)
        }
    );
    let subscription = scene.world.subscription(scene.task, scene.node);
    assert_eq!(subscription.leased, ComputeUnits(0));
    assert_eq!(subscription.collateral, MicroUsdc(900));
    assert_eq!(
        scene.world.run(OPERATOR, claim).err(),
        Some(AbortCode::NotSettling)
    );
}

#[test]
pub(super) fn an_honest_node_keeps_everything_and_gets_the_bond() {
    let mut scene = Scene::settled();
    let blob = scene.world.blob(STRANGER);
    for seq in 1..=3 {
        scene.open(seq);
        let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), seq);
        // whoever answers: the bond is the node's
        let changes = scene.world.ok(STRANGER, call);
        assert_eq!(paid_to(&changes, OPERATOR), BOND);
        assert_eq!(changes.payouts.len(), 1);
        let Some(Event::DisputeAnswered(event)) = changes.events.first() else {
            panic!("no event");
        };
        assert_eq!((event.seq, event.bond), (seq, MicroUsdc(BOND)));
    }
    let changes = scene.claim();
    assert_eq!(paid_to(&changes, OPERATOR), 600 - 6);
    assert_eq!(paid_to(&changes, USER), ESCROW - 600);
    let node = scene.world.node(scene.node);
    assert_eq!((node.collateral, node.reputation), (MicroUsdc(1_000), 502));
    assert_eq!(node.status, NodeStatus::Active);
}

#[test]
pub(super) fn an_answer_in_the_last_moment_counts() {
    let mut scene = Scene::settled();
    let blob = scene.world.blob(OPERATOR);
    scene.open(1);
    scene.world.now += HOUR;
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 1);
    scene.world.ok(OPERATOR, call);
    let call = scene.world.claim_call(scene.stack, scene.node);
    scene.world.ok(OPERATOR, call);
}

#[test]
pub(super) fn the_record_must_have_the_receipt_that_the_owner_holds() {
    let mut scene = Scene::settled();
    let blob = scene.world.blob(OPERATOR);
    // the node gave the user another receipt than the one that it settled
    let held = scene.other_receipt(2, |receipt| receipt.units = ComputeUnits(150));
    let mut call = scene.world.open_call(scene.stack, scene.node, 2);
    (call.receipt, call.receipt_signature) = held;
    scene.world.ok(USER, call);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 2);
    assert_eq!(
        scene.world.run(OPERATOR, call).err(),
        Some(AbortCode::ReceiptDiffers)
    );
    // with the settled one in hand, the same answer is good
    let mut call = scene.world.open_call(scene.stack, scene.node, 3);
    (call.receipt, call.receipt_signature) = scene.receipt(3);
    scene.world.ok(USER, call);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 3);
    scene.world.ok(OPERATOR, call);
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 2);
    let changes = scene.world.ok(STRANGER, call);
    assert_eq!(paid_to(&changes, USER), ESCROW + BOND + 50);
}

#[test]
pub(super) fn a_node_that_settled_no_records_can_answer_nothing() {
    let mut scene = Scene::served();
    let mut call = settle_records(scene.stack, scene.node, &scene.records);
    call.receipts_root = Hash32([6; 32]);
    scene.world.ok(OPERATOR, call);
    let blob = scene.world.blob(OPERATOR);
    scene.open(1);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 1);
    assert_eq!(
        scene.world.run(OPERATOR, call).err(),
        Some(AbortCode::ProofFails)
    );
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 1);
    scene.world.ok(STRANGER, call);
}

#[test]
pub(super) fn the_deal_s_own_bond_and_deadline_count() {
    let mut scene = Scene::settled();
    scene.world.set_param("dispute_bond", 7);
    scene.world.set_param("answer_window_ms", 5 * HOUR);
    let changes = scene.open(1);
    assert_eq!(changes.paid_in, MicroUsdc(BOND));
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 1);
    scene.world.ok(STRANGER, call);
}

#[test]
pub(super) fn a_conviction_gives_every_bond_back() {
    let mut scene = Scene::settled();
    scene.open(1);
    scene.open(3);
    let fake = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(1));
    let first = scene.receipt(1);
    let changes = scene.equivocate(first, fake).unwrap();
    scene.assert_fraud(&changes, Charge::Equivocation, ESCROW, 2 * BOND);
    scene.world.now += DAY;
    let call = scene.world.resolve_call(scene.stack, scene.node, 3);
    assert_eq!(
        scene.world.run(STRANGER, call).err(),
        Some(AbortCode::AlreadyConvicted)
    );
}
