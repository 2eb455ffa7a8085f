//! The dispute with an answer: the owner demands a record, the node shows it or loses.

use super::{
    record::{self, Place},
    verdict::Case,
};
use crate::{
    Rule, Txn, ensure, limits::MAX_DISPUTES, settlement, verified::VerifiedMessages, walrus,
};
use atoma_types::{
    NodeId,
    chain::{
        AbortCode, Dispute, LeaseState, Stack, Ticket,
        calls::{AnswerDispute, OpenDispute, ResolveDispute},
        events::{Charge, DisputeAnswered, DisputeOpened},
    },
    hash::Hash32,
};

/// The stack's owner demands to see one record of a settlement. With a receipt that they hold, the
/// record must have just this one.
pub(crate) fn missing_response(txn: &mut Txn<'_>, call: &OpenDispute) -> Rule {
    let mut stack = txn.own_stack(call.stack.id())?;
    let node = txn.node(call.node.id())?;
    let (now, bond) = (txn.now(), call.bond.0);
    let deadline_ms = now.saturating_add(stack.answer_window_ms);
    ensure(bond == stack.dispute_bond, AbortCode::WrongBond)?;
    let receipt = shown_receipt(&VerifiedMessages::new(txn, &stack, &node), call)?;
    let ticket = ticket_mut(&mut stack, node.id)?;
    ensure(now < ticket.deadline_ms, AbortCode::WindowOver)?;
    ensure(
        (1..=ticket.count).contains(&call.seq),
        AbortCode::SeqNotSettled,
    )?;
    ensure(
        ticket.dispute(call.seq).is_none(),
        AbortCode::AlreadyDisputed,
    )?;
    ensure(
        ticket.disputes.len() < MAX_DISPUTES,
        AbortCode::DisputesFull,
    )?;
    txn.take(bond)?;
    ticket.disputes.push(Dispute {
        seq: call.seq,
        receipt,
        bond,
        opened_at_ms: now,
        deadline_ms,
    });
    txn.emit(DisputeOpened {
        stack: stack.id,
        node: node.id,
        seq: call.seq,
        receipt,
        bond,
        deadline_ms,
    });
    txn.put_stack(stack);
    Ok(())
}

fn shown_receipt(messages: &VerifiedMessages<'_>, call: &OpenDispute) -> Rule<Option<Hash32>> {
    if call.receipt.is_empty() && call.receipt_signature.is_empty() {
        return Ok(None);
    }
    let receipt = messages.receipt(&call.receipt, &call.receipt_signature)?;
    ensure(
        receipt.message().seq == call.seq,
        AbortCode::ReceiptWrongSeq,
    )?;
    Ok(Some(receipt.hash()))
}

/// Shows the record, and a blob of the sender's where it is stored. The stake goes to the node,
/// whoever calls.
pub(crate) fn answer(txn: &mut Txn<'_>, call: &AnswerDispute) -> Rule {
    let db = txn.db(call.db.id())?;
    let mut stack = txn.stack(call.stack.id())?;
    let node = txn.node(call.node.id())?;
    let (blob, _) = txn.own_blob(call.blob.id())?;
    let lease = stack.lease(node.id).ok_or(AbortCode::NoSuchLease)?;
    let LeaseState::Settling(ticket) = &lease.state else {
        return Err(AbortCode::NotSettling);
    };
    let place = Place::prove(&call.record, &call.proof, ticket)?;
    let dispute = ticket.dispute(place.seq).ok_or(AbortCode::NoSuchDispute)?;
    ensure(txn.now() <= dispute.deadline_ms, AbortCode::AnswerTooLate)?;
    let receipt = record::check(
        &VerifiedMessages::new(txn, &stack, &node),
        &call.record,
        place.seq,
    )?;
    ensure(
        dispute.receipt.is_none_or(|shown| shown == receipt.hash()),
        AbortCode::ReceiptDiffers,
    )?;
    walrus::ensure_stored(&db, &blob)?;

    let bond = dispute.bond;
    ticket_mut(&mut stack, node.id)?
        .disputes
        .retain(|dispute| dispute.seq != place.seq);
    txn.pay(node.owner, bond);
    txn.emit(DisputeAnswered {
        stack: stack.id,
        node: node.id,
        seq: place.seq,
        blob_id: blob.blob_id,
        bond,
    });
    txn.put_stack(stack);
    Ok(())
}

/// Ends a dispute that nobody answered in time: silence loses. Anyone may.
pub(crate) fn resolve(txn: &mut Txn<'_>, call: &ResolveDispute) -> Rule {
    let case = Case::load(
        txn,
        call.db.id(),
        call.stack.id(),
        call.task.id(),
        call.node.id(),
    )?;
    let ticket = case.ticket()?.ok_or(AbortCode::NotSettling)?;
    let dispute = ticket.dispute(call.seq).ok_or(AbortCode::NoSuchDispute)?;
    ensure(
        txn.now() > dispute.deadline_ms,
        AbortCode::AnswerTimeNotOver,
    )?;
    case.convict(txn, Charge::Silence)
}

/// The ticket of a node's lease that waits to be paid.
fn ticket_mut(stack: &mut Stack, node: NodeId) -> Rule<&mut Ticket> {
    match &mut settlement::lease_mut(stack, node)?.state {
        LeaseState::Settling(ticket) => Ok(ticket),
        LeaseState::Open | LeaseState::Closed { .. } => Err(AbortCode::NotSettling),
    }
}
