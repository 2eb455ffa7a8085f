//! Stacks: bought, leased to nodes, grown, taken back.
//!
//! At every moment `escrow == max_price.escrow(total_units - closed_units, surcharge)`. What a
//! payment, a revocation or a close frees beyond that goes back to the owner in the same step.

mod acquire;
mod grow;
mod lease;
mod leave;

pub(crate) use acquire::acquire;
pub(crate) use grow::{extend, top_up};
pub(crate) use lease::lease;
pub(crate) use leave::{begin_close, close_after_expiry, revoke_ungranted};

use crate::{Rule, Txn, draw, ensure};
use atoma_types::{
    ComputeUnits, MicroUsdc,
    chain::{
        AbortCode, Lease, Stack, Subscription, SubscriptionState, Task,
        events::{Leased, StackClosed},
    },
};

/// What a stack must hold for the units that aren't closed yet, were there `total` of them.
fn required(stack: &Stack, total: ComputeUnits) -> Rule<MicroUsdc> {
    let open = total
        .checked_sub(stack.closed_units)
        .ok_or(AbortCode::AmountOverflow)?;
    stack
        .max_price
        .escrow(open, stack.surcharge_permille)
        .ok_or(AbortCode::EscrowOverflow)
}

/// Pays the owner what the stack no longer needs to hold.
pub(crate) fn refund(txn: &mut Txn<'_>, stack: &mut Stack) -> Rule<MicroUsdc> {
    let needed = required(stack, stack.total_units)?;
    // payments leave enough for the rest: see `Price::escrow`
    let surplus = stack
        .escrow
        .checked_sub(needed)
        .ok_or(AbortCode::AmountOverflow)?;
    stack.escrow = needed;
    txn.pay(stack.owner, surplus);
    Ok(surplus)
}

/// Closes a stack of which nothing is left.
pub(crate) fn close_if_done(txn: &mut Txn<'_>, stack: &mut Stack) {
    if !stack.closed && stack.total_units == stack.closed_units {
        stack.closed = true;
        txn.emit(StackClosed { stack: stack.id });
    }
}

/// Books units of a stack under a node's subscription, which must be active and have room.
fn occupy(subscription: &mut Subscription, units: ComputeUnits) -> Rule {
    let active = subscription.state == SubscriptionState::Active;
    ensure(active, AbortCode::SubscriptionNotActive)?;
    ensure(
        draw::free_capacity(subscription) >= units,
        AbortCode::CapacityExceeded,
    )?;
    subscription.leased = subscription
        .leased
        .checked_add(units)
        .ok_or(AbortCode::CapacityExceeded)?;
    Ok(())
}

/// Tells the node all it needs to serve.
fn announce(txn: &mut Txn<'_>, stack: &Stack, task: &Task, lease: &Lease) {
    txn.emit(Leased {
        stack: stack.id,
        node: lease.node,
        task: task.id,
        owner: stack.owner,
        request_key: stack.request_key,
        units: lease.units,
        price: lease.price,
        expires_at_ms: stack.expires_at_ms,
        settle_grace_ms: stack.settle_grace_ms,
    });
}
