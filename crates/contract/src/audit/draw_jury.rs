//! The draw of a jury.

use super::{exam, seed, terms};
use crate::{
    Rule, Txn, draw as weights, ensure, plus,
    settlement::{self, ticket_mut},
    task,
};
use atoma_types::{
    ComputeUnits, TimestampMs,
    chain::{
        AbortCode, Auditor, Exam, HitStage, Juror, Jury, Stack, Subscription, Task,
        calls::DrawJury,
        events::{JuryDecided, JuryDrawn, Outcome},
    },
    hash::Hash32,
};

/// Draws the jury that a bad verdict or a challenge called for: others than the examiner, of other owners than the
/// parties. Where fewer are there, all of them sit; if they are no quorum, the accusation is dropped and costs nobody
/// anything. Anyone may.
pub(crate) fn jury(txn: &mut Txn<'_>, call: &DrawJury) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let mut task = txn.task(call.task.id())?;
    ensure(stack.task == task.id, AbortCode::WrongTask)?;
    let unit = called(txn, &stack, call)?;
    let but = parties(&stack, call)?;
    let sampling = terms(&stack)?;
    let (size, quorum) = (sampling.jury_size, sampling.jury_quorum);
    let bought_at = stack.created_at_ms;
    let fits = |offer: &Subscription| weights::attests(offer, bought_at, sampling.juror_fine, &but);
    let there = task
        .subscriptions
        .iter()
        .filter(|offer| fits(offer))
        .count();
    // one that resigns in time makes a jury smaller, and saves nobody from it
    let count = usize::try_from(size).map_or(there, |size| size.min(there));
    let drawn = if count as u64 >= quorum {
        exam::pick(&mut task, txn.seed(), count, fits)?
    } else {
        None
    };
    match drawn {
        Some(drawn) => seat(txn, &mut stack, call, unit, drawn)?,
        None => dissolve(txn, &mut stack, &mut task, call)?,
    }
    txn.put_task(task);
    txn.put_stack(stack);
    Ok(())
}

/// The unit that a jury was called to look at.
fn called(txn: &Txn<'_>, stack: &Stack, call: &DrawJury) -> Rule<ComputeUnits> {
    let (_, ticket) = settlement::open_ticket(stack, call.holder, call.ticket)?;
    if call.challenge {
        let challenge = ticket.challenge.as_ref();
        let challenge = challenge
            .filter(|challenge| !challenge.over)
            .ok_or(AbortCode::JuryNotCalled)?;
        ensure(challenge.jury.is_none(), AbortCode::JurySits)?;
        let drawn = || seed::unit(&Hash32(*txn.seed()), ticket);
        return Ok(challenge.unit.unwrap_or_else(drawn));
    }
    match &ticket.exam {
        Exam::Hit(hit) if hit.stage == HitStage::Accused => {
            ensure(ticket.exam_jury.is_none(), AbortCode::JurySits)?;
            Ok(hit.unit)
        }
        Exam::None | Exam::Undrawn | Exam::Drawn { .. } | Exam::Hit(_) | Exam::Unexamined => {
            Err(AbortCode::JuryNotCalled)
        }
    }
}

/// Owners who may not judge: the node's, the stack's, and the examiner's.
fn parties(stack: &Stack, call: &DrawJury) -> Rule<Vec<atoma_types::Address>> {
    let (lease, ticket) = settlement::open_ticket(stack, call.holder, call.ticket)?;
    let mut owners = vec![lease.owner, stack.owner];
    if let Exam::Hit(hit) = &ticket.exam {
        owners.push(hit.examiner.owner);
    }
    Ok(owners)
}

fn seat(
    txn: &mut Txn<'_>,
    stack: &mut Stack,
    call: &DrawJury,
    unit: ComputeUnits,
    drawn: Vec<Auditor>,
) -> Rule {
    let deadline_ms = txn.now().saturating_add(stack.terms.answer_window_ms);
    let nodes = drawn.iter().map(|auditor| auditor.node).collect();
    let juror = |auditor| Juror {
        auditor,
        commitment: None,
        verdict: None,
    };
    let jury = Jury {
        unit,
        seq: 0,
        jurors: drawn.into_iter().map(juror).collect(),
        deadline_ms,
        reveal_ms: TimestampMs::default(),
    };
    let ticket = ticket_mut(stack, call.holder, call.ticket)?;
    match &mut ticket.challenge {
        Some(challenge) if call.challenge => challenge.jury = Some(jury),
        _ => ticket.exam_jury = Some(jury),
    }
    txn.emit(JuryDrawn {
        stack: stack.id,
        node: call.holder,
        ticket: call.ticket,
        challenge: call.challenge,
        unit,
        nodes,
        deadline_ms,
    });
    Ok(())
}

/// Nobody is there to judge: nobody was wrong, and who accused has its bond back.
fn dissolve(txn: &mut Txn<'_>, stack: &mut Stack, task: &mut Task, call: &DrawJury) -> Rule {
    let ticket = ticket_mut(stack, call.holder, call.ticket)?;
    match (&mut ticket.challenge, &mut ticket.exam) {
        (Some(challenge), _) if call.challenge => {
            challenge.over = true;
            let bond = std::mem::take(&mut challenge.bond);
            stack.free = plus(stack.free, bond)?;
        }
        (_, Exam::Hit(hit)) => {
            hit.stage = HitStage::Cleared;
            let bond = std::mem::take(&mut ticket.exam_bond);
            task::credit(task, hit.examiner.node, bond)?;
        }
        _ => {}
    }
    txn.emit(JuryDecided {
        stack: stack.id,
        node: call.holder,
        ticket: call.ticket,
        challenge: call.challenge,
        outcome: Outcome::Dissolved,
    });
    Ok(())
}
