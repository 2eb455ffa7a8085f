//! The examination: a draw that does nothing else, an examiner, and what it says.

use super::{seed, terms};
use crate::{
    Rule, Txn, draw as weights, ensure,
    limits::MAX_SILENT,
    settlement::{self, ticket_mut},
    task,
};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, TimestampMs,
    chain::{
        AbortCode, Auditor, Exam, Hit, HitStage, Stack, Task,
        calls::{DrawExaminer, DrawTicket, GiveVerdict},
        events::{ExaminerDrawn, TicketDrawn, Unexamined, VerdictGiven},
    },
    hash::Hash32,
};

/// Stores the beacon's bytes: whoever calls can't tell from its outcome whether to let it count. Anyone may.
pub(crate) fn draw(txn: &mut Txn<'_>, call: &DrawTicket) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let seed = Hash32(*txn.seed());
    let hit = terms(&stack)?.hits(&seed);
    let ticket = ticket_mut(&mut stack, call.holder, call.ticket)?;
    ensure(ticket.exam == Exam::Undrawn, AbortCode::NotUndrawn)?;
    ticket.exam = Exam::Drawn { seed };
    txn.emit(TicketDrawn {
        stack: stack.id,
        node: call.holder,
        ticket: call.ticket,
        seed,
        hit,
    });
    txn.put_stack(stack);
    Ok(())
}

/// Draws the examiner of a ticket that was hit, or the next one after a silent one. Anyone may.
pub(crate) fn examine(txn: &mut Txn<'_>, call: &DrawExaminer) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let mut task = txn.task(call.task.id())?;
    ensure(stack.task == task.id, AbortCode::WrongTask)?;
    let (unit, silent, seq) = due(txn, &stack, &mut task, (call.holder, call.ticket))?;
    let drawn = if silent > MAX_SILENT {
        None
    } else {
        draw_examiner(txn, &stack, &mut task, call.holder)?
    };
    match drawn {
        Some(examiner) => {
            let deadline_ms = txn.now().saturating_add(stack.terms.answer_window_ms);
            ticket_mut(&mut stack, call.holder, call.ticket)?.exam = Exam::Hit(Hit {
                unit,
                examiner,
                silent,
                seq,
                deadline_ms,
                stage: HitStage::Disclosing,
            });
            txn.emit(ExaminerDrawn {
                stack: stack.id,
                node: call.holder,
                ticket: call.ticket,
                unit,
                examiner: examiner.node,
                deadline_ms,
            });
        }
        None => {
            ticket_mut(&mut stack, call.holder, call.ticket)?.exam = Exam::Unexamined;
            txn.emit(Unexamined {
                stack: stack.id,
                node: call.holder,
                ticket: call.ticket,
            });
        }
    }
    txn.put_task(task);
    txn.put_stack(stack);
    Ok(())
}

/// The unit to be examined, how many were silent about it, and the `seq` that they were shown. Strikes the last one off that was.
fn due(
    txn: &mut Txn<'_>,
    stack: &Stack,
    task: &mut Task,
    (holder, to_seq): (NodeId, u64),
) -> Rule<(ComputeUnits, u8, u64)> {
    let sampling = terms(stack)?;
    let (_, ticket) = settlement::open_ticket(stack, holder, to_seq)?;
    match &ticket.exam {
        Exam::Drawn { seed } => {
            ensure(sampling.hits(seed), AbortCode::Missed)?;
            Ok((seed::unit(seed, ticket), 0, 0))
        }
        Exam::Hit(hit) if hit.stage == HitStage::Examining => {
            let late = txn.now() > hit.deadline_ms;
            ensure(late, AbortCode::VerdictTimeNotOver)?;
            task::strike(txn, task, hit.examiner.node);
            super::end::free(task, hit.examiner.node)?;
            Ok((hit.unit, hit.silent.saturating_add(1), hit.seq))
        }
        Exam::None | Exam::Undrawn | Exam::Hit(_) | Exam::Unexamined => Err(AbortCode::NotDrawn),
    }
}

fn draw_examiner(
    txn: &Txn<'_>,
    stack: &Stack,
    task: &mut Task,
    holder: NodeId,
) -> Rule<Option<Auditor>> {
    let sampling = terms(stack)?;
    let lease = stack.lease(holder).ok_or(AbortCode::NoSuchLease)?;
    let but = [lease.owner, stack.owner];
    let bought_at = stack.created_at_ms;
    let drawn = pick(task, txn.seed(), 1, |subscription| {
        weights::attests(subscription, bought_at, sampling.examiner_fine, &but)
    })?;
    Ok(drawn.and_then(|drawn| drawn.first().copied()))
}

/// Draws so many distinct attesters, and notes a duty for each; `None` if there aren't so many.
pub(super) fn pick(
    task: &mut Task,
    seed: &[u8; 32],
    count: usize,
    fits: impl Fn(&atoma_types::chain::Subscription) -> bool,
) -> Rule<Option<Vec<Auditor>>> {
    let list = task
        .subscriptions
        .iter()
        .map(|subscription| u128::from(fits(subscription)) * weights::weight(subscription))
        .collect();
    let Some(places) = weights::draw(seed, list, count) else {
        return Ok(None);
    };
    let mut drawn = Vec::with_capacity(count);
    for place in places {
        let subscription = &task.subscriptions[place];
        let auditor = Auditor {
            node: subscription.node,
            owner: subscription.owner,
        };
        let attester = task::promise(task, auditor.node).ok_or(AbortCode::NotAttesting)?;
        attester.duties += 1;
        drawn.push(auditor);
    }
    Ok(Some(drawn))
}

/// Whether the examiner found something wrong. If so a jury is called, which the examiner pays in advance in case it finds
/// nothing: a troll forces nobody to work for free, however often it accuses at once. What is wrong it doesn't say, or
/// jurors could echo it and not look.
pub(crate) fn verdict(txn: &mut Txn<'_>, call: &GiveVerdict) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let (now, sender, bond) = (txn.now(), txn.sender(), call.bond.0);
    let fine = terms(&stack)?.examiner_fine;
    let ticket = ticket_mut(&mut stack, call.holder, call.ticket)?;
    let Exam::Hit(hit) = &mut ticket.exam else {
        return Err(AbortCode::NotExamining);
    };
    ensure(hit.stage == HitStage::Examining, AbortCode::NotExamining)?;
    ensure(hit.examiner.owner == sender, AbortCode::NotAuditor)?;
    ensure(now <= hit.deadline_ms, AbortCode::VerdictTooLate)?;
    let asked = if call.bad { fine } else { MicroUsdc::ZERO };
    ensure(bond == asked, AbortCode::WrongBond)?;
    txn.take(bond)?;
    hit.stage = if call.bad {
        HitStage::Accused
    } else {
        HitStage::Passed
    };
    hit.deadline_ms = TimestampMs::default();
    let examiner = hit.examiner.node;
    ticket.exam_bond = bond;
    txn.emit(VerdictGiven {
        stack: stack.id,
        node: call.holder,
        ticket: call.ticket,
        examiner,
        bad: call.bad,
    });
    txn.put_stack(stack);
    Ok(())
}
