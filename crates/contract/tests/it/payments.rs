//! Stacks from purchase to payment, with the money counted by hand.

use crate::world::*;
use atoma_types::{
    BlobId, ComputeUnits, MicroUsdc, Price, SecurityLevel, TimestampMs,
    chain::{Event, LeaseState, Selection},
    hash::Hash32,
};

/// The tests of this module, for `conformance`.
pub(crate) const TALES: &[(&str, fn())] = &[
    (
        "a_single_stack_pays_node_fee_and_owner",
        a_single_stack_pays_node_fee_and_owner,
    ),
    (
        "the_surcharge_of_a_sampling_task_comes_back_when_nobody_audits",
        the_surcharge_of_a_sampling_task_comes_back_when_nobody_audits,
    ),
    (
        "the_surcharge_stays_for_what_is_still_leased",
        the_surcharge_stays_for_what_is_still_leased,
    ),
    (
        "any_grants_units_to_whom_the_owner_chooses",
        any_grants_units_to_whom_the_owner_chooses,
    ),
    (
        "a_lease_keeps_the_price_it_began_with",
        a_lease_keeps_the_price_it_began_with,
    ),
    (
        "limited_draws_distinct_candidates_and_only_they_lease",
        limited_draws_distinct_candidates_and_only_they_lease,
    ),
    (
        "a_single_stack_s_top_up_goes_to_its_node",
        a_single_stack_s_top_up_goes_to_its_node,
    ),
    (
        "other_stacks_grow_in_what_is_ungranted",
        other_stacks_grow_in_what_is_ungranted,
    ),
    (
        "an_extension_moves_every_deadline",
        an_extension_moves_every_deadline,
    ),
    (
        "lanes_add_up_and_expired_headers_stay_vouchers",
        lanes_add_up_and_expired_headers_stay_vouchers,
    ),
    (
        "huge_ceilings_of_many_lanes_do_not_overflow",
        huge_ceilings_of_many_lanes_do_not_overflow,
    ),
    (
        "receipts_of_nothing_earn_nothing",
        receipts_of_nothing_earn_nothing,
    ),
];

#[test]
fn a_single_stack_pays_node_fee_and_owner() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 1_000_000);
    let stack = world.buy(task, 100_000, Selection::Single);
    // a hundred thousand units at 1.5
    assert_eq!(world.stack(stack).escrow, MicroUsdc(150_000));
    assert_eq!(world.stack(stack).candidates, [node]);
    assert_eq!(world.lease_of(stack, node).price, Price(1_000_000));

    let mut call = world.settle_call(OPERATOR, stack, node, 60_001);
    call.receipts_root = Hash32([6; 32]);
    call.manifest_blob = Some(BlobId([8; 32]));
    let changes = world.ok(OPERATOR, call);
    let Some(Event::SettlementOpened(event)) = changes.events.first() else {
        panic!("no event");
    };
    assert_eq!(event.receipts_root, Hash32([6; 32]));
    assert_eq!(event.manifest_blob, Some(BlobId([8; 32])));
    assert_eq!(event.deadline_ms, TimestampMs(world.now + HOUR));

    world.now += HOUR;
    let claim = world.claim_call(stack, node);
    let changes = world.ok(STRANGER, claim);
    // 60 001 at 1.0, of which 1 percent rounded down is the protocol's
    assert_eq!(paid_to(&changes, OPERATOR), 60_001 - 600);
    assert_eq!(paid_to(&changes, USER), 150_000 - 60_001);
    assert_eq!(world.task(task).fees, MicroUsdc(600));
    assert!(world.stack(stack).closed);
    assert_eq!(
        world.lease_of(stack, node).state,
        LeaseState::Closed {
            paid_units: ComputeUnits(60_001),
            paid: MicroUsdc(59_401)
        }
    );
    let node = world.node(node);
    assert_eq!((node.settled, node.failed, node.reputation), (1, 0, 502));
}

#[test]
fn the_surcharge_of_a_sampling_task_comes_back_when_nobody_audits() {
    let mut world = World::new();
    let mut new = new_task();
    new.security = SecurityLevel::SamplingConsensus;
    let task = world.create_task_from(new);
    let node = world.serve(OPERATOR, task, 1_500_000, 10_000);
    let stack = world.buy(task, 1_001, Selection::Single);
    // floor(1001 * 1.5) = 1501, times 1.02 = 1531.02
    assert_eq!(world.stack(stack).escrow, MicroUsdc(1_531));
    // a change of the parameter doesn't touch the deal
    world.set_param("sampling_surcharge_permille", 500);
    let changes = world.earn(OPERATOR, stack, node, 1_001);
    assert_eq!(paid_to(&changes, OPERATOR), 1_501 - 15);
    assert_eq!(paid_to(&changes, USER), 30);
}

#[test]
fn the_surcharge_stays_for_what_is_still_leased() {
    let mut world = World::new();
    let mut new = new_task();
    new.security = SecurityLevel::SamplingConsensus;
    let task = world.create_task_from(new);
    let node = world.serve(OPERATOR, task, 1_500_000, 10_000);
    let stack = world.buy(task, 1_001, Selection::Any);
    world.grant(OPERATOR, stack, node, 500);
    let changes = world.ok(USER, revoke_call(stack));
    // 750, times 1.02, stay
    assert_eq!(world.stack(stack).escrow, MicroUsdc(765));
    assert_eq!(paid_to(&changes, USER), 1_531 - 765);
    let changes = world.earn(OPERATOR, stack, node, 500);
    assert_eq!(paid_to(&changes, OPERATOR), 750 - 7);
    assert_eq!(paid_to(&changes, USER), 15);
}

