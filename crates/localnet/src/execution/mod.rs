//! Execution of one transaction against the live state: a pure function. What it returns is applied
//! by the caller, or dropped after a simulation.

mod context;
pub(crate) mod effects;
pub(crate) mod gas;
mod inputs;
mod outcome;
mod program;
mod publish;
mod refusal;

pub(crate) use context::Context;
pub(crate) use outcome::Outcome;
pub(crate) use refusal::Refusal;

use crate::state::State;
use sui_sdk_types::Transaction;

/// Executes a transaction. Signatures were checked by the caller.
pub(crate) fn execute(
    state: &State,
    transaction: &Transaction,
    context: &Context,
) -> Result<Outcome, Refusal> {
    let digest = transaction.digest();
    let checked = inputs::check(state, transaction, context)?;
    let result = program::run(state, transaction, &checked, context, digest);
    effects::conclude(state, transaction, &checked, digest, result)
}
