//! What goes to the ledger as calls.

use super::{
    duty::Duty,
    step::{Act, Sealed},
};
use atoma_types::{
    MicroUsdc, NodeId,
    chain::{Call, Clock, Payment, SamplingTerms, calls},
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

/// What is staked on an accusation: an examiner's fine, or what the operator says, if that is more.
pub(super) fn bond(terms: Option<&SamplingTerms>, own: MicroUsdc) -> MicroUsdc {
    let fine = terms.map(|terms| terms.examiner_fine);
    fine.unwrap_or_default().max(own)
}

fn commitment(duty: &Duty, us: NodeId, sealed: &Sealed) -> Hash32 {
    sealed.verdict.commitment(duty.ballot(), us, &sealed.salt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::testing::stack;
    use atoma_types::DurationMs;

    /// It was always the least.
    #[test]
    fn an_accusation_stakes_what_the_operator_says_and_a_fine_at_least() {
        let mut stack = stack();
        assert_eq!(bond(stack.terms.sampling.as_ref(), MicroUsdc::ZERO).0, 0);
        stack.terms.sampling = Some(SamplingTerms {
            sample_permille: 1_000,
            due: MicroUsdc(1),
            attest_fee: MicroUsdc(1),
            verdict_window_ms: DurationMs(400),
            jury_size: 2,
            jury_quorum: 2,
            examiner_fine: MicroUsdc(200),
            juror_fine: MicroUsdc(1),
            challenge_bond: MicroUsdc(1),
            challenge_bond_permille: 1,
        });
        let terms = stack.terms.sampling.as_ref();
        for (own, staked) in [(0, 200), (199, 200), (5_000, 5_000)] {
            assert_eq!(bond(terms, MicroUsdc(own)), MicroUsdc(staked));
        }
    }
}
