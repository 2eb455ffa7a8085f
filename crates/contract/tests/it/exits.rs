//! Every state that holds money has a way out, by a deadline, without anyone's help.

use crate::world::*;
use atoma_types::{
    ComputeUnits, MicroUsdc,
    chain::{Event, Selection},
};

/// The tests of this module, for `conformance`.
pub(crate) const TALES: &[(&str, fn())] = &[
    (
        "a_silent_node_loses_its_lease_and_reputation",
        a_silent_node_loses_its_lease_and_reputation,
    ),
    (
        "an_owner_takes_back_what_is_ungranted_at_any_time",
        an_owner_takes_back_what_is_ungranted_at_any_time,
    ),
    (
        "revoking_everything_closes_the_stack",
        revoking_everything_closes_the_stack,
    ),
    (
        "closing_early_leaves_nodes_their_grace",
        closing_early_leaves_nodes_their_grace,
    ),
    (
        "an_absent_owner_gets_the_rest_from_anyone_s_hand",
        an_absent_owner_gets_the_rest_from_anyone_s_hand,
    ),
    (
        "a_node_gets_out_of_a_lease_by_settling_nothing",
        a_node_gets_out_of_a_lease_by_settling_nothing,
    ),
    (
        "a_task_s_end_harms_nobody_who_holds_a_lease",
        a_task_s_end_harms_nobody_who_holds_a_lease,
    ),
];

#[test]
fn a_silent_node_loses_its_lease_and_reputation() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Single);
    world.now = world.stack(stack).settle_deadline().0 + 1;
    let call = world.expire_call(stack, node);
    let changes = world.ok(STRANGER, call);
    assert_eq!(paid_to(&changes, USER), 1_500);
    assert!(matches!(
        changes.events[..],
        [Event::LeaseExpired(_), Event::StackClosed(_)]
    ));
    assert!(world.stack(stack).closed);
    assert_eq!(
        (world.node(node).failed, world.node(node).reputation),
        (1, 450)
    );
    assert_eq!(world.subscription(task, node).leased, ComputeUnits(0));
    assert_eq!(
        world.subscription(task, node).reputation,
        450,
        "the copy follows"
    );
}

#[test]
fn an_owner_takes_back_what_is_ungranted_at_any_time() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_001, Selection::Any);
    world.grant(OPERATOR, stack, node, 1);
    let changes = world.ok(USER, revoke_call(stack));
    // 1501 were held; one unit at 1.5 needs 1
    assert_eq!(paid_to(&changes, USER), 1_500);
    assert!(!world.stack(stack).closed);
    let changes = world.earn(OPERATOR, stack, node, 1);
    assert_eq!(paid_to(&changes, OPERATOR), 1);
    assert_eq!(world.stack(stack).escrow, MicroUsdc::ZERO);
    assert!(world.stack(stack).closed);
}

#[test]
fn revoking_everything_closes_the_stack() {
    let mut world = World::new();
    let task = world.create_task();
    world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Any);
    let changes = world.ok(USER, revoke_call(stack));
    assert_eq!(paid_to(&changes, USER), 1_500);
    assert!(world.stack(stack).closed);
}

#[test]
fn closing_early_leaves_nodes_their_grace() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Any);
    world.grant(OPERATOR, stack, node, 400);
    world.now += 1;
    let changes = world.ok(USER, begin_close_call(stack));
    assert_eq!(paid_to(&changes, USER), 900);
    assert_eq!(world.stack(stack).expires_at_ms.0, world.now);
    // no new units, but what was served is paid up to the last moment of the grace
    let call = world.lease_call(stack, node, 401);
    assert!(world.run(OPERATOR, call).is_err());
    world.now += HOUR;
    let changes = world.earn(OPERATOR, stack, node, 400);
    assert_eq!(paid_to(&changes, OPERATOR), 400 - 4);
    assert_eq!(paid_to(&changes, USER), 200);
    assert!(world.stack(stack).closed);
}

#[test]
fn an_absent_owner_gets_the_rest_from_anyone_s_hand() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Any);
    world.grant(OPERATOR, stack, node, 400);
    world.earn(OPERATOR, stack, node, 400);
    world.now = world.stack(stack).settle_deadline().0 + 1;
    let changes = world.ok(STRANGER, close_call(stack));
    assert_eq!(paid_to(&changes, USER), 900);
    assert!(world.stack(stack).closed);
}

#[test]
fn a_node_gets_out_of_a_lease_by_settling_nothing() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Single);
    world.ok(OPERATOR, unsubscribe_call(task, node));
    let changes = world.earn(OPERATOR, stack, node, 0);
    assert_eq!(paid_to(&changes, USER), 1_500);
    assert_eq!((world.node(node).settled, world.node(node).failed), (0, 0));
    world.ok(OPERATOR, unbond_call(node));
}

#[test]
fn a_task_s_end_harms_nobody_who_holds_a_lease() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Single);
    world.ok(ADMIN, deprecate_call(task));
    let changes = world.earn(OPERATOR, stack, node, 1_000);
    assert_eq!(paid_to(&changes, OPERATOR), 990);
    assert_eq!(paid_to(&changes, USER), 500);
}
