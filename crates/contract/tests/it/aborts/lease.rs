//! Grants and settlements.

use super::*;

pub(super) const GRANT: &[Case] = &[
    (SingleTakesNoGrants, || {
        let (mut world, stack, node) = with_single();
        let call = world.lease_call(stack, node, 1_001);
        world.run(OPERATOR, call)
    }),
    (NotCandidate, || {
        let (mut world, task, first) = with_task();
        let second = world.serve(OTHER, task, 1_000_000, 10_000);
        let stack = world.buy(task, 1_000, Limited { nodes: 1 });
        let (operator, node) = if world.stack(stack).candidates == [first] {
            (OTHER, second)
        } else {
            (OPERATOR, first)
        };
        let call = world.lease_call(stack, node, 100);
        world.run(operator, call)
    }),
    (GrantInvalid, || {
        let (mut world, stack, node) = with_any();
        let mut call = world.lease_call(stack, node, 100);
        call.grant.pop();
        world.run(OPERATOR, call)
    }),
    (GrantWrongNetwork, || {
        grant(|grant| grant.network = NetworkId([1; 32]), USER)
    }),
    (GrantWrongStack, || {
        grant(|grant| grant.stack = StackId(address(1)), USER)
    }),
    (GrantWrongNode, || {
        grant(|grant| grant.node = NodeId(address(1)), USER)
    }),
    (GrantBadSignature, || grant(|_| {}, STRANGER)),
    (GrantBadSignature, || {
        let (mut world, stack, node) = with_any();
        let mut call = world.lease_call(stack, node, 100);
        call.signature.pop();
        world.run(OPERATOR, call)
    }),
    (GrantExpired, || {
        grant(|grant| grant.expires_at_ms = TimestampMs(1), USER)
    }),
    (GrantNotHigher, || {
        let (mut world, stack, node) = with_any();
        world.grant(OPERATOR, stack, node, 100);
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
    (LeaseClosed, || {
        let (mut world, stack, node) = with_any();
        world.grant(OPERATOR, stack, node, 100);
        world.ok(OPERATOR, nothing_call(stack, node));
        let call = world.lease_call(stack, node, 200);
        world.run(OPERATOR, call)
    }),
    (LeasesFull, || {
        let (mut world, stack, node) = with_any();
        let task = world.stack(stack).task;
        world.grant(OPERATOR, stack, node, 100);
        let late = world.serve(OTHER, task, 1_000_000, 10_000);
        world.edit(stack, |object| {
            let Object::Stack(stack) = object else {
                panic!()
            };
            stack.leases = vec![stack.leases[0].clone(); limits::MAX_LEASES];
        });
        let call = world.lease_call(stack, late, 100);
        world.run(OTHER, call)
    }),
    (LeasesExceedStack, || {
        grant(|grant| grant.cumulative_units = ComputeUnits(1_001), USER)
    }),
    (NotSubscribed, || {
        let (mut world, stack, _) = with_any();
        let other = world.register(OTHER, 1_000);
        let call = world.lease_call(stack, other, 100);
        world.run(OTHER, call)
    }),
    (SubscriptionNotActive, || {
        let (mut world, stack, node) = with_any();
        world.grant(OPERATOR, stack, node, 100);
        world.ok(OPERATOR, unsubscribe_call(world.stack(stack).task, node));
        let call = world.lease_call(stack, node, 200);
        world.run(OPERATOR, call)
    }),
    (PriceAboveMax, || {
        let (mut world, stack, node) = with_any();
        let task = world.stack(stack).task;
        world.ok(OPERATOR, subscribe_call(task, node, 1_500_001, 10_000));
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
    (CapacityExceeded, || {
        let (mut world, stack, node) = with_any();
        let task = world.stack(stack).task;
        world.ok(OPERATOR, subscribe_call(task, node, 1_000_000, 99));
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
    (CollateralBelowTask, || {
        let (mut world, stack, node) = with_any();
        let task = world.stack(stack).task;
        world.edit(task, |object| {
            let Object::Task(task) = object else { panic!() };
            task.min_collateral = MicroUsdc(1_001);
        });
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
];

pub(super) const SETTLEMENT: &[Case] = &[
    (NotNodeOwner, || {
        let (mut world, stack, node) = with_single();
        world.run(STRANGER, nothing_call(stack, node))
    }),
    (NoSuchLease, || {
        let (mut world, stack, node) = with_any();
        world.run(OPERATOR, nothing_call(stack, node))
    }),
    (NoSuchLease, || {
        let (mut world, stack, node) = with_any();
        let call = world.claim_call(stack, node);
        world.run(STRANGER, call)
    }),
    (DisputeOpen, || {
        let mut played = played();
        played.open(1);
        played.world.now += DAY;
        let call = played.world.claim_call(played.stack, played.node);
        played.world.run(STRANGER, call)
    }),
    (LeaseNotOpen, || {
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        world.run(OPERATOR, nothing_call(stack, node))
    }),
    (LeaseNotOpen, || {
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        world.now += 10 * DAY;
        let call = world.expire_call(stack, node);
        world.run(STRANGER, call)
    }),
    (DeadlinePassed, || {
        let (mut world, stack, node) = with_single();
        world.now = world.stack(stack).settle_deadline().0 + 1;
        world.run(OPERATOR, nothing_call(stack, node))
    }),
    (ClaimAboveLease, || {
        settle(|_, call, _, _| call.claimed_units = ComputeUnits(1_001))
    }),
    (RootInvalid, || settle_raw("receipts_root", &vec![0u8; 31])),
    (ManifestInvalid, || {
        settle_raw("manifest_blob", &vec![0u8; 31])
    }),
    (NotSettling, || {
        let (mut world, stack, node) = with_single();
        let call = world.claim_call(stack, node);
        world.run(STRANGER, call)
    }),
    (NotSettling, || {
        let (mut world, stack, node) = with_single();
        world.earn(OPERATOR, stack, node, 100);
        let call = world.claim_call(stack, node);
        world.run(STRANGER, call)
    }),
    (WindowNotOver, || {
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        world.now += HOUR - 1;
        let call = world.claim_call(stack, node);
        world.run(STRANGER, call)
    }),
    (DeadlineNotPassed, || {
        let (mut world, stack, node) = with_single();
        world.now = world.stack(stack).settle_deadline().0;
        let call = world.expire_call(stack, node);
        world.run(STRANGER, call)
    }),
];
