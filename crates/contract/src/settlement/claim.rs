//! A ticket is paid.

use super::{announce_closed, is_done, parties, put};
use crate::{
    Rule, Txn, audit, db, ensure, minus, plus,
    stack::{close_lease, lease_mut, restake, stake},
    standing, task,
};
use atoma_types::{
    MicroUsdc, TimestampMs,
    chain::{AbortCode, Exam, FeesInEpoch, Node, Ticket, calls::Claim, events::Claimed},
};

/// Pays the first ticket after its window, once nothing about it is open. Anyone may.
pub(crate) fn claim(txn: &mut Txn<'_>, call: &Claim) -> Rule {
    let (mut stack, mut task, mut node) =
        parties(txn, call.stack.id(), call.task.id(), call.node.id())?;
    let now = txn.now();
    let lease = stack.lease(node.id).ok_or(AbortCode::NoSuchLease)?;
    let ticket = lease.tickets.first().ok_or(AbortCode::NoTicket)?.clone();
    ensure_payable(&ticket, &stack.terms, now)?;
    let value = super::value(lease, &ticket)?;
    let fee = value
        .permille(stack.terms.fee_permille)
        .ok_or(AbortCode::AmountOverflow)?;
    let due = stack
        .terms
        .sampling
        .as_ref()
        .map_or(MicroUsdc::ZERO, |sampling| sampling.due);
    let paid = minus(minus(value, fee)?, due)?;

    let before = stake(&stack, node.id)?;
    stack.escrow = minus(stack.escrow, value)?;
    task.fees = plus(task.fees, fee)?;
    if matches!(ticket.exam, Exam::Unexamined) {
        // what was sold as examined and wasn't
        stack.free = plus(stack.free, due)?;
    } else {
        task.dues = plus(task.dues, due)?;
    }
    let lease = lease_mut(&mut stack, node.id)?;
    lease.paid_units = ticket.to_units;
    lease.paid_seq = ticket.to_seq;
    lease.last = ticket.last;
    lease.tickets.remove(0);
    let demand_fees = std::mem::take(&mut lease.fees);
    node.earnings = plus(plus(node.earnings, paid)?, demand_fees)?;
    restake(&stack, &mut node, before)?;
    audit::end(txn, &mut task, &stack.terms, &ticket, false)?;
    standing::paid(&mut node, fee, now);
    count_for_treasury(&mut node, fee, now)?;
    task::refresh(&mut task, &node, now);
    txn.emit(Claimed {
        stack: stack.id,
        node: node.id,
        paid_units: ticket.to_units,
        paid_seq: ticket.to_seq,
        paid,
        fee,
        due,
        reputation: node.standing.reputation,
    });
    if is_done(&stack, node.id, now) {
        let freed = close_lease(&mut stack, &mut node)?;
        announce_closed(txn, &stack, &node, freed);
    }
    put(txn, stack, task, node);
    Ok(())
}

fn ensure_payable(ticket: &Ticket, terms: &atoma_types::chain::Terms, now: TimestampMs) -> Rule {
    ensure(ticket.deadline_ms < now, AbortCode::WindowNotOver)?;
    ensure(ticket.demands.is_empty(), AbortCode::DemandOpen)?;
    ensure(audit::is_exam_over(ticket, terms), AbortCode::ExamOpen)?;
    let challenged = ticket.challenge.as_ref();
    ensure(
        challenged.is_none_or(|challenge| challenge.over),
        AbortCode::ChallengeOpen,
    )
}

/// Fees count, units don't: what is sold to oneself for next to nothing counts for next to nothing.
fn count_for_treasury(node: &mut Node, fee: MicroUsdc, now: TimestampMs) -> Rule {
    let epoch = db::epoch(now);
    if node.current.epoch != epoch {
        let fresh = FeesInEpoch {
            epoch,
            fees: MicroUsdc::ZERO,
        };
        node.previous = std::mem::replace(&mut node.current, fresh);
    }
    node.current.fees = plus(node.current.fees, fee)?;
    Ok(())
}
