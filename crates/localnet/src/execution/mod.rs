//! Execution of one transaction against the live state: a pure function. What it returns is applied
//! by the caller, or dropped after a simulation.

mod balance_changes;
mod context;
pub(crate) mod effects;
pub(crate) mod gas;
mod inputs;
mod outcome;
mod program;
mod publish;
mod refusal;
mod refusal_cause;
mod resolved;
mod withdrawals;

pub(crate) use context::Context;
pub(crate) use outcome::Outcome;
pub(crate) use refusal::Refusal;
pub(crate) use refusal_cause::{BadSignature, Malformed};

use crate::state::State;
use sui_sdk_types::{Input, Transaction, TransactionKind};

/// Executes a transaction. Signatures were checked by the caller.
pub(crate) fn execute(
    state: &State,
    transaction: &Transaction,
    context: &Context,
) -> Result<Outcome, Refusal> {
    let digest = transaction.digest();
    let mut checked = inputs::check(state, transaction, context)?;
    let result = if context.congested {
        Err(Box::new((checked.give_up(), None)))
    } else {
        program::run(state, transaction, &checked, context, digest)
    };
    effects::conclude(state, transaction, &checked, digest, result)
}

/// Whether a transaction may change an object that everybody may use.
pub(crate) fn changes_shared(transaction: &Transaction) -> bool {
    let TransactionKind::ProgrammableTransaction(program) = &transaction.kind else {
        return false;
    };
    program
        .inputs
        .iter()
        .any(|input| matches!(input, Input::Shared(shared) if shared.mutability().is_mutable()))
}