#[test]
fn any_grants_units_to_whom_the_owner_chooses() {
    let mut world = World::new();
    let task = world.create_task();
    let cheap = world.serve(OPERATOR, task, 500_000, 10_000);
    let dear = world.serve(OPERATOR + 1, task, 1_500_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Any);
    world.grant(OPERATOR, stack, cheap, 300);
    world.grant(OPERATOR + 1, stack, dear, 500);
    world.grant(OPERATOR, stack, cheap, 500);
    assert_eq!(world.stack(stack).ungranted_units(), ComputeUnits(0));
    assert_eq!(world.subscription(task, cheap).open_leases, 1);

    // each is paid at its own price, and the rest of each lease goes back with its payment
    let changes = world.earn(OPERATOR, stack, cheap, 200);
    assert_eq!(paid_to(&changes, OPERATOR), 100 - 1);
    assert_eq!(paid_to(&changes, USER), 750 - 100);
    let changes = world.earn(OPERATOR + 1, stack, dear, 500);
    assert_eq!(paid_to(&changes, OPERATOR + 1), 750 - 7);
    assert_eq!(paid_to(&changes, USER), 0);
    assert!(world.stack(stack).closed);
}

#[test]
fn a_lease_keeps_the_price_it_began_with() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Any);
    world.grant(OPERATOR, stack, node, 100);
    world.ok(OPERATOR, subscribe_call(task, node, 9_000_000, 10_000));
    world.grant(OPERATOR, stack, node, 200);
    assert_eq!(world.lease_of(stack, node).price, Price(1_000_000));
}

#[test]
fn limited_draws_distinct_candidates_and_only_they_lease() {
    let mut world = World::new();
    let task = world.create_task();
    for operator in OPERATOR..OPERATOR + 4 {
        world.serve(operator, task, 1_000_000, 10_000);
    }
    let stack = world.buy(task, 1_000, Selection::Limited { nodes: 3 });
    let candidates = world.stack(stack).candidates.clone();
    assert_eq!(candidates.len(), 3);
    assert!(world.stack(stack).leases.is_empty());
    for operator in OPERATOR..OPERATOR + 4 {
        let node = world.task(task).subscriptions[usize::from(operator - OPERATOR)].node;
        let call = world.lease_call(stack, node, 100);
        let outcome = world.run(operator, call);
        assert_eq!(outcome.is_ok(), candidates.contains(&node));
    }
}

#[test]
fn a_single_stack_s_top_up_goes_to_its_node() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 2_000);
    let stack = world.buy(task, 1_001, Selection::Single);
    assert_eq!(world.stack(stack).escrow, MicroUsdc(1_501));
    let call = world.top_up_call(stack, 999);
    // together exactly 2000 at 1.5: the halves that were rounded off are asked for now
    assert_eq!(call.payment.0, MicroUsdc(1_499));
    let changes = world.ok(USER, call);
    assert!(matches!(
        changes.events[..],
        [Event::ToppedUp(_), Event::Leased(_)]
    ));
    assert_eq!(world.lease_of(stack, node).units, ComputeUnits(2_000));
    assert_eq!(world.subscription(task, node).leased, ComputeUnits(2_000));
    world.earn(OPERATOR, stack, node, 2_000);
}

#[test]
fn other_stacks_grow_in_what_is_ungranted() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Any);
    world.grant(OPERATOR, stack, node, 1_000);
    let call = world.top_up_call(stack, 500);
    world.ok(USER, call);
    assert_eq!(world.stack(stack).ungranted_units(), ComputeUnits(500));
    world.grant(OPERATOR, stack, node, 1_500);
}

#[test]
fn an_extension_moves_every_deadline() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Single);
    let call = world.extend_call(stack, DAY);
    world.ok(USER, call);
    world.now += 2 * DAY + HOUR;
    world.earn(OPERATOR, stack, node, 10);
}

#[test]
fn lanes_add_up_and_expired_headers_stay_vouchers() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Single);
    let mut call = world.settle_call(OPERATOR, stack, node, 100);
    call.headers.clear();
    call.header_signatures.clear();
    for (lane, ceiling) in [(0, 60), (3, 30), (u16::MAX, 10)] {
        add_header(&mut call, world.header(stack, node, lane, ceiling), USER);
    }
    world.now += DAY;
    world.ok(OPERATOR, call);
}

#[test]
fn huge_ceilings_of_many_lanes_do_not_overflow() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Single);
    let mut call = world.settle_call(OPERATOR, stack, node, 1_000);
    call.headers.clear();
    call.header_signatures.clear();
    for lane in 0..64 {
        add_header(&mut call, world.header(stack, node, lane, u64::MAX), USER);
    }
    world.ok(OPERATOR, call);
}

#[test]
fn receipts_of_nothing_earn_nothing() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Single);
    let mut call = nothing_call(stack, node);
    call.count = 1;
    set_receipt(&mut call, world.receipt(stack, node, 1, 0), OPERATOR);
    add_header(&mut call, world.header(stack, node, 0, 5), USER);
    world.ok(OPERATOR, call);
    world.now += HOUR;
    let call = world.claim_call(stack, node);
    let changes = world.ok(STRANGER, call);
    assert_eq!(paid_to(&changes, USER), 1_500);
    assert_eq!(
        (world.node(node).settled, world.node(node).reputation),
        (0, 500)
    );
}
