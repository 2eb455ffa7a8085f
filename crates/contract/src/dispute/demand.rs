//! The dispute with an answer: the owner names a unit, the node shows its record or loses the ticket.

use super::{convict::Case, record};
use crate::{
    Rule, Txn, ensure,
    limits::{MAX_BODIES, MAX_DEMANDS},
    plus, settlement,
    stack::lease_mut,
    verified::VerifiedMessages,
};
use atoma_types::chain::{
    AbortCode, Demand, Stack,
    calls::{AnswerDemand, DemandRecord, ProveSilence},
    events::{Charge, DemandAnswered, RecordDemanded},
};

/// The stack's owner, or its watcher, demands to see the record of a unit. The fee is what an answer costs, and
/// the node's: nobody can make it work for nothing, and nobody earns by asking.
pub(crate) fn demand(txn: &mut Txn<'_>, call: &DemandRecord) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    ensure_eyes(txn, &stack)?;
    let (now, fee) = (txn.now(), call.fee.0);
    let deadline_ms = now.saturating_add(stack.terms.answer_window_ms);
    ensure(fee == stack.terms.demand_fee, AbortCode::WrongFee)?;
    let (_, ticket) = settlement::ticket_of_unit(&stack, call.holder, call.unit)?;
    ensure(now <= ticket.deadline_ms, AbortCode::WindowOver)?;
    ensure(
        ticket.demand(call.unit).is_none(),
        AbortCode::AlreadyDemanded,
    )?;
    ensure(ticket.demands.len() < MAX_DEMANDS, AbortCode::DemandsFull)?;
    txn.take(fee)?;
    let to_seq = ticket.to_seq;
    settlement::ticket_mut(&mut stack, call.holder, to_seq)?
        .demands
        .push(Demand {
            unit: call.unit,
            fee,
            deadline_ms,
        });
    txn.emit(RecordDemanded {
        stack: stack.id,
        node: call.holder,
        unit: call.unit,
        deadline_ms,
    });
    txn.put_stack(stack);
    Ok(())
}

/// Only the stack's owner, or whom it named to watch.
pub(crate) fn ensure_eyes(txn: &Txn<'_>, stack: &Stack) -> Rule {
    let sender = txn.sender();
    ensure(
        stack.owner == sender || stack.watcher == Some(sender),
        AbortCode::NotWatcher,
    )
}

/// Shows the record, and says where the bodies are. The ledger can't look into a blob, so it asks for no proof
/// of storage, which would prove that something is stored; who reads it sees, and a jury.
pub(crate) fn answer(txn: &mut Txn<'_>, call: &AnswerDemand) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let (lease, ticket) = settlement::ticket_of_unit(&stack, call.holder, call.unit)?;
    let demand = ticket.demand(call.unit).ok_or(AbortCode::NoSuchDemand)?;
    ensure(txn.now() <= demand.deadline_ms, AbortCode::AnswerTooLate)?;
    ensure(
        call.blob.is_some() || !call.bodies.is_empty(),
        AbortCode::EvidenceMissing,
    )?;
    ensure(call.bodies.len() <= MAX_BODIES, AbortCode::EvidenceTooLong)?;
    let seq = record::show(
        &VerifiedMessages::new(txn, &stack, lease),
        (&stack, ticket),
        call.unit,
        (&call.record, &call.proof),
    )?;
    let (fee, to_seq) = (demand.fee, ticket.to_seq);
    let lease = lease_mut(&mut stack, call.holder)?;
    lease.fees = plus(lease.fees, fee)?;
    settlement::ticket_mut(&mut stack, call.holder, to_seq)?
        .demands
        .retain(|demand| demand.unit != call.unit);
    txn.emit(DemandAnswered {
        stack: stack.id,
        node: call.holder,
        unit: call.unit,
        seq,
        record: call.record.clone(),
        blob: call.blob,
        bodies: call.bodies.clone(),
    });
    txn.put_stack(stack);
    Ok(())
}

/// Ends a demand that nobody answered in time. Anyone may.
pub(crate) fn silence(txn: &mut Txn<'_>, call: &ProveSilence) -> Rule {
    let case = Case::load(txn, call.stack.id(), call.task.id(), call.node.id())?;
    let (_, ticket) = settlement::ticket_of_unit(&case.stack, case.node.id, call.unit)?;
    let demand = ticket.demand(call.unit).ok_or(AbortCode::NoSuchDemand)?;
    ensure(txn.now() > demand.deadline_ms, AbortCode::AnswerTimeNotOver)?;
    case.convict(txn, Charge::Silence)
}
