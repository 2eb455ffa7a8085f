//! The end of a ticket, paid or void: whoever was drawn for it is free again.

use crate::{Rule, Txn, plus, task};
use atoma_types::{
    NodeId,
    chain::{AbortCode, Exam, HitStage, Jury, Task, Terms, Ticket},
};

/// Whether nothing about a ticket's examination is open.
pub(crate) fn is_exam_over(ticket: &Ticket, terms: &Terms) -> bool {
    match &ticket.exam {
        Exam::None | Exam::Unexamined => true,
        Exam::Undrawn => false,
        Exam::Drawn { seed } => {
            let sampling = terms.sampling.as_ref();
            !sampling.is_some_and(|sampling| sampling.hits(seed))
        }
        Exam::Hit(hit) => matches!(hit.stage, HitStage::Passed | HitStage::Cleared),
    }
}

/// Pays the examiner for its work and returns its bond, or fines it for what it overlooked, and frees everyone who was drawn. Who was
/// silent before an examiner that had something to say is struck off. Jurors of a jury that a conviction by another path ends are
/// freed unpaid.
pub(crate) fn end(
    txn: &mut Txn<'_>,
    task: &mut Task,
    terms: &Terms,
    ticket: &Ticket,
    contradicted: bool,
) -> Rule {
    let Some(sampling) = &terms.sampling else {
        return Ok(());
    };
    if let Exam::Hit(hit) = &ticket.exam {
        let examiner = hit.examiner.node;
        let worked = matches!(hit.stage, HitStage::Passed | HitStage::Accused);
        if contradicted {
            let taken = task::charge(txn, task, examiner, sampling.examiner_fine)?;
            task.fees = plus(task.fees, taken)?;
        } else if worked {
            let fee = sampling.attest_fee.min(task.dues);
            task.dues = crate::minus(task.dues, fee)?;
            task::credit(task, examiner, plus(fee, ticket.exam_bond)?)?;
        }
        free(task, examiner)?;
        let judged = !matches!(hit.stage, HitStage::Disclosing | HitStage::Examining);
        if let Some(silent) = hit.silent.filter(|_| judged) {
            task::strike(txn, task, silent.node);
        }
    }
    let challenge = ticket.challenge.as_ref();
    let juries: [Option<&Jury>; 2] = [
        ticket.exam_jury.as_ref(),
        challenge.and_then(|challenge| challenge.jury.as_ref()),
    ];
    for juror in juries.into_iter().flatten().flat_map(|jury| &jury.jurors) {
        free(task, juror.auditor.node)?;
    }
    Ok(())
}

/// Ends one duty of an attester.
pub(super) fn free(task: &mut Task, attester: NodeId) -> Rule {
    let attester = task::promise(task, attester).ok_or(AbortCode::NotAttesting)?;
    attester.duties = attester
        .duties
        .checked_sub(1)
        .ok_or(AbortCode::AmountOverflow)?;
    Ok(())
}
