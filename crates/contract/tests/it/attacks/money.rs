//! Money that is stuck, or leaves by a way that it should not.

use super::Tale;
use crate::world::*;
use atoma_types::chain::AbortCode;

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    ("b7_no_exit_pays_anybody", b7_no_exit_pays_anybody),
    (
        "collateral_leaves_only_after_unbonding_with_nothing_at_stake",
        collateral_leaves_only_after_unbonding_with_nothing_at_stake,
    ),
];

/// B7. Edition 1: exits pushed money to others. An owner whom USDC's issuer had frozen made claim, expiry and conviction abort, and the
/// node's collateral was stuck for ever.
#[test]
fn b7_no_exit_pays_anybody() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut paid = w.leased(OPERATOR, task, node, USDC);
    paid.serve(&w, 1_000);
    let changes = w.earn(&mut paid);
    assert!(changes.payouts.is_empty());
    let mut guilty = w.leased(OPERATOR, task, node, USDC);
    guilty.serve(&w, 1_000);
    w.settle(&guilty);
    assert!(w.silence(&guilty, 0).payouts.is_empty());
    w.now += 3 * DAY;
    let changes = w.ok(STRANGER, expire_call(paid.stack, node));
    assert!(changes.payouts.is_empty());
    assert_eq!(w.node(node).at_stake.0, 0);
    // whoever withdraws names where to: one signature, and an address that is not frozen
    let changes = w.ok(USER, withdraw_stack_call(paid.stack, 42));
    assert_eq!(paid_to(&changes, 42), USDC - 1_000);
    w.refused(
        STRANGER,
        withdraw_stack_call(guilty.stack, 42),
        AbortCode::NotStackOwner,
    );
    w.ok(OPERATOR, withdraw_node_call(node, 43));
    w.refused(
        OPERATOR,
        withdraw_node_call(node, 43),
        AbortCode::NothingToWithdraw,
    );
}

/// Collateral leaves after the wait, with nothing at stake, as a credit.
#[test]
fn collateral_leaves_only_after_unbonding_with_nothing_at_stake() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut call = w.acquire_call(task, USDC, PRICE, 0);
    call.lifetime_ms.0 = 30 * DAY;
    let stack = bought(&w.ok(USER, call));
    w.grant(OPERATOR, stack, node, USDC);
    w.refused(OPERATOR, unbond_call(node), AbortCode::NodeHasSubscriptions);
    w.ok(OPERATOR, unsubscribe_call(task, node));
    w.ok(OPERATOR, unbond_call(node));
    w.now += 8 * DAY;
    w.refused(OPERATOR, leave_call(node), AbortCode::AtStake);
    w.ok(OPERATOR, release_call(stack, node, 0));
    w.ok(OPERATOR, leave_call(node));
    assert_eq!(w.earnings(node), 1_000 * USDC);
}
