//! Nodes and tasks: joining, offering, leaving.

use crate::world::*;
use atoma_contract::{Object, Owner};
use atoma_types::{
    ComputeUnits, MicroUsdc, Price, SealingKey, TimestampMs,
    chain::{AbortCode, Event, LOCALNET_DB, NodeStatus, Selection, SubscriptionState},
};

/// The tests of this module, for `conformance`.
pub(crate) const TALES: &[(&str, fn())] = &[
    (
        "a_node_joins_works_and_leaves_with_its_collateral",
        a_node_joins_works_and_leaves_with_its_collateral,
    ),
    ("a_jail_ends_by_time", a_jail_ends_by_time),
    (
        "a_jail_ends_without_a_subscription_too",
        a_jail_ends_without_a_subscription_too,
    ),
    (
        "a_task_is_created_counted_and_deprecated",
        a_task_is_created_counted_and_deprecated,
    ),
    (
        "subscriptions_change_leave_and_come_back",
        subscriptions_change_leave_and_come_back,
    ),
    (
        "without_leases_a_subscription_goes_at_once",
        without_leases_a_subscription_goes_at_once,
    ),
    (
        "parameters_are_set_by_the_cap_s_owner",
        parameters_are_set_by_the_cap_s_owner,
    ),
    ("objects_survive_their_bytes", objects_survive_their_bytes),
    (
        "calls_of_one_transaction_see_each_other_and_a_failed_one_leaves_the_rest",
        calls_of_one_transaction_see_each_other_and_a_failed_one_leaves_the_rest,
    ),
];

#[test]
fn a_node_joins_works_and_leaves_with_its_collateral() {
    let mut world = World::new();
    let mut call = register_call(OPERATOR, 1_500);
    call.sealing_key = Some(SealingKey([5; 32]));
    world.ok(OPERATOR, call);
    let Some(Event::NodeRegistered(event)) = world
        .ok(OPERATOR, register_call(OPERATOR, 1_000))
        .events
        .pop()
    else {
        panic!("no event");
    };
    assert_eq!(event.number, 2);
    let node = event.node;
    assert_eq!(world.node(node).reputation, 500);
    assert_eq!(world.node(node).status, NodeStatus::Active);
    assert_eq!(world.db().nodes.size, 2);

    world.ok(OPERATOR, url_call(node, "https://node.example"));
    world.ok(OPERATOR, collateral_call(node, 7));
    assert_eq!(world.node(node).collateral, MicroUsdc(1_007));
    assert_eq!(world.node(node).url, "https://node.example");

    world.ok(OPERATOR, unbond_call(node));
    let until_ms = TimestampMs(world.now + 7 * DAY);
    assert_eq!(world.node(node).status, NodeStatus::Unbonding { until_ms });
    world.now = until_ms.0;
    let changes = world.ok(OPERATOR, withdraw_call(node));
    assert_eq!(paid_to(&changes, OPERATOR), 1_007);
    assert_eq!(world.node(node).status, NodeStatus::Left);
    // what it held is gone, and nothing brings it back
    assert!(world.run(OPERATOR, withdraw_call(node)).is_err());
    assert!(world.run(OPERATOR, collateral_call(node, 1)).is_err());
    assert!(world.run(OPERATOR, unbond_call(node)).is_err());
}

#[test]
fn a_jail_ends_by_time() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000, 1_000_000);
    let until_ms = TimestampMs(world.now + HOUR);
    world.edit_node(node, |node| node.status = NodeStatus::Jailed { until_ms });

    world.ok(STRANGER, sync_call(task, node));
    let state = world.subscription(task, node).state;
    assert_eq!(state, SubscriptionState::Suspended);
    let call = world.acquire_call(task, 1_000, 1_000, Selection::Single);
    assert!(world.run(USER, call.clone()).is_err());
    assert!(
        world
            .run(OPERATOR, subscribe_call(task, node, 1, 1))
            .is_err()
    );

    world.now = until_ms.0;
    world.ok(STRANGER, sync_call(task, node));
    assert_eq!(world.node(node).status, NodeStatus::Active);
    world.ok(USER, call);
}

#[test]
fn a_jail_ends_without_a_subscription_too() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.register(OPERATOR, 1_000_000);
    let until_ms = TimestampMs(world.now + HOUR);
    world.edit_node(node, |node| node.status = NodeStatus::Jailed { until_ms });
    let early = world.run(STRANGER, sync_call(task, node));
    assert_eq!(early.unwrap_err(), AbortCode::NotSubscribed);

    world.now = until_ms.0;
    let subscribe = subscribe_call(task, node, 1, 1);
    assert!(world.run(OPERATOR, subscribe.clone()).is_err());
    world.ok(STRANGER, sync_call(task, node));
    assert_eq!(world.node(node).status, NodeStatus::Active);
    world.ok(OPERATOR, subscribe);
}

