//! What a conviction takes, and what it leaves.

use super::*;

#[test]
pub(super) fn an_odd_slash_is_rounded_up() {
    let mut scene = Scene::settled();
    scene.world.ok(OPERATOR, collateral_call(scene.node, 1));
    let held = scene.world.node(scene.node).collateral.0;
    assert_eq!(held % 2, 1);
    let one = scene.receipt(1);
    let other = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5));
    scene.equivocate(one, other).unwrap();
    assert_eq!(scene.world.node(scene.node).collateral.0, held / 2);
}

#[test]
pub(super) fn a_slash_rounds_up_is_capped_and_half_of_it_at_most_is_the_owner_s() {
    for (collateral, permille, owner_permille, to_owner, to_treasury) in [
        (1_001, 500, 500, 250, 251),
        (1_000, 1, 500, 0, 1),
        (1, 1, 500, 0, 1),
        (999, 1_000, 500, 499, 500),
        (1_000, 1_000, 0, 0, 1_000),
        (0, 1_000, 500, 0, 0),
        (1_000, 0, 500, 0, 0),
    ] {
        let mut scene = Scene::settled();
        scene.world.set_param("fraud_slash_permille", permille);
        scene
            .world
            .set_param("slash_owner_permille", owner_permille);
        let held = scene.world.node(scene.node).collateral.0;
        scene
            .world
            .edit_node(scene.node, |node| node.collateral = MicroUsdc(collateral));
        scene.world.flow.paid_in -= u128::from(held);
        scene.world.flow.paid_in += u128::from(collateral);
        let one = scene.receipt(1);
        let other = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5));
        let changes = scene.equivocate(one, other).unwrap();
        assert_eq!(paid_to(&changes, USER), ESCROW + to_owner);
        assert_eq!(scene.treasury(), to_treasury);
        let left = scene.world.node(scene.node).collateral.0;
        assert_eq!(left, collateral - to_owner - to_treasury);
    }
}

#[test]
pub(super) fn one_lease_is_punished_once_and_others_go_on() {
    let mut scene = Scene::served();
    let second = scene.world.buy(scene.task, 1_000, Selection::Any);
    scene.world.grant(OPERATOR, second, scene.node, 400);
    let one = scene.receipt(1);
    let other = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5));
    scene.equivocate(one, other).unwrap();
    // what it served elsewhere it is paid for, even in jail
    let changes = scene.world.earn(OPERATOR, second, scene.node, 400);
    assert_eq!(paid_to(&changes, OPERATOR), 400 - 4);
    // but it gets nothing new
    let call = scene.world.lease_call(second, scene.node, 500);
    assert_eq!(
        scene.world.run(OPERATOR, call).err(),
        Some(AbortCode::NodeNotActive)
    );
    // a second conviction, of another lease, makes the jail longer
    let until = TimestampMs(scene.world.now + 7 * DAY);
    scene.stack = second;
    let records = scene.world.records(BOTH, second, scene.node, &[400]);
    let one = (
        records[0].receipt.clone(),
        records[0].receipt_signature.clone(),
    );
    let mut fake: Receipt = bcs::from_bytes(&one.0).unwrap();
    fake.units = ComputeUnits(3);
    scene.equivocate(one, sign(fake, OPERATOR)).unwrap();
    let node = scene.world.node(scene.node);
    assert_eq!(node.status, NodeStatus::Jailed { until_ms: until });
    assert_eq!(node.collateral, MicroUsdc(250));
}

#[test]
pub(super) fn a_convicted_node_can_leave_after_its_jail_with_what_is_left() {
    let mut scene = Scene::settled();
    scene.open(1);
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 1);
    scene.world.ok(STRANGER, call);
    scene
        .world
        .ok(OPERATOR, unsubscribe_call(scene.task, scene.node));
    assert_eq!(
        scene.world.run(OPERATOR, unbond_call(scene.node)).err(),
        Some(AbortCode::NodeNotActive)
    );
    scene.world.now += 7 * DAY;
    scene.world.ok(OPERATOR, unbond_call(scene.node));
    scene.world.now += 7 * DAY;
    let changes = scene.world.ok(OPERATOR, withdraw_call(scene.node));
    assert_eq!(paid_to(&changes, OPERATOR), 900);
}

#[test]
pub(super) fn a_node_can_not_leave_a_dispute_and_stays_liable_while_it_leaves() {
    let mut scene = Scene::settled();
    scene.open(1);
    scene
        .world
        .ok(OPERATOR, unsubscribe_call(scene.task, scene.node));
    assert_eq!(
        scene.world.run(OPERATOR, unbond_call(scene.node)).err(),
        Some(AbortCode::NodeHasSubscriptions)
    );
    let blob = scene.world.blob(OPERATOR);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 1);
    scene.world.ok(OPERATOR, call);
    scene.claim();
    scene.world.ok(OPERATOR, unbond_call(scene.node));
    let leaving = scene.world.node(scene.node).status;
    let one = scene.receipt(1);
    let other = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5));
    scene.equivocate(one, other).unwrap();
    let node = scene.world.node(scene.node);
    assert_eq!((node.status, node.collateral), (leaving, MicroUsdc(500)));
}

#[test]
pub(super) fn a_pause_stops_no_dispute() {
    let mut scene = Scene::settled();
    let blob = scene.world.blob(OPERATOR);
    scene.world.set_param("paused", 1);
    scene.open(1);
    scene.open(2);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 1);
    scene.world.ok(OPERATOR, call);
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 2);
    scene.world.ok(STRANGER, call);
}

#[test]
pub(super) fn other_leases_of_the_stack_are_untouched() {
    let mut world = World::new();
    let task = world.create_task();
    let bad = world.serve(OPERATOR, task, 500_000, 10_000);
    let good = world.serve(OPERATOR + 1, task, 1_500_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Any);
    world.grant(OPERATOR, stack, bad, 300);
    world.grant(OPERATOR + 1, stack, good, 500);
    let records = world.records(BOTH, stack, bad, &[100, 200]);
    world.ok(OPERATOR, settle_records(stack, bad, &records));
    let call = world.open_call(stack, bad, 2);
    world.ok(USER, call);
    world.now += HOUR + 1;
    let call = world.resolve_call(stack, bad, 2);
    let changes = world.ok(STRANGER, call);
    // the escrow of the three hundred units alone
    assert_eq!(paid_to(&changes, USER), 450 + BOND + 50);
    assert_eq!(world.stack(stack).escrow, MicroUsdc(1_050));
    assert_eq!(world.lease_of(stack, good).price, Price(1_500_000));
    let changes = world.earn(OPERATOR + 1, stack, good, 500);
    assert_eq!(paid_to(&changes, OPERATOR + 1), 750 - 7);
    let changes = world.ok(USER, revoke_call(stack));
    assert_eq!(paid_to(&changes, USER), 300);
    assert!(world.stack(stack).closed);
}
