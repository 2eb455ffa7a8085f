//! What goes to the ledger as calls.

use super::{
    duty::Duty,
    step::{Act, Sealed},
};
use atoma_types::{
    MicroUsdc, NodeId,
    chain::{Call, Clock, Payment, calls},
    hash::Hash32,
};

/// The call of an act; `us` is the attester. An accusation is staked with the bond.
pub(super) fn call(us: NodeId, act: &Act, bond: MicroUsdc) -> Call {
    match act {
        Act::Say { ticket, bad } => calls::GiveVerdict {
            stack: ticket.stack.into(),
            holder: ticket.holder,
            ticket: ticket.to_seq,
            bad: *bad,
            bond: Payment(bond),
            clock: Clock,
        }
        .into(),
        Act::Commit { duty, sealed } => calls::CommitVerdict {
            stack: duty.ticket.stack.into(),
            holder: duty.ticket.holder,
            ticket: duty.ticket.to_seq,
            challenge: duty.seat.is_of_challenge(),
            juror: us,
            commitment: commitment(duty, us, sealed),
            clock: Clock,
        }
        .into(),
        Act::Reveal { duty, sealed } => calls::RevealVerdict {
            stack: duty.ticket.stack.into(),
            holder: duty.ticket.holder,
            ticket: duty.ticket.to_seq,
            challenge: duty.seat.is_of_challenge(),
            juror: us,
            verdict: sealed.verdict.kind,
            digest: sealed.verdict.digest,
            salt: sealed.salt,
            clock: Clock,
        }
        .into(),
        Act::Anyone { call, .. } => call.clone(),
    }
}

fn commitment(duty: &Duty, us: NodeId, sealed: &Sealed) -> Hash32 {
    sealed.verdict.commitment(duty.ballot(), us, &sealed.salt)
}