#[test]
fn a_task_is_created_counted_and_deprecated() {
    let mut world = World::new();
    let first = world.create_task();
    let second = world.create_task();
    assert_eq!(world.task(second).number, 2);
    assert_eq!(world.task(second).weights.cached_input, 100);
    assert_eq!((world.db().tasks.size, world.db().models.size), (2, 1));
    world.ok(ADMIN, deprecate_call(first));
    assert_eq!(world.db().models.size, 1);
    world.ok(ADMIN, deprecate_call(second));
    assert_eq!(world.db().models.size, 0);
    world.create_task();
    assert_eq!((world.db().tasks.size, world.db().models.size), (3, 1));
}

#[test]
fn subscriptions_change_leave_and_come_back() {
    let mut world = World::new();
    let node = world.register(OPERATOR, 1_000);
    let mut new = new_task();
    new.allow_list = Some(vec![node]);
    let task = world.create_task_from(new);
    world.ok(OPERATOR, subscribe_call(task, node, 1_000_000, 1_000));
    world.ok(OPERATOR, subscribe_call(task, node, 1_200_000, 2_000));
    assert_eq!(world.task(task).subscriptions.len(), 1);
    assert_eq!(world.subscription(task, node).price, Price(1_200_000));

    // with a lease it only stops taking more, and may change its mind
    let stack = world.buy(task, 500, Selection::Single);
    assert_eq!(world.subscription(task, node).leased, ComputeUnits(500));
    world.ok(OPERATOR, unsubscribe_call(task, node));
    assert_eq!(
        world.subscription(task, node).state,
        SubscriptionState::Leaving
    );
    world.ok(STRANGER, sync_call(task, node));
    assert_eq!(
        world.subscription(task, node).state,
        SubscriptionState::Leaving
    );
    world.ok(OPERATOR, subscribe_call(task, node, 1_000_000, 1_000));
    assert_eq!(
        world.subscription(task, node).state,
        SubscriptionState::Active
    );

    // the last lease takes the entry with it
    world.ok(OPERATOR, unsubscribe_call(task, node));
    world.earn(OPERATOR, stack, node, 1);
    assert!(world.task(task).subscription(node).is_none());
    assert_eq!(world.node(node).subscriptions, 0);
    world.ok(OPERATOR, unbond_call(node));
}

#[test]
fn without_leases_a_subscription_goes_at_once() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000, 1_000);
    world.ok(OPERATOR, unsubscribe_call(task, node));
    assert!(world.task(task).subscriptions.is_empty());
    assert_eq!(world.node(node).subscriptions, 0);
}

#[test]
fn parameters_are_set_by_the_cap_s_owner() {
    let mut world = World::new();
    for (name, value) in [("protocol_fee_permille", 200), ("min_lifetime_ms", 5)] {
        world.set_param(name, value);
        assert_eq!(world.db().params.get(name), Some(value));
    }
}

#[test]
fn objects_survive_their_bytes() {
    let mut world = World::new();
    let task = world.create_task();
    world.serve(OPERATOR, task, 1_000_000, 1_000);
    world.buy(task, 500, Selection::Single);
    world.blob(USER);
    let mut kinds = 0;
    for (object, owner) in world.state.iter() {
        let Some(kind) = object.kind() else {
            let Object::Entry(entry) = object else {
                panic!("only entries have no kind");
            };
            assert_eq!(owner, Owner::Object(entry.parent));
            assert!(object.to_bcs().starts_with(entry.id.as_bytes()));
            continue;
        };
        kinds += 1;
        let bytes = object.to_bcs();
        assert!(
            bytes.starts_with(object.id().as_bytes()),
            "the id comes first"
        );
        assert_eq!(Object::from_bcs(kind, &bytes).as_ref(), Ok(object));
        assert!(Object::from_bcs(kind, &bytes[1..]).is_err());
    }
    assert_eq!(kinds, 8);
}

#[test]
fn calls_of_one_transaction_see_each_other_and_a_failed_one_leaves_the_rest() {
    let mut world = World::new();
    let node = world.register(OPERATOR, 1_000);
    let env = atoma_contract::Env {
        sender: address(OPERATOR),
        now: TimestampMs(world.now),
        network: NETWORK,
        transaction: sui_digest(),
        created: 0,
        seed: [0; 32],
    };
    let mut txn = world.state.begin(env);
    txn.call(&collateral_call(node, 5).into()).unwrap();
    let first = txn.fresh_id();
    assert!(txn.call(&withdraw_call(node).into()).is_err());
    txn.call(&collateral_call(node, 6).into()).unwrap();
    txn.call(&register_call(OPERATOR, 2_000).into()).unwrap();
    assert_ne!(txn.fresh_id(), first);
    assert!(matches!(txn.get(node.0), Some(Object::Node(node)) if node.collateral.0 == 1_011));
    let changes = txn.finish();
    assert_eq!(changes.paid_in, MicroUsdc(2_011));
    assert_eq!(changes.created, 3);
    assert_eq!(changes.events.len(), 3);
    assert_eq!(world.node(node).collateral.0, 1_000, "not committed yet");
    world.state.commit(changes);
    assert_eq!(world.node(node).collateral.0, 1_011);
    assert_eq!(world.db().nodes.size, 2);
    assert!(world.state.get(LOCALNET_DB).is_some());
}

fn sui_digest() -> sui_sdk_types::Digest {
    sui_sdk_types::Digest::new([3; 32])
}
