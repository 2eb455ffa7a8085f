//! A node claims. The lease goes on.

use super::evidence;
use crate::{Rule, Txn, ensure, limits::MAX_TICKETS, stack::lease_mut, verified::VerifiedMessages};
use atoma_types::{
    MicroUsdc,
    chain::{AbortCode, Exam, Ticket, calls::Settle, events::SettlementOpened},
};

/// Claims the units up to what the last receipt says, within what the owner signed. Touches the stack alone, so
/// nobody can hold it up by crowding a task or the database.
pub(crate) fn settle(txn: &mut Txn<'_>, call: &Settle) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let now = txn.now();
    let lease = stack.lease(call.holder).ok_or(AbortCode::NoSuchLease)?;
    ensure(lease.owner == txn.sender(), AbortCode::NotLeaseOwner)?;
    ensure(!lease.closed, AbortCode::LeaseClosed)?;
    ensure(lease.tickets.len() < MAX_TICKETS, AbortCode::TicketOpen)?;
    ensure(now <= stack.settle_deadline(), AbortCode::DeadlinePassed)?;
    let (from_units, from_seq) = (lease.claimed_units(), lease.claimed_seq());
    ensure(
        call.to_units > from_units && call.to_seq > from_seq,
        AbortCode::NothingClaimed,
    )?;
    // whoever doesn't know of an earlier claim would claim units by records that this one has claimed
    ensure(call.from_seq == from_seq, AbortCode::FromMismatch)?;
    ensure(call.to_units <= lease.units, AbortCode::ClaimAboveLease)?;
    let value = lease
        .value(from_units, call.to_units)
        .ok_or(AbortCode::AmountOverflow)?;
    ensure(
        value >= stack.terms.smallest_ticket(),
        AbortCode::TicketTooSmall,
    )?;
    let last = evidence::check(&VerifiedMessages::new(txn, &stack, lease), call)?;

    let deadline_ms = now.saturating_add(stack.terms.dispute_window_ms);
    let exam = match stack.terms.sampling {
        Some(_) => Exam::Undrawn,
        None => Exam::None,
    };
    let ticket = Ticket {
        from_units,
        from_seq,
        to_units: call.to_units,
        to_seq: call.to_seq,
        last: last.hash,
        base: last.base,
        history: last.history,
        manifest_blob: call.manifest_blob,
        opened_at_ms: now,
        deadline_ms,
        demands: Vec::new(),
        exam,
        exam_jury: None,
        exam_bond: MicroUsdc::ZERO,
        challenge: None,
    };
    lease_mut(&mut stack, call.holder)?.tickets.push(ticket);
    txn.emit(SettlementOpened {
        stack: stack.id,
        node: call.holder,
        to_units: call.to_units,
        to_seq: call.to_seq,
        last: last.hash,
        base: last.base,
        history: last.history,
        last_receipt: call.last_receipt.clone(),
        receipt_signature: call.receipt_signature.clone(),
        manifest_blob: call.manifest_blob,
        value,
        deadline_ms,
    });
    txn.put_stack(stack);
    Ok(())
}
