//! What purchases, leases and closes of stacks are refused for.

use super::*;

pub(super) const STACK: &[Case] = &[
    (NotStackOwner, || {
        let (mut world, stack, _) = with_any();
        world.run(STRANGER, revoke_call(stack))
    }),
    (WrongTask, || {
        let (mut world, stack, _) = with_any();
        let mut call = world.top_up_call(stack, 1);
        call.task = world.create_task().into();
        world.run(USER, call)
    }),
    (WrongTask, || {
        let (mut world, stack, node) = with_single();
        let mut call = world.claim_call(stack, node);
        call.task = world.create_task().into();
        world.run(STRANGER, call)
    }),
    (UnitsInvalid, || {
        acquire(|call| call.total_units = ComputeUnits(0))
    }),
    (UnitsInvalid, || {
        acquire(|call| call.total_units = ComputeUnits(limits::MAX_UNITS + 1))
    }),
    (UnitsInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.top_up_call(stack, 0);
        world.run(USER, call)
    }),
    (UnitsInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.top_up_call(stack, u64::MAX);
        world.run(USER, call)
    }),
    (MaxPriceInvalid, || {
        acquire(|call| call.max_price = Price(0))
    }),
    (MaxPriceInvalid, || {
        acquire(|call| call.max_price = Price(10_000_001))
    }),
    (SelectionInvalid, || acquire_raw("selection", &3u8)),
    (NodeCountInvalid, || acquire_raw("nodes", &1u8)),
    (NodeCountInvalid, || {
        acquire(|call| call.selection = Limited { nodes: 0 })
    }),
    (NodeCountInvalid, || {
        acquire(|call| {
            call.selection = Limited {
                nodes: limits::MAX_CANDIDATES + 1,
            }
        })
    }),
    (RequestKeyInvalid, || {
        acquire(|call| call.request_key = weak_key())
    }),
    (LifetimeInvalid, || {
        acquire(|call| call.lifetime_ms = DurationMs(999))
    }),
    (LifetimeInvalid, || {
        acquire(|call| call.lifetime_ms = DurationMs(90 * DAY + 1))
    }),
    (EscrowOverflow, || {
        let mut world = World::new();
        let mut new = new_task();
        new.price_ceiling = Price(u64::MAX);
        let task = world.create_task_from(new);
        let call = world.acquire_call(task, limits::MAX_UNITS, u64::MAX, Any);
        world.run(USER, call)
    }),
    (EscrowZero, || {
        let (mut world, task, _) = with_task();
        let call = world.acquire_call(task, 333, 3_000, Single);
        world.run(USER, call)
    }),
    (WrongPayment, || acquire(|call| call.payment.0.0 -= 1)),
    (WrongPayment, || acquire(|call| call.payment.0.0 += 1)),
    (WrongPayment, || {
        let (mut world, stack, _) = with_any();
        let mut call = world.top_up_call(stack, 10);
        call.payment.0.0 += 1;
        world.run(USER, call)
    }),
    // too dear, too full, too poor, too few
    (NobodyEligible, || {
        let (mut world, task, _) = with_task();
        let call = world.acquire_call(task, 1_000, 999_999, Any);
        world.run(USER, call)
    }),
    (NobodyEligible, || {
        let (mut world, task, _) = with_task();
        let call = world.acquire_call(task, 10_001, 1_500_000, Single);
        world.run(USER, call)
    }),
    (NobodyEligible, || {
        // nobody can prove to be confidential yet
        let (mut world, node) = with_node();
        let mut new = new_task();
        new.security = SecurityLevel::ConfidentialCompute;
        let task = world.create_task_from(new);
        world.ok(OPERATOR, subscribe_call(task, node, 1, 1_000));
        let call = world.acquire_call(task, 1_000, 1_500_000, Any);
        world.run(USER, call)
    }),
    (TooFewEligible, || {
        let (mut world, task, _) = with_task();
        let call = world.acquire_call(task, 1_000, 1_500_000, Limited { nodes: 2 });
        world.run(USER, call)
    }),
    (StackClosed, || {
        let (mut world, stack, _) = with_any();
        world.ok(USER, begin_close_call(stack));
        world.run(USER, begin_close_call(stack))
    }),
    (StackClosed, || {
        let (mut world, stack, _) = with_any();
        world.ok(USER, begin_close_call(stack));
        world.now += DAY;
        world.run(STRANGER, close_call(stack))
    }),
    (StackExpired, || {
        let (mut world, stack, _) = with_any();
        world.now += DAY;
        let call = world.top_up_call(stack, 1);
        world.run(USER, call)
    }),
    (StackExpired, || {
        let (mut world, stack, _) = with_any();
        world.now += DAY;
        let call = world.extend_call(stack, 1);
        world.run(USER, call)
    }),
    (StackExpired, || {
        let (mut world, stack, node) = with_any();
        world.now += DAY;
        let call = world.lease_call(stack, node, 1);
        world.run(OPERATOR, call)
    }),
    (LeaseClosed, || {
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        let call = world.top_up_call(stack, 1);
        world.run(USER, call)
    }),
    (CapacityExceeded, || {
        let (mut world, stack, _) = with_single();
        let call = world.top_up_call(stack, 9_001);
        world.run(USER, call)
    }),
    (ExtensionInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.extend_call(stack, 0);
        world.run(USER, call)
    }),
    (ExtensionInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.extend_call(stack, 89 * DAY + 1);
        world.run(USER, call)
    }),
    (ExtensionInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.extend_call(stack, u64::MAX);
        world.run(USER, call)
    }),
    (NothingUngranted, || {
        let (mut world, stack, _) = with_single();
        world.run(USER, revoke_call(stack))
    }),
    (GraceNotOver, || {
        let (mut world, stack, _) = with_any();
        world.now = world.stack(stack).settle_deadline().0;
        world.run(STRANGER, close_call(stack))
    }),
    (LeasesNotClosed, || {
        let (mut world, stack, _) = with_single();
        world.now = world.stack(stack).settle_deadline().0 + 1;
        world.run(STRANGER, close_call(stack))
    }),
];
