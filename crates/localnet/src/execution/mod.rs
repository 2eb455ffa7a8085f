//! Execution of one transaction against the live state: a pure function. What it returns is applied
//! by the caller, or dropped after a simulation.

pub(crate) mod effects;
pub(crate) mod gas;
mod inputs;
mod program;
mod publish;
mod refusal;

pub(crate) use refusal::Refusal;

use crate::state::{Delta, State};
use atoma_types::{NetworkId, ObjectId, TimestampMs};
use std::sync::Arc;
use sui_sdk_types::{
    BalanceChange, Digest, Object, Transaction, TransactionEffects, TransactionEvents,
};

/// What execution is told beside the transaction.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The ledger's time.
    pub(crate) now: TimestampMs,
    /// Which ledger.
    pub(crate) network: NetworkId,
    /// The same as a digest.
    pub(crate) chain: Digest,
    /// The beacon's word for this transaction.
    pub(crate) seed: [u8; 32],
    /// Off in simulations of transactions that have no sender yet.
    pub(crate) checks: bool,
    /// Pays in simulations that name no gas.
    pub(crate) mock_gas: Option<Arc<Object>>,
}

/// What came of a transaction, whether it succeeded or failed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) effects: TransactionEffects,
    pub(crate) events: Option<TransactionEvents>,
    pub(crate) delta: Delta,
    /// Types of the changed objects.
    pub(crate) types: Vec<(ObjectId, String)>,
    pub(crate) balance_changes: Vec<BalanceChange>,
}

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
