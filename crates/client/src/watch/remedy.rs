//! What can be done about an answer that is wrong. Pure.
//!
//! That an answer isn't the model's is for a jury to find: the ledger sees no answers. A jury computes the record
//! anew, so what it finds is what anyone finds who does: another text, or a usage that isn't that of the text. So a
//! challenge is brought for what is known to be wrong by a check of one's own, and never for a contradiction that a
//! demand settles, which costs a hundredth.

use super::decide::{Held, ends_in_kept};
use crate::store::Wrong;
use atoma_types::{
    ComputeUnits, MicroUsdc, Rule, TimestampMs,
    chain::{Lease, Stack, Ticket},
};

/// An answer in a ticket that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongAnswer {
    /// The place of its receipt.
    pub seq: u64,
    /// The last unit that it charges.
    pub unit: ComputeUnits,
    /// What is wrong, in the words of whoever checked the answer.
    pub reason: String,
    /// What can be done about it.
    pub remedy: Remedy,
}

/// What can be done about a wrong answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// It can be challenged, with this bond.
    Challenge(MicroUsdc),
    /// The ticket was challenged, which can be done once.
    Challenged,
    /// The stack's task isn't examined: there is no jury.
    NotExamined,
    /// Honest answers differ a little on the task, so the ledger draws the record that a jury sees: hardly ever
    /// this one.
    NotChosen,
    /// What the node claims isn't the chain that has the answer: a demand says more.
    AnotherChain,
    /// It isn't proved that the claim is of the kept receipts: a jury may be shown another record in its place. A demand
    /// says more.
    Unproven,
    /// The bond is more than may still be staked.
    TooDear {
        /// What the challenge would stake.
        bond: MicroUsdc,
        /// What may still be staked.
        left: MicroUsdc,
    },
}

/// The first of these wrong answers that a ticket claims, and what can be done about it while its window is open.
/// `left` may still be staked.
pub(super) fn wrong_in(
    stack: &Stack,
    lease: &Lease,
    (ticket, held): (&Ticket, &Held),
    wrongs: &[Wrong],
    left: MicroUsdc,
    now: TimestampMs,
) -> Option<WrongAnswer> {
    let claimed = |wrong: &&Wrong| {
        ticket.from_seq < wrong.seq && wrong.seq <= ticket.to_seq && ticket.claims(wrong.unit)
    };
    let wrong = wrongs.iter().find(claimed)?;
    if now > ticket.deadline_ms {
        return None;
    }
    Some(WrongAnswer {
        seq: wrong.seq,
        unit: wrong.unit,
        reason: wrong.reason.clone(),
        remedy: remedy(stack, lease, (ticket, held), left),
    })
}

/// Whether a jury can be had about a record that its owner chooses.
pub(super) fn can_be_judged(stack: &Stack) -> bool {
    stack.terms.sampling.is_some() && stack.engine.rule == Rule::Exact
}

fn remedy(
    stack: &Stack,
    lease: &Lease,
    (ticket, held): (&Ticket, &Held),
    left: MicroUsdc,
) -> Remedy {
    let Some(sampling) = &stack.terms.sampling else {
        return Remedy::NotExamined;
    };
    if ticket.challenge.is_some() {
        return Remedy::Challenged;
    }
    if stack.engine.rule == Rule::Tolerant {
        return Remedy::NotChosen;
    }
    if held.other_records || !ends_in_kept(ticket, held) {
        return Remedy::AnotherChain;
    }
    if held.missing.is_some() {
        return Remedy::Unproven;
    }
    let value = lease.value(ticket.from_units, ticket.to_units);
    let bond = sampling.bond(value.unwrap_or_default());
    match bond <= left {
        true => Remedy::Challenge(bond),
        false => Remedy::TooDear { bond, left },
    }
}

#[cfg(test)]
#[path = "remedy_test.rs"]
mod tests;
