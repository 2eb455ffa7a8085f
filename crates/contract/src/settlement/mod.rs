//! From what was served to its payment: settle, wait, claim; ticket after ticket, until the lease ends.

mod claim;
mod evidence;
mod expire;
mod settle;

pub(crate) use claim::claim;
pub(crate) use expire::{announce_closed, expire, is_done};
pub(crate) use settle::settle;

use crate::{Rule, Txn, ensure};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, ObjectId,
    chain::{AbortCode, Lease, Node, Stack, Task, Ticket},
};

/// A stack with its task and a node.
pub(crate) fn parties(
    txn: &Txn<'_>,
    stack: ObjectId,
    task: ObjectId,
    node: ObjectId,
) -> Rule<(Stack, Task, Node)> {
    let (stack, task, node) = (txn.stack(stack)?, txn.task(task)?, txn.node(node)?);
    ensure(stack.task == task.id, AbortCode::WrongTask)?;
    Ok((stack, task, node))
}

/// Writes them back.
pub(crate) fn put(txn: &mut Txn<'_>, stack: Stack, task: Task, node: Node) {
    txn.put_stack(stack);
    txn.put_task(task);
    txn.put_node(node);
}

/// A node's lease and one of its open tickets.
pub(crate) fn open_ticket(stack: &Stack, node: NodeId, to_seq: u64) -> Rule<(&Lease, &Ticket)> {
    let lease = stack.lease(node).ok_or(AbortCode::NoSuchLease)?;
    let mut tickets = lease.tickets.iter();
    let ticket = tickets.find(|ticket| ticket.to_seq == to_seq);
    Ok((lease, ticket.ok_or(AbortCode::NoTicket)?))
}

/// A node's lease and the open ticket that claims a unit.
pub(crate) fn ticket_of_unit(
    stack: &Stack,
    node: NodeId,
    unit: ComputeUnits,
) -> Rule<(&Lease, &Ticket)> {
    let lease = stack.lease(node).ok_or(AbortCode::NoSuchLease)?;
    ensure(!lease.tickets.is_empty(), AbortCode::NoTicket)?;
    let mut tickets = lease.tickets.iter();
    let ticket = tickets.find(|ticket| ticket.claims(unit));
    Ok((lease, ticket.ok_or(AbortCode::UnitNotSettled)?))
}

/// An open ticket of a node's lease, to be changed.
pub(crate) fn ticket_mut(stack: &mut Stack, node: NodeId, to_seq: u64) -> Rule<&mut Ticket> {
    let lease = crate::stack::lease_mut(stack, node)?;
    let mut tickets = lease.tickets.iter_mut();
    tickets
        .find(|ticket| ticket.to_seq == to_seq)
        .ok_or(AbortCode::NoTicket)
}

/// What an open ticket is worth.
pub(crate) fn value(lease: &Lease, ticket: &Ticket) -> Rule<MicroUsdc> {
    lease
        .value(ticket.from_units, ticket.to_units)
        .ok_or(AbortCode::AmountOverflow)
}
