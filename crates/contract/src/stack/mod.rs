//! Stacks: bought, leased to nodes, grown, taken back.
//!
//! ```text
//! escrow == cost(ungranted + sum of open leases' units, max_price) - sum of open leases' cost(paid, price)
//! ```
//!
//! at every moment, over all leases at once: differences lease by lease would leave it a micro short, for
//! floors. What an act frees above that becomes the owner's credit.

mod acquire;
mod grow;
mod lease;
mod leave;

pub(crate) use acquire::acquire;
pub(crate) use grow::{extend, set_watcher, top_up};
pub(crate) use lease::lease;
pub(crate) use leave::{begin_close, release, revoke, withdraw};

use crate::{Rule, minus, plus};
use atoma_types::{
    MicroUsdc, NodeId,
    chain::{AbortCode, Lease, Node, Stack},
};

/// Frees what the escrow no longer needs; returns how much.
pub(crate) fn fit(stack: &mut Stack) -> Rule<MicroUsdc> {
    let needed = stack
        .escrow_for(stack.live_units())
        .ok_or(AbortCode::AmountOverflow)?;
    // parts never cost more than their sum, so the escrow always suffices
    let surplus = minus(stack.escrow, needed)?;
    stack.escrow = needed;
    stack.free = plus(stack.free, surplus)?;
    Ok(surplus)
}

/// A node's lease, to be changed.
pub(crate) fn lease_mut(stack: &mut Stack, node: NodeId) -> Rule<&mut Lease> {
    let lease = stack.leases.iter_mut().find(|lease| lease.node == node);
    lease.ok_or(AbortCode::NoSuchLease)
}

/// A node's lease, unless it is closed.
pub(crate) fn open_lease(stack: &mut Stack, node: NodeId) -> Rule<&mut Lease> {
    let lease = lease_mut(stack, node)?;
    if lease.closed {
        return Err(AbortCode::LeaseClosed);
    }
    Ok(lease)
}

/// What an open lease has its node at stake for.
pub(crate) fn stake(stack: &Stack, node: NodeId) -> Rule<MicroUsdc> {
    let lease = stack.lease(node).ok_or(AbortCode::NoSuchLease)?;
    if lease.closed {
        return Ok(MicroUsdc::ZERO);
    }
    let unpaid = lease.unpaid().ok_or(AbortCode::AmountOverflow)?;
    stack.terms.fine(unpaid).ok_or(AbortCode::AmountOverflow)
}

/// Makes what a node has at stake follow a change of its lease: `before` is what it was.
pub(crate) fn restake(stack: &Stack, node: &mut Node, before: MicroUsdc) -> Rule {
    let after = stake(stack, node.id)?;
    node.at_stake = plus(minus(node.at_stake, before)?, after)?;
    Ok(())
}

/// Closes a lease: whatever of it isn't paid is the owner's credit, and nothing is at stake for it any more.
/// Returns what was freed.
pub(crate) fn close_lease(stack: &mut Stack, node: &mut Node) -> Rule<MicroUsdc> {
    let before = stake(stack, node.id)?;
    let lease = lease_mut(stack, node.id)?;
    lease.closed = true;
    lease.tickets.clear();
    let fees = std::mem::take(&mut lease.fees);
    node.earnings = plus(node.earnings, fees)?;
    restake(stack, node, before)?;
    fit(stack)
}
