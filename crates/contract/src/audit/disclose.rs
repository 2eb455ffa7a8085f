//! The node shows a record to those who were drawn, with its bodies' keys wrapped for each. What a wrap holds the ledger
//! can't see; whoever opens one makes the others again, so that garbage for one and good keys for others convict.

use super::{sitting, sitting_mut, terms};
use crate::{
    Rule, Txn, dispute, ensure,
    limits::MAX_WRAP,
    settlement::{self, ticket_mut},
    verified::VerifiedMessages,
};
use atoma_types::{
    ComputeUnits, NodeId, TimestampMs,
    chain::{
        AbortCode, Exam, HitStage, Jury, Stack, Ticket,
        calls::{Disclose, DiscloseToJury, ProveUndisclosed},
        events::{Charge, Disclosed, DisclosedToJury},
    },
};

/// Shows the drawn record to its examiner.
pub(crate) fn disclose(txn: &mut Txn<'_>, call: &Disclose) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let window = terms(&stack)?.verdict_window_ms;
    let (_, ticket) = settlement::open_ticket(&stack, call.holder, call.ticket)?;
    let Exam::Hit(hit) = &ticket.exam else {
        return Err(AbortCode::NotDisclosing);
    };
    ensure(hit.stage == HitStage::Disclosing, AbortCode::NotDisclosing)?;
    ensure(txn.now() <= hit.deadline_ms, AbortCode::AnswerTooLate)?;
    let wrapped = (1..=MAX_WRAP).contains(&call.wrap.len());
    ensure(wrapped, AbortCode::WrapsInvalid)?;
    let seq = shown(
        txn,
        (&stack, call.holder, call.ticket),
        hit.unit,
        (&call.record, &call.proof),
    )?;
    // every examiner of this ticket looks at the same record
    ensure(hit.seq == 0 || hit.seq == seq, AbortCode::ReceiptWrongSeq)?;
    let deadline_ms = txn.now().saturating_add(window);
    let Exam::Hit(hit) = &mut ticket_mut(&mut stack, call.holder, call.ticket)?.exam else {
        return Err(AbortCode::NotDisclosing);
    };
    hit.seq = seq;
    hit.stage = HitStage::Examining;
    hit.deadline_ms = deadline_ms;
    let examiner = hit.examiner.node;
    txn.emit(Disclosed {
        stack: stack.id,
        node: call.holder,
        ticket: call.ticket,
        examiner,
        seq,
        record: call.record.clone(),
        wrap: call.wrap.clone(),
        deadline_ms,
    });
    txn.put_stack(stack);
    Ok(())
}

/// Shows a jury the record that it judges.
pub(crate) fn disclose_jury(txn: &mut Txn<'_>, call: &DiscloseToJury) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let window = terms(&stack)?.verdict_window_ms;
    let (_, ticket) = settlement::open_ticket(&stack, call.holder, call.ticket)?;
    let jury = sitting(ticket, call.challenge)?;
    ensure(jury.seq == 0, AbortCode::NotDisclosing)?;
    ensure(txn.now() <= jury.deadline_ms, AbortCode::AnswerTooLate)?;
    let mut lengths = call.wraps.iter().map(Vec::len);
    let wrapped = call.wraps.len() == jury.jurors.len()
        && lengths.all(|length| (1..=MAX_WRAP).contains(&length));
    ensure(wrapped, AbortCode::WrapsInvalid)?;
    let seq = shown(
        txn,
        (&stack, call.holder, call.ticket),
        jury.unit,
        (&call.record, &call.proof),
    )?;
    if let (Exam::Hit(hit), false) = (&ticket.exam, call.challenge) {
        // the jury judges what the examiner saw, not another record that covers the unit, too
        ensure(hit.seq == seq, AbortCode::ReceiptWrongSeq)?;
    }
    let deadline_ms = txn.now().saturating_add(window);
    let jury = sitting_mut(
        ticket_mut(&mut stack, call.holder, call.ticket)?,
        call.challenge,
    )?;
    jury.seq = seq;
    jury.deadline_ms = deadline_ms;
    jury.reveal_ms = deadline_ms.saturating_add(window);
    txn.emit(DisclosedToJury {
        stack: stack.id,
        node: call.holder,
        ticket: call.ticket,
        challenge: call.challenge,
        seq,
        record: call.record.clone(),
        wraps: call.wraps.clone(),
        deadline_ms,
    });
    txn.put_stack(stack);
    Ok(())
}

/// Convicts a node that left an examiner or a jury without the record. Anyone may.
pub(crate) fn undisclosed(txn: &mut Txn<'_>, call: &ProveUndisclosed) -> Rule {
    let case = dispute::Case::load(txn, call.stack.id(), call.task.id(), call.node.id())?;
    let tickets = &case.lease()?.tickets;
    ensure(!tickets.is_empty(), AbortCode::NoTicket)?;
    let overdue = tickets.iter().any(|ticket| is_overdue(ticket, txn.now()));
    ensure(overdue, AbortCode::AnswerTimeNotOver)?;
    case.convict(txn, Charge::Undisclosed)
}

fn is_overdue(ticket: &Ticket, now: TimestampMs) -> bool {
    let exam = match &ticket.exam {
        Exam::Hit(hit) => hit.stage == HitStage::Disclosing && now > hit.deadline_ms,
        Exam::None | Exam::Undrawn | Exam::Drawn { .. } | Exam::Unexamined => false,
    };
    let waits = |jury: &Jury| jury.seq == 0 && now > jury.deadline_ms;
    let juries = [sitting(ticket, false), sitting(ticket, true)];
    exam || juries.into_iter().flatten().any(waits)
}

/// Who discloses must be the node's owner: a wrap is its word.
fn shown(
    txn: &Txn<'_>,
    (stack, holder, to_seq): (&Stack, NodeId, u64),
    unit: ComputeUnits,
    record: (&[u8], &[u8]),
) -> Rule<u64> {
    let (lease, ticket) = settlement::open_ticket(stack, holder, to_seq)?;
    ensure(lease.owner == txn.sender(), AbortCode::NotLeaseOwner)?;
    dispute::show(
        &VerifiedMessages::new(txn, stack, lease),
        (stack, ticket),
        unit,
        record,
    )
}
