//! What can go wrong between a program and the ledger.

use crate::{
    Amount, PackageError, build_error::BuildError, execution_failure::ExecutionFailure,
    grpc_status::GrpcStatus, malformed::MalformedAnswer,
};
use atoma_types::{Address, NetworkId, ObjectId};
use std::{io, path::PathBuf};
use sui_sdk_types::Digest;

/// Why the ledger's answer isn't the one that was hoped for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
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
    /// No answer, or the connection broke, before anything was submitted.
    #[error("cannot reach the ledger at {url}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// Why there was no answer.
        source: GrpcStatus,
    },
    /// The ledger says no, in its own words; nothing changed.
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
    /// No such object or transaction.
    #[error("the ledger has no {what} {id}")]
    NotFound {
        /// What was asked for.
        what: &'static str,
        /// The object's id, as it was given.
        id: String,
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
    /// Nothing was ordered: an earlier run of the program left a transaction of this wallet on its way, and it has
    /// been executed by now. The order may be the very same.
    #[error(
        "transaction {digest}, which an earlier command left on its way, is executed now: look at what it did, and order again if you still want to"
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
    /// There is no deployment of the package where one was expected.
    #[error("nothing tells which package is Atoma's on the ledger at {url}")]
    NoDeployment {
        /// The URL of the ledger that was asked.
        url: String,
    },
    /// The ledger is another one than the deployment says.
    #[error("the ledger is network {found}, the deployment is for {expected}")]
    WrongNetwork {
        /// As the ledger says.
        found: NetworkId,
        /// What the configuration names.
        expected: NetworkId,
    },
    /// An object has another type than it should.
    #[error(
        "object {id} is a {}, not a {}",
        short(found, expected),
        short(expected, found)
    )]
    WrongType {
        /// Id of the object on the ledger.
        id: ObjectId,
        /// The object's Move type, as the ledger says.
        found: String,
        /// The Move type that it should have.
        expected: String,
    },
    /// An answer that can't be read.
    #[error("cannot read the ledger's answer")]
    Malformed(#[from] MalformedAnswer),
    /// A transaction that can't be built.
    #[error("cannot build the transaction")]
    Build(#[from] BuildError),
    /// The compiled package isn't fit for this ledger.
    #[error(transparent)]
    Package(#[from] PackageError),
}

/// A Move type without the address of its package, where the other type's is the same.
fn short<'a>(name: &'a str, other: &str) -> &'a str {
    match (name.split_once("::"), other.split_once("::")) {
        (Some((package, rest)), Some((same, _))) if package == same => rest,
        _ => name,
    }
}

impl LedgerError {
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
        matches!(self, Self::Unreachable { .. } | Self::Timeout { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_type_is_told_without_a_package_that_is_the_same() {
        let said = |found: &str, expected: &str| {
            let error = LedgerError::WrongType {
                id: ObjectId::TWO,
                found: found.to_owned(),
                expected: expected.to_owned(),
            };
            let said = error.to_string();
            said.split_once(" is a ").unwrap().1.to_owned()
        };
        assert_eq!(
            said("0x7::task::Task", "0x7::stack::Stack"),
            "task::Task, not a stack::Stack"
        );
        assert_eq!(
            said("0x8::stack::Stack", "0x7::stack::Stack"),
            "0x8::stack::Stack, not a 0x7::stack::Stack"
        );
    }
}
