//! Nodes and tasks.

use super::*;

pub(super) const NODE: &[Case] = &[
    (NotNodeOwner, || {
        let (mut world, node) = with_node();
        world.run(STRANGER, url_call(node, "http://a"))
    }),
    (NotNodeOwner, || {
        let (mut world, node) = with_node();
        world.run(STRANGER, unbond_call(node))
    }),
    (CollateralTooLow, || {
        register(|call| call.collateral = Payment(MicroUsdc(999)))
    }),
    (UrlInvalid, || {
        register(|call| call.url = "ftp://a".to_owned())
    }),
    (UrlInvalid, || {
        let (mut world, node) = with_node();
        world.run(OPERATOR, url_call(node, "http://"))
    }),
    (ResponseKeyInvalid, || {
        register(|call| call.response_key = weak_key())
    }),
    (SealingKeyInvalid, || {
        World::new().run_raw(
            OPERATOR,
            &raw(
                register_call(OPERATOR, 1_000),
                "sealing_key",
                &vec![1u8; 31],
            ),
        )
    }),
    (NodeNotActive, || {
        let (mut world, node) = with_node();
        world.ok(OPERATOR, unbond_call(node));
        world.run(OPERATOR, collateral_call(node, 1))
    }),
    (NodeNotActive, || {
        let (mut world, node) = with_node();
        world.ok(OPERATOR, unbond_call(node));
        world.run(OPERATOR, unbond_call(node))
    }),
    (NodeNotActive, || {
        let (mut world, stack, node) = with_any();
        let until_ms = TimestampMs(world.now + 1);
        world.edit_node(node, |node| node.status = NodeStatus::Jailed { until_ms });
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
    (NodeHasSubscriptions, || {
        let (mut world, _, node) = with_task();
        world.run(OPERATOR, unbond_call(node))
    }),
    (NotUnbonding, || {
        let (mut world, node) = with_node();
        world.run(OPERATOR, withdraw_call(node))
    }),
    (UnbondingNotOver, || {
        let (mut world, node) = with_node();
        world.ok(OPERATOR, unbond_call(node));
        world.now += world.db().params.unbonding_ms - 1;
        world.run(OPERATOR, withdraw_call(node))
    }),
    (NothingAdded, || {
        let (mut world, node) = with_node();
        world.run(OPERATOR, collateral_call(node, 0))
    }),
];

pub(super) const TASK: &[Case] = &[
    (NotTaskOwner, || {
        let (mut world, task, _) = with_task();
        world.run(STRANGER, deprecate_call(task))
    }),
    (RoleUnknown, || create_raw("role", &8u8)),
    (SecurityLevelUnknown, || create_raw("security_level", &4u8)),
    (ModelNameInvalid, || create(|new| new.model.clear())),
    (ModelNameInvalid, || {
        create(|new| new.model = "m".repeat(129))
    }),
    (PriceCeilingZero, || {
        create(|new| new.price_ceiling = Price(0))
    }),
    (WeightsInvalid, || create_raw("weights", &vec![1u64; 4])),
    (WeightsInvalid, || {
        create(|new| new.weights = UnitWeights::from_list([0; 5]))
    }),
    (WeightsInvalid, || {
        create(|new| new.weights.output = limits::MAX_WEIGHT + 1)
    }),
    (ModelHashInvalid, || create_raw("model", &vec![1u8; 33])),
    (NumericsUnknown, || create_raw("numerics", &3u8)),
    (RuleUnknown, || create_raw("rule", &2u8)),
    (RuleUnfit, || {
        create(|new| new.engine.numerics = Numerics::Tolerant)
    }),
    (MinReputationTooHigh, || {
        create(|new| new.min_reputation = 1_001)
    }),
    (AllowListTooLong, || {
        create(|new| new.allow_list = Some(vec![NodeId(address(1)); 65]))
    }),
    (TaskDeprecated, || {
        let (mut world, task, _) = with_task();
        world.ok(ADMIN, deprecate_call(task));
        world.run(ADMIN, deprecate_call(task))
    }),
    (TaskDeprecated, || {
        let (mut world, task, node) = with_task();
        world.ok(ADMIN, deprecate_call(task));
        world.run(OPERATOR, subscribe_call(task, node, 1, 1))
    }),
    (TaskDeprecated, || {
        let (mut world, task, _) = with_task();
        world.ok(ADMIN, deprecate_call(task));
        let call = world.acquire_call(task, 1_000, 1_500_000, Single);
        world.run(USER, call)
    }),
    (TaskDeprecated, || {
        let (mut world, stack, _) = with_single();
        world.ok(ADMIN, deprecate_call(world.stack(stack).task));
        let call = world.top_up_call(stack, 1);
        world.run(USER, call)
    }),
    (NodeNotAllowed, || {
        subscribe(|new| new.allow_list = Some(vec![]), 1, 1)
    }),
    (PriceInvalid, || subscribe(|_| {}, 0, 1)),
    (PriceInvalid, || {
        subscribe(|new| new.price_ceiling = Price(5), 6, 1)
    }),
    (CapacityInvalid, || subscribe(|_| {}, 1, 0)),
    (CapacityInvalid, || {
        subscribe(|_| {}, 1, limits::MAX_UNITS + 1)
    }),
    (CollateralBelowTask, || {
        subscribe(|new| new.min_collateral = MicroUsdc(1_001), 1, 1)
    }),
    (ReputationBelowTask, || {
        subscribe(|new| new.min_reputation = 501, 1, 1)
    }),
    (SubscriptionsFull, || {
        let (mut world, task, node) = with_task();
        let late = world.register(OTHER, 1_000);
        world.edit(task, |object| {
            let Object::Task(task) = object else { panic!() };
            let one = task.subscription(node).cloned().unwrap();
            task.subscriptions = vec![one; limits::MAX_SUBSCRIPTIONS];
        });
        world.run(OTHER, subscribe_call(task, late, 1, 1))
    }),
    (NotSubscribed, || {
        let (mut world, task, _) = with_task();
        let other = world.register(OTHER, 1_000);
        world.run(OTHER, unsubscribe_call(task, other))
    }),
    (NotSubscribed, || {
        let (mut world, task, _) = with_task();
        let other = world.register(OTHER, 1_000);
        world.run(STRANGER, sync_call(task, other))
    }),
];
