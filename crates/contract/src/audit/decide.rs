//! A jury's verdicts are counted.

use super::{end, sitting, terms};
use crate::{
    Rule, Txn,
    dispute::{Case, Verdicts},
    ensure, minus, plus,
    settlement::{self, ticket_mut},
    task,
};
use atoma_types::{
    MicroUsdc, NodeId, TimestampMs,
    chain::{
        AbortCode, Exam, HitStage, Jury, SamplingTerms, Ticket, Verdict,
        calls::DecideJury,
        events::{Charge, JuryDecided, Outcome},
    },
};

/// Ends a jury, once all have revealed or the time for it is over. Anyone may.
pub(crate) fn decide(txn: &mut Txn<'_>, call: &DecideJury) -> Rule {
    let mut case = Case::load(txn, call.stack.id(), call.task.id(), call.node.id())?;
    let sampling = terms(&case.stack)?.clone();
    let ticket = case.ticket(call.ticket)?;
    let jury = sitting(ticket, call.challenge)?.clone();
    ensure(is_over(&jury, txn.now()), AbortCode::VerdictTimeNotOver)?;
    let (outcome, winning) = count(&jury, sampling.jury_quorum);
    let winners = voters(&jury, |verdict| *verdict == winning);
    let losers = voters(&jury, |verdict| *verdict != winning);

    txn.emit(JuryDecided {
        stack: case.stack.id,
        node: case.node.id,
        ticket: call.ticket,
        challenge: call.challenge,
        outcome,
    });
    // where nobody said anything, the record may be what nobody can read
    let some_spoke = jury.jurors.iter().any(|juror| juror.verdict.is_some());
    for juror in &jury.jurors {
        if some_spoke && juror.verdict.is_none() {
            task::strike(txn, &mut case.task, juror.auditor.node);
        }
    }
    if outcome != Outcome::Hung {
        for &loser in &losers {
            let taken = task::charge(txn, &mut case.task, loser, sampling.juror_fine)?;
            case.task.fees = plus(case.task.fees, taken)?;
        }
    }
    if outcome == Outcome::Guilty {
        let ticket = case.ticket(call.ticket)?;
        let contradict = contradicts(ticket, &jury, call.challenge);
        let bond = staked(ticket, call.challenge);
        let charge = if call.challenge {
            Charge::Challenged
        } else {
            Charge::Examined
        };
        let verdicts = Verdicts {
            winners,
            fee: sampling.attest_fee,
            contradict: contradict.then_some(call.ticket),
            refund: Some(sampling.refund(bond)),
        };
        return case.convict_by(txn, charge, &verdicts);
    }
    let paid = if outcome == Outcome::Hung {
        // both sides did their work
        voters(&jury, |_| true)
    } else {
        winners
    };
    clear(&mut case, &sampling, (outcome, call), &paid)?;
    for juror in &jury.jurors {
        end::free(&mut case.task, juror.auditor.node)?;
    }
    settlement::put(txn, case.stack, case.task, case.node);
    Ok(())
}

fn is_over(jury: &Jury, now: TimestampMs) -> bool {
    let all = jury.jurors.iter().all(|juror| juror.verdict.is_some());
    jury.seq != 0 && (all || now > jury.reveal_ms)
}

/// How it ended, and which verdict has it.
fn count(jury: &Jury, quorum: u64) -> (Outcome, Verdict) {
    let verdicts = jury.jurors.iter().filter_map(|juror| juror.verdict);
    for candidate in verdicts.clone() {
        let equal = verdicts.clone().filter(|other| *other == candidate);
        if equal.count() as u64 >= quorum {
            let outcome = if candidate.is_bad() {
                Outcome::Guilty
            } else {
                Outcome::Acquitted
            };
            return (outcome, candidate);
        }
    }
    (Outcome::Hung, Verdict::OK)
}

fn voters(jury: &Jury, chosen: impl Fn(&Verdict) -> bool) -> Vec<NodeId> {
    let jurors = jury.jurors.iter();
    jurors
        .filter(|juror| juror.verdict.as_ref().is_some_and(&chosen))
        .map(|juror| juror.auditor.node)
        .collect()
}

/// Whether the jury found bad the very record that the examiner passed.
fn contradicts(ticket: &Ticket, jury: &Jury, challenge: bool) -> bool {
    match &ticket.exam {
        Exam::Hit(hit) => challenge && hit.stage == HitStage::Passed && hit.seq == jury.seq,
        Exam::None | Exam::Undrawn | Exam::Drawn { .. } | Exam::Unexamined => false,
    }
}

/// What stands for an accusation, and is lost if its jury acquits. No other's bond counts: of two accusations each would
/// risk its own, and win what both stand for.
fn staked(ticket: &Ticket, challenge: bool) -> MicroUsdc {
    if !challenge {
        return ticket.exam_bond;
    }
    let challenge = ticket.challenge.as_ref();
    challenge.map_or(MicroUsdc::ZERO, |challenge| challenge.bond)
}

/// Ends a jury that did not find the node guilty: who accused it pays the jurors.
fn clear(
    case: &mut Case,
    sampling: &SamplingTerms,
    (outcome, call): (Outcome, &DecideJury),
    paid: &[NodeId],
) -> Rule {
    let mut ticket = case.ticket(call.ticket)?.clone();
    let pot = match (&mut ticket.challenge, &mut ticket.exam) {
        (Some(challenge), _) if call.challenge => {
            challenge.over = true;
            challenge.jury = None;
            std::mem::take(&mut challenge.bond)
        }
        (_, Exam::Hit(hit)) => {
            hit.stage = HitStage::Cleared;
            ticket.exam_jury = None;
            let bond = std::mem::take(&mut ticket.exam_bond);
            if outcome == Outcome::Acquitted {
                bond
            } else {
                task::credit(&mut case.task, hit.examiner.node, bond)?;
                MicroUsdc::ZERO
            }
        }
        _ => MicroUsdc::ZERO,
    };
    *ticket_mut(&mut case.stack, case.node.id, call.ticket)? = ticket;
    let mut left = pot;
    for &juror in paid {
        let fee = sampling.attest_fee.min(left);
        task::credit(&mut case.task, juror, fee)?;
        left = minus(left, fee)?;
    }
    if call.challenge && outcome == Outcome::Hung {
        case.stack.free = plus(case.stack.free, left)?;
    } else {
        case.task.fees = plus(case.task.fees, left)?;
    }
    Ok(())
}
