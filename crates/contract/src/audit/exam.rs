//! The examination: a draw that does nothing else, an examiner, and what it says.

use super::{seed, terms};
use crate::{
    Rule, Txn, draw as weights, ensure,
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
    let Due {
        unit,
        silent,
        seq,
        is_last,
    } = due(txn, &stack, &mut task, (call.holder, call.ticket))?;
    let drawn = match is_last {
        true => None,
        false => draw_examiner(txn, &stack, &mut task, (call.holder, silent))?,
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

/// An examination that needs an examiner.
struct Due {
    unit: ComputeUnits,
    /// Who was silent about it.
    silent: Option<Auditor>,
    /// The record that they were shown.
    seq: u64,
    /// Nobody else is asked: two were silent. Each costs up to 36 hours, and a liar would rather say that all is well.
    is_last: bool,
}

/// What is to be examined. Who was silent isn't struck off yet: what no one can read proves nothing about who was shown it.
fn due(
    txn: &Txn<'_>,
    stack: &Stack,
    task: &mut Task,
    (holder, to_seq): (NodeId, u64),
) -> Rule<Due> {
    let sampling = terms(stack)?;
    let (_, ticket) = settlement::open_ticket(stack, holder, to_seq)?;
    match &ticket.exam {
        Exam::Drawn { seed } => {
            ensure(sampling.hits(seed), AbortCode::Missed)?;
            Ok(Due {
                unit: seed::unit(seed, ticket),
                silent: None,
                seq: 0,
                is_last: false,
            })
        }
        Exam::Hit(hit) if hit.stage == HitStage::Examining => {
            let late = txn.now() > hit.deadline_ms;
            ensure(late, AbortCode::VerdictTimeNotOver)?;
            super::end::free(task, hit.examiner.node)?;
            Ok(Due {
                unit: hit.unit,
                silent: Some(hit.examiner),
                seq: hit.seq,
                is_last: hit.silent.is_some(),
            })
        }
        Exam::None | Exam::Undrawn | Exam::Hit(_) | Exam::Unexamined => Err(AbortCode::NotDrawn),
    }
}

fn draw_examiner(
    txn: &Txn<'_>,
    stack: &Stack,
    task: &mut Task,
    (holder, silent): (NodeId, Option<Auditor>),
) -> Rule<Option<Auditor>> {
    let sampling = terms(stack)?;
    let lease = stack.lease(holder).ok_or(AbortCode::NoSuchLease)?;
    let mut but = vec![lease.owner, stack.owner];
    but.extend(silent.map(|silent| silent.owner));
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
    let enough = match call.bad {
        true => bond >= fine,
        false => bond == MicroUsdc::ZERO,
    };
    ensure(enough, AbortCode::WrongBond)?;
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
