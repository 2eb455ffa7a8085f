//! Jurors commit, then reveal: nobody sees another's verdict before their own is fixed.

use super::sitting_mut;
use crate::{Rule, Txn, ensure, settlement::ticket_mut};
use atoma_types::{
    Address, NodeId, TimestampMs,
    chain::{
        AbortCode, Juror, Jury, Verdict,
        calls::{CommitVerdict, RevealVerdict},
        events::{Committed, Revealed},
    },
    hash::Hash32,
};

/// A juror fixes its verdict.
pub(crate) fn commit(txn: &mut Txn<'_>, call: &CommitVerdict) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let (now, sender) = (txn.now(), txn.sender());
    let jury = sitting_mut(
        ticket_mut(&mut stack, call.holder, call.ticket)?,
        call.challenge,
    )?;
    ensure(
        jury.seq != 0 && now <= jury.deadline_ms,
        AbortCode::NotCommitting,
    )?;
    let juror = own_seat(jury, call.juror, sender)?;
    ensure(juror.commitment.is_none(), AbortCode::NotCommitting)?;
    juror.commitment = Some(call.commitment);
    txn.emit(Committed {
        stack: stack.id,
        node: call.holder,
        ticket: call.ticket,
        challenge: call.challenge,
        juror: call.juror,
    });
    txn.put_stack(stack);
    Ok(())
}

/// A juror shows it, once all have committed or the time for it is over.
pub(crate) fn reveal(txn: &mut Txn<'_>, call: &RevealVerdict) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let verdict = checked(call.verdict, call.digest)?;
    let (now, sender, id) = (txn.now(), txn.sender(), stack.id);
    let ticket = ticket_mut(&mut stack, call.holder, call.ticket)?;
    let ballot = (id, call.holder, call.ticket, call.challenge);
    let jury = sitting_mut(ticket, call.challenge)?;
    ensure(is_revealing(jury, now), AbortCode::NotRevealing)?;
    let juror = own_seat(jury, call.juror, sender)?;
    ensure(
        juror.commitment.is_some() && juror.verdict.is_none(),
        AbortCode::NotRevealing,
    )?;
    let expected = verdict.commitment(ballot, call.juror, &call.salt);
    ensure(juror.commitment == Some(expected), AbortCode::WrongReveal)?;
    juror.verdict = Some(verdict);
    txn.emit(Revealed {
        stack: stack.id,
        node: call.holder,
        ticket: call.ticket,
        challenge: call.challenge,
        juror: call.juror,
        verdict,
    });
    txn.put_stack(stack);
    Ok(())
}

/// A verdict in its one form: nothing wrong has no digest.
fn checked(kind: u8, digest: Hash32) -> Rule<Verdict> {
    let verdict = Verdict { kind, digest };
    ensure(
        verdict.is_bad() || verdict == Verdict::OK,
        AbortCode::VerdictInvalid,
    )?;
    Ok(verdict)
}

fn is_revealing(jury: &Jury, now: TimestampMs) -> bool {
    let all = jury.jurors.iter().all(|juror| juror.commitment.is_some());
    jury.seq != 0 && now <= jury.reveal_ms && (all || now > jury.deadline_ms)
}

/// A juror that the sender acts for.
fn own_seat(jury: &mut Jury, juror: NodeId, sender: Address) -> Rule<&mut Juror> {
    jury.jurors
        .iter_mut()
        .find(|seat| seat.auditor.node == juror && seat.auditor.owner == sender)
        .ok_or(AbortCode::NotAuditor)
}
