//! Reading effects: whether a transaction did what it should, what it emitted and what it cost.

use crate::{ExecuteError, events::known_event, execution_failure::ExecutionFailure, localnet};
use atoma_types::{
    ObjectId,
    chain::{AbortCode, Deployment, Event},
};
use sui_rpc::proto::sui::rpc::v2::{
    ExecutedTransaction, ExecutionError, GasCostSummary, execution_error::ExecutionErrorKind,
};
use sui_sdk_types::Digest;

/// A transaction that succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// The transaction's digest, by which explorers find it.
    pub digest: Digest,
    /// The events of our package, and Walrus's about blobs, in order.
    pub events: Vec<Event>,
    /// Gas paid, storage rebates taken off, in MIST.
    pub gas_used: u64,
    /// The checkpoint it is in, if it is known already.
    pub checkpoint: Option<u64>,
}

/// Success with its events, or the error that the effects name. Without a deployment there are no events, and
/// no aborts, of ours.
pub(crate) fn outcome(
    deployment: Option<&Deployment>,
    digest: Digest,
    executed: &ExecutedTransaction,
) -> Result<Executed, ExecuteError> {
    let status = executed.effects().status();
    if !status.success() {
        return Err(execution_error(deployment, digest, status.error()));
    }
    let mut events = Vec::new();
    if let Some(deployment) = deployment {
        for event in &executed.events().events {
            let known = known_event(event, deployment);
            events.extend(known.map_err(|source| ExecuteError::Unreadable {
                digest,
                source: source.into(),
            })?);
        }
    }
    Ok(Executed {
        digest,
        events,
        gas_used: net_gas(executed.effects().gas_used()),
        checkpoint: executed.checkpoint,
    })
}

/// An abort of our package by name; any other failure in the ledger's words.
pub(crate) fn execution_error(
    deployment: Option<&Deployment>,
    digest: Digest,
    error: &ExecutionError,
) -> ExecuteError {
    let ours = |package: ObjectId| deployment.is_some_and(|d| speaks_our_codes(d, package));
    let abort = error.abort_opt().filter(|abort| {
        error.kind() == ExecutionErrorKind::MoveAbort
            && abort.location().package().parse().is_ok_and(ours)
    });
    match abort {
        Some(abort) => ExecuteError::Abort {
            code: abort.abort_code(),
            name: AbortCode::from_code(abort.abort_code()).map_or("unknown", AbortCode::name),
            function: format!(
                "{}::{}",
                abort.location().module(),
                abort.location().function_name()
            ),
        },
        None => ExecuteError::Failed {
            digest,
            source: ExecutionFailure {
                kind: error.kind(),
                description: error.description().to_owned(),
            },
        },
    }
}

/// Whether a package's abort codes are ours: our own, and localnet's Walrus. Walrus's own package has
/// numbers of its own.
fn speaks_our_codes(deployment: &Deployment, package: ObjectId) -> bool {
    [deployment.package, deployment.original_package].contains(&package)
        || (package == deployment.walrus.package && localnet::is_development_walrus(package))
}

/// What was paid: computation and storage, less what freed storage gives back.
pub(crate) fn net_gas(gas: &GasCostSummary) -> u64 {
    gas.computation_cost()
        .saturating_add(gas.storage_cost())
        .saturating_sub(gas.storage_rebate())
}

/// Whether the ledger gave up for reasons of its own; the same work may pass a moment later.
pub(crate) fn is_congestion(executed: &ExecutedTransaction) -> bool {
    matches!(
        executed.effects().status().error().kind(),
        ExecutionErrorKind::ExecutionCanceledDueToConsensusObjectCongestion
            | ExecutionErrorKind::ExecutionCanceledDueToRandomnessUnavailable
    )
}

/// Whether an address balance held less than was reserved of it: a full node's word of it was old.
pub(crate) fn is_short_balance(executed: &ExecutedTransaction) -> bool {
    executed.effects().status().error().kind() == ExecutionErrorKind::InsufficientFundsForWithdraw
}
