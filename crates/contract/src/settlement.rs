//! From a lease to its payment: settle, wait for disputes, claim; or expire.

mod evidence;

use crate::{Rule, Txn, db, ensure, reputation, stack, task, verified::VerifiedMessages};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, ObjectId,
    chain::{
        AbortCode, Lease, LeaseState, Node, Stack, Task, Ticket, UnitsInEpoch,
        calls::{Claim, ExpireLease, Settle},
        events::{Claimed, LeaseExpired, SettlementOpened},
    },
};

/// A node claims what its last receipt says, within what the owner signed. Opens a ticket.
pub(crate) fn settle(txn: &mut Txn<'_>, call: &Settle) -> Rule {
    // only says that this is the ledger's database; the network id comes from the ledger itself
    txn.db(call.db.id())?;
    let mut stack = txn.stack(call.stack.id())?;
    let node = txn.own_node(call.node.id())?;
    let now = txn.now();
    let lease = stack.lease(node.id).ok_or(AbortCode::NoSuchLease)?;
    ensure(lease.state == LeaseState::Open, AbortCode::LeaseNotOpen)?;
    ensure(now <= stack.settle_deadline(), AbortCode::DeadlinePassed)?;
    ensure(
        call.claimed_units <= lease.units,
        AbortCode::ClaimAboveLease,
    )?;
    evidence::check(&VerifiedMessages::new(txn, &stack, &node), call)?;

    let deadline_ms = now.saturating_add(stack.dispute_window_ms);
    lease_mut(&mut stack, node.id)?.state = LeaseState::Settling(Ticket {
        claimed_units: call.claimed_units,
        opened_at_ms: now,
        deadline_ms,
        receipts_root: call.receipts_root,
        count: call.count,
        manifest_blob: call.manifest_blob,
        disputes: Vec::new(),
    });
    txn.emit(SettlementOpened {
        stack: stack.id,
        node: node.id,
        claimed_units: call.claimed_units,
        receipts_root: call.receipts_root,
        count: call.count,
        manifest_blob: call.manifest_blob,
        deadline_ms,
    });
    txn.put_stack(stack);
    Ok(())
}

/// Pays a settled lease after its window: node, fee and owner's refund in one step. Anyone may.
pub(crate) fn claim(txn: &mut Txn<'_>, call: &Claim) -> Rule {
    let db = txn.db(call.db.id())?;
    let (mut stack, mut task, mut node) =
        parties(txn, call.stack.id(), call.task.id(), call.node.id())?;
    let lease = lease_mut(&mut stack, node.id)?;
    let LeaseState::Settling(ticket) = &lease.state else {
        return Err(AbortCode::NotSettling);
    };
    ensure(ticket.deadline_ms <= txn.now(), AbortCode::WindowNotOver)?;
    ensure(ticket.disputes.is_empty(), AbortCode::DisputeOpen)?;
    let units = ticket.claimed_units;
    // below the escrow, which fits: see `Price::escrow`
    let cost = lease.price.cost(units).ok_or(AbortCode::AmountOverflow)?;

    let fee = cost
        .permille(stack.fee_permille)
        .ok_or(AbortCode::AmountOverflow)?;
    let paid = cost.checked_sub(fee).ok_or(AbortCode::AmountOverflow)?;
    stack.escrow = stack
        .escrow
        .checked_sub(cost)
        .ok_or(AbortCode::AmountOverflow)?;
    task.fees = task
        .fees
        .checked_add(fee)
        .ok_or(AbortCode::AmountOverflow)?;
    txn.pay(node.owner, paid);
    if units > ComputeUnits::ZERO {
        reputation::settled(&mut node, &db.params);
        let (epoch, _) = db::epoch_at(&db, txn.now());
        count_for_treasury(&mut node, epoch, units, cost);
    }
    close_lease(txn, &mut stack, &mut task, &mut node, units, paid)?;
    let refunded = stack::refund(txn, &mut stack)?;
    txn.emit(Claimed {
        stack: stack.id,
        node: node.id,
        units,
        paid,
        fee,
        refunded,
    });
    stack::close_if_done(txn, &mut stack);
    put(txn, stack, task, node);
    Ok(())
}

/// Closes a lease that its node let expire unsettled: the owner has it back. Anyone may.
pub(crate) fn expire_lease(txn: &mut Txn<'_>, call: &ExpireLease) -> Rule {
    let db = txn.db(call.db.id())?;
    let (mut stack, mut task, mut node) =
        parties(txn, call.stack.id(), call.task.id(), call.node.id())?;
    let deadline = stack.settle_deadline();
    let lease = lease_mut(&mut stack, node.id)?;
    ensure(lease.state == LeaseState::Open, AbortCode::LeaseNotOpen)?;
    ensure(txn.now() > deadline, AbortCode::DeadlineNotPassed)?;
    let units = lease.units;

    reputation::failed(&mut node, &db.params);
    close_lease(
        txn,
        &mut stack,
        &mut task,
        &mut node,
        ComputeUnits::ZERO,
        MicroUsdc::ZERO,
    )?;
    let refunded = stack::refund(txn, &mut stack)?;
    txn.emit(LeaseExpired {
        stack: stack.id,
        node: node.id,
        units,
        refunded,
    });
    stack::close_if_done(txn, &mut stack);
    put(txn, stack, task, node);
    Ok(())
}

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

/// A node's lease, to be changed.
pub(crate) fn lease_mut(stack: &mut Stack, node: NodeId) -> Rule<&mut Lease> {
    let lease = stack.leases.iter_mut().find(|lease| lease.node == node);
    lease.ok_or(AbortCode::NoSuchLease)
}

/// Marks a lease closed and gives its units back to the node's capacity. The subscription is there
/// as long as it has an open lease; should it be missing all the same, the money still moves.
pub(crate) fn close_lease(
    txn: &Txn<'_>,
    stack: &mut Stack,
    task: &mut Task,
    node: &mut Node,
    paid_units: ComputeUnits,
    paid: MicroUsdc,
) -> Rule {
    let lease = lease_mut(stack, node.id)?;
    lease.state = LeaseState::Closed { paid_units, paid };
    let units = lease.units;
    stack.closed_units = stack.closed_units.saturating_add(units);
    if let Some(subscription) = task::entry(task, node.id) {
        subscription.leased = subscription.leased.saturating_sub(units);
        subscription.open_leases = subscription.open_leases.saturating_sub(1);
    }
    task::refresh(task, node, txn.now());
    Ok(())
}

/// A unit sold below one micro-USDC counts for its price: units sold to oneself for next to nothing
/// would else take the treasury from those who work.
fn count_for_treasury(node: &mut Node, epoch: u64, units: ComputeUnits, cost: MicroUsdc) {
    if node.current.epoch != epoch {
        let fresh = UnitsInEpoch {
            epoch,
            units: ComputeUnits::ZERO,
        };
        node.previous = std::mem::replace(&mut node.current, fresh);
    }
    let counted = ComputeUnits(units.0.min(cost.0));
    node.current.units = node.current.units.saturating_add(counted);
}
