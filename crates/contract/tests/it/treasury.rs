//! Fees in, shares out.

use crate::world::*;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, TaskId,
    chain::{Event, Selection},
};

/// The tests of this module, for `conformance`.
pub(crate) const TALES: &[(&str, fn())] = &[
    ("an_epoch_pays_by_units", an_epoch_pays_by_units),
    (
        "nobody_gains_by_being_paid_last",
        nobody_gains_by_being_paid_last,
    ),
    (
        "a_share_can_be_fetched_until_a_new_book_opens",
        a_share_can_be_fetched_until_a_new_book_opens,
    ),
    (
        "cheap_units_count_for_their_price",
        cheap_units_count_for_their_price,
    ),
    (
        "units_of_older_epochs_are_not_reported",
        units_of_older_epochs_are_not_reported,
    ),
];

/// Two nodes that were paid for 100 000 and 200 000 units; 3 000 of fees are in the treasury, and
/// the next epoch has just begun.
fn with_fees() -> (World, TaskId, [NodeId; 2]) {
    let mut world = World::new();
    let task = world.create_task();
    let mut nodes = Vec::new();
    for operator in [OPERATOR, OPERATOR + 1] {
        let node = world.serve(operator, task, 1_000_000, 1_000_000);
        let units = 100_000 * u64::from(operator - OPERATOR + 1);
        let stack = world.buy(task, units, Selection::Any);
        world.grant(operator, stack, node, units);
        world.earn(operator, stack, node, units);
        nodes.push(node);
    }
    world.ok(STRANGER, collect_call(task));
    assert_eq!(world.db().communal_treasury, MicroUsdc(3_000));
    world.now = (world.now / DAY + 1) * DAY;
    (world, task, [nodes[0], nodes[1]])
}

#[test]
fn an_epoch_pays_by_units() {
    let (mut world, _, nodes) = with_fees();
    for node in nodes {
        world.ok(STRANGER, report_call(node));
    }
    world.now += DAY / 2;
    // a tenth of 3000, one third and two thirds of it
    let changes = world.ok(STRANGER, pay_call(nodes[0]));
    assert_eq!(paid_to(&changes, OPERATOR), 100);
    assert!(matches!(changes.events[..], [Event::TreasuryPaid(_)]));
    let changes = world.ok(STRANGER, pay_call(nodes[1]));
    assert_eq!(paid_to(&changes, OPERATOR + 1), 200);
    assert_eq!(world.db().communal_treasury, MicroUsdc(2_700));
}

#[test]
fn nobody_gains_by_being_paid_last() {
    let (mut world, task, nodes) = with_fees();
    world.set_param("treasury_payout_permille", 1);
    for node in nodes {
        world.ok(STRANGER, report_call(node));
    }
    world.now += DAY / 2;
    // a pool of 3: exact shares; one of 2: the odd micro stays
    world.ok(STRANGER, pay_call(nodes[0]));
    let changes = world.ok(STRANGER, pay_call(nodes[1]));
    assert_eq!(paid_to(&changes, OPERATOR + 1), 2);
    assert_eq!(world.db().communal_treasury, MicroUsdc(2_997));
    assert_eq!(world.task(task).fees, MicroUsdc::ZERO);
}

#[test]
fn a_share_can_be_fetched_until_a_new_book_opens() {
    let (mut world, task, nodes) = with_fees();
    for node in nodes {
        world.ok(STRANGER, report_call(node));
    }
    world.now += DAY;
    let stack = world.buy(task, 1_000, Selection::Any);
    world.grant(OPERATOR, stack, nodes[0], 1_000);
    world.earn(OPERATOR, stack, nodes[0], 1_000);
    world.ok(STRANGER, pay_call(nodes[0]));
    world.now = (world.now / DAY + 1) * DAY;
    world.ok(STRANGER, report_call(nodes[0]));
    // the second's share has lapsed: its money never left the treasury
    world.now += DAY / 2;
    assert!(world.run(STRANGER, pay_call(nodes[1])).is_err());
    assert_eq!(world.db().communal_treasury, MicroUsdc(2_900));
    world.ok(STRANGER, pay_call(nodes[0]));
    assert_eq!(world.db().communal_treasury, MicroUsdc(2_900 - 290));
}

#[test]
fn cheap_units_count_for_their_price() {
    let mut world = World::new();
    let task = world.create_task();
    let node = world.serve(OPERATOR, task, 1_000, 1 << 50);
    let stack = world.buy(task, 1_000_000, Selection::Single);
    world.earn(OPERATOR, stack, node, 1_000_000);
    assert_eq!(world.node(node).current.units, ComputeUnits(1_000));
}

#[test]
fn units_of_older_epochs_are_not_reported() {
    let (mut world, _, nodes) = with_fees();
    world.now += DAY;
    assert!(world.run(STRANGER, report_call(nodes[0])).is_err());
}
