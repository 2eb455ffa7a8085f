//! Prices that nobody signed.

use super::super::world::*;
use super::Tale;
use atoma_types::{Price, chain::AbortCode};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "a7_a_price_raised_for_a_moment_gets_no_lease",
        a7_a_price_raised_for_a_moment_gets_no_lease,
    ),
    ("a_low_price_wins_no_draws", a_low_price_wins_no_draws),
    ("c3_a_revoked_grant_is_void", c3_a_revoked_grant_is_void),
    ("c4_a_draw_binds_nobody", c4_a_draw_binds_nobody),
];

/// A7. Edition 1: `subscribe(max price)`, `lease(grant)`, `subscribe(old price)` in one transaction: listed at 100,000, leased at
/// 1,500,000, for a grant carried no price.
#[test]
fn a7_a_price_raised_for_a_moment_gets_no_lease() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, 100_000, 1_000 * USDC);
    let call = w.acquire_call(task, USDC, 1_500_000, 0);
    let stack = bought(&w.ok(USER, call));
    let mut grant = w.grant_of(stack, node, USDC);
    grant.max_price = Price(100_000);
    w.ok(OPERATOR, subscribe_call(task, node, 1_500_000));
    let call = w.lease_call_of(&grant, USER);
    w.refused(OPERATOR, call.clone(), AbortCode::PriceAboveMax);
    w.ok(OPERATOR, subscribe_call(task, node, 100_000));
    w.ok(OPERATOR, call);
    // and a lease keeps its price whatever is listed later
    w.ok(OPERATOR, subscribe_call(task, node, 1_500_000));
    assert_eq!(w.lease_of(stack, node).price, Price(100_000));
}

/// An earlier design had the price in the draw's weight: a price of 1 won 99.99 % of the draws.
#[test]
fn a_low_price_wins_no_draws() {
    let mut w = World::new();
    let task = w.create_task();
    let cheap = w.serve(OPERATOR, task, 1, 100 * USDC);
    let dear = w.serve(OPERATOR + 1, task, PRICE, 100 * USDC);
    let mut won = [0, 0];
    for _ in 0..200 {
        let call = w.acquire_call(task, 10, PRICE, 1);
        let stack = bought(&w.run_unchecked(USER, call).unwrap());
        let drawn = w.stack(stack).candidates[0];
        won[usize::from(drawn == dear)] += 1;
        assert!(drawn == cheap || drawn == dear);
    }
    assert!((70..=130).contains(&won[0]), "{won:?}");
}

/// C. Edition 1: an old grant survived the owner's `revoke`.
#[test]
fn c3_a_revoked_grant_is_void() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let stack = w.buy(task, USDC);
    let old = w.lease_call(stack, node, 1_000);
    w.ok(USER, revoke_call(stack));
    let call = w.top_up_call(stack, 1_000);
    w.ok(USER, call);
    w.refused(OPERATOR, old, AbortCode::GrantRevoked);
    w.grant(OPERATOR, stack, node, 1_000);
}

/// C. Edition 1: `Limited` stacks could be drawn again for the price of gas. They can still be, and it changes nothing: a draw gives
/// nobody a right or a duty, and here alone the owner grants.
#[test]
fn c4_a_draw_binds_nobody() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 100 * USDC);
    for _ in 0..50 {
        let call = w.acquire_call(task, 1_000_000 * USDC, PRICE, 1);
        w.ok(USER, call);
    }
    let node = w.node(node);
    assert_eq!(node.at_stake.0, 0);
    assert_eq!(node.standing.reputation, 100);
}
