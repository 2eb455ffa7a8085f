//! The end of a lease.

use crate::{Rule, Txn, ensure, stack};
use atoma_types::{
    MicroUsdc, NodeId, TimestampMs,
    chain::{AbortCode, Node, Stack, calls::ExpireLease, events::LeaseClosed},
};

/// Closes a lease of which nothing more comes: the time to settle is over, or all is paid. Anyone may.
/// An absent node harms itself alone, so it loses nothing else.
pub(crate) fn expire(txn: &mut Txn<'_>, call: &ExpireLease) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let mut node = txn.node(call.node.id())?;
    let lease = stack::open_lease(&mut stack, node.id)?;
    ensure(lease.tickets.is_empty(), AbortCode::TicketOpen)?;
    ensure(
        is_done(&stack, node.id, txn.now()),
        AbortCode::DeadlineNotPassed,
    )?;
    let freed = stack::close_lease(&mut stack, &mut node)?;
    announce_closed(txn, &stack, &node, freed);
    txn.put_stack(stack);
    txn.put_node(node);
    Ok(())
}

/// Whether nothing more can come of an open lease.
pub(crate) fn is_done(stack: &Stack, node: NodeId, now: TimestampMs) -> bool {
    let Some(lease) = stack.lease(node) else {
        return false;
    };
    let all_paid = now >= stack.expires_at_ms && lease.units == lease.paid_units;
    !lease.closed && lease.tickets.is_empty() && (all_paid || now > stack.settle_deadline())
}

/// Says that a lease is closed.
pub(crate) fn announce_closed(txn: &mut Txn<'_>, stack: &Stack, node: &Node, freed: MicroUsdc) {
    let paid_units = stack
        .lease(node.id)
        .map(|lease| lease.paid_units)
        .unwrap_or_default();
    txn.emit(LeaseClosed {
        stack: stack.id,
        node: node.id,
        paid_units,
        freed,
    });
}
