//! Why a transaction didn't do its work, or why that isn't known.

use crate::{
    Amount, BuildError, ReadError, execution_failure::ExecutionFailure, grpc_status::GrpcStatus,
    malformed::MalformedAnswer,
};
use atoma_types::Address;
use std::{io, path::PathBuf};
use sui_sdk_types::Digest;

/// Why a piece of work wasn't done, or isn't known to be: [`changed_nothing`](Self::changed_nothing) tells these two
/// apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The package refused the call; nothing changed.
    #[error("the ledger refused the call: {name} (abort {code} in {function})")]
    Abort {
        /// The package's stable code.
        code: u64,
        /// The code's name in the package, such as `nobody_eligible`.
        name: &'static str,
        /// The function that was called, as `module::function`.
        function: String,
    },
    /// The wallet's coins don't reach.
    #[error("{owner} needs {needed} and has {available}")]
    InsufficientFunds {
        /// Address of the wallet that was to pay.
        owner: Address,
        /// What the transaction takes.
        needed: Amount,
        /// What there is of the same coin.
        available: Amount,
    },
    /// It would take more gas than the caller allows; nothing was submitted.
    #[error(
        "the transaction needs {} of gas, and its budget is {}",
        Amount::Sui(*needed),
        Amount::Sui(*budget)
    )]
    GasBudget {
        /// What the simulation took, in MIST.
        needed: u64,
        /// The caller's limit, in MIST.
        budget: u64,
    },
    /// The endpoint names a higher gas price than the caller allows; nothing was submitted.
    #[error(
        "the ledger's endpoint says that a unit of gas costs {price} MIST, and at most {most} are allowed"
    )]
    GasPrice {
        /// What it names, in MIST for a unit of computation.
        price: u64,
        /// The caller's limit, in MIST.
        most: u64,
    },
    /// The ledger doesn't take the transaction, in its own words; nothing changed.
    #[error("the ledger rejected the request")]
    Rejected(#[source] GrpcStatus),
    /// Each time that the transaction was built its coins had changed; nothing was executed.
    #[error("the coins of {owner} changed under {attempts} attempts; another program uses them")]
    CoinsInUse {
        /// Address of the wallet.
        owner: Address,
        /// How often it was tried.
        attempts: u32,
    },
    /// The transaction was executed and failed other than by an abort of the package; gas was paid.
    #[error("the transaction {digest} failed")]
    Failed {
        /// The transaction's digest, by which explorers find it.
        digest: Digest,
        /// What the ledger says of it.
        source: ExecutionFailure,
    },
    /// Submitted, and no answer came: the outcome is unknown. The wallet settles it before its
    /// next transaction, by submitting the same bytes again.
    #[error("no answer about transaction {digest}")]
    Timeout {
        /// The transaction's digest, by which explorers find it.
        digest: Digest,
        /// What broke the last time that it was submitted.
        source: GrpcStatus,
    },
    /// The transaction was executed and has done its work; what the ledger tells of it can't be read.
    #[error("cannot read what transaction {digest} did; it is executed")]
    Unreadable {
        /// The transaction's digest, by which explorers find it.
        digest: Digest,
        /// What is wrong with the ledger's answer.
        source: Box<MalformedAnswer>,
    },
    /// Nothing was submitted: an earlier run of the program left a transaction of this wallet on its way, and it has
    /// been executed by now. The work may be the very same.
    #[error(
        "transaction {digest}, which an earlier command left on its way, is executed now: look at what it did, and repeat yours if you still want to"
    )]
    Resumed {
        /// The earlier transaction's digest, by which explorers find it.
        digest: Digest,
    },
    /// Transactions on their way can't be kept on disk; nothing was submitted.
    #[error("cannot keep transactions on their way in {path}")]
    InFlight {
        /// Where the folder is.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// A transaction that can't be built.
    #[error("cannot build the transaction")]
    Build(#[from] BuildError),
    /// What the transaction is made of can't be read; nothing was submitted.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl ExecuteError {
    /// The package's code, where it refused.
    #[must_use]
    pub fn abort_code(&self) -> Option<u64> {
        match self {
            Self::Abort { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the same call may succeed later without anything being changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } => true,
            Self::Read(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether it is certain that the work has not been done and won't be; gas may have been paid. Else it
    /// has been, or may still be.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Unreadable { .. } => false,
            Self::Abort { .. }
            | Self::InsufficientFunds { .. }
            | Self::GasBudget { .. }
            | Self::GasPrice { .. }
            | Self::Rejected(_)
            | Self::CoinsInUse { .. }
            | Self::Failed { .. }
            | Self::Resumed { .. }
            | Self::InFlight { .. }
            | Self::Build(_)
            | Self::Read(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_submitted_may_have_changed_something() {
        let status = || GrpcStatus(tonic::Status::unavailable("busy"));
        let digest = Digest::ZERO;
        let lost = ExecuteError::Timeout {
            digest,
            source: status(),
        };
        assert!(lost.is_transient() && !lost.changed_nothing());
        let done = ExecuteError::Unreadable {
            digest,
            source: MalformedAnswer::Missing("event's type").into(),
        };
        assert!(!done.is_transient() && !done.changed_nothing());
        let before = ExecuteError::from(ReadError::Unreachable {
            url: String::new(),
            source: status(),
        });
        assert!(before.is_transient() && before.changed_nothing());
        let refused = ExecuteError::Rejected(status());
        assert!(!refused.is_transient() && refused.changed_nothing());
    }
}
