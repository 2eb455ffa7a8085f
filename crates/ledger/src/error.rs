//! What can go wrong between a program and the ledger.

use crate::PackageError;
use atoma_types::{Address, ObjectId};
use std::path::PathBuf;
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
        /// The code's name.
        name: &'static str,
        /// The function that was called, as `module::function`.
        function: String,
    },
    /// The wallet's coins don't reach.
    #[error("{owner} needs {needed} of {coin} and has {available}")]
    InsufficientFunds {
        /// The wallet's address.
        owner: Address,
        /// The type of coin.
        coin: String,
        /// What the transaction takes.
        needed: u64,
        /// What there is.
        available: u64,
    },
    /// It would take more gas than the caller allows; nothing was submitted.
    #[error("the transaction needs {needed} MIST of gas, the budget is {budget}")]
    GasBudget {
        /// What the simulation took.
        needed: u64,
        /// The caller's limit.
        budget: u64,
    },
    /// No answer, or the connection broke, before anything was submitted.
    #[error("cannot reach the ledger at {url}: {reason}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What went wrong, in words.
        reason: String,
    },
    /// The ledger says no; nothing changed.
    #[error("the ledger rejected the request: {0}")]
    Rejected(String),
    /// The transaction was executed and failed other than by an abort of the package; gas was paid.
    #[error("the transaction {digest} failed: {reason}")]
    Failed {
        /// The transaction's digest.
        digest: Digest,
        /// The ledger's words.
        reason: String,
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
    #[error("no answer about transaction {digest}: {reason}")]
    Timeout {
        /// The transaction's digest.
        digest: Digest,
        /// The last cause.
        reason: String,
    },
    /// There is no deployment of the package where one was expected.
    #[error("the ledger at {url} has no known deployment; name the package and its database")]
    NoDeployment {
        /// The URL of the ledger that was asked.
        url: String,
    },
    /// The ledger is another one than the deployment says.
    #[error("the ledger is network {found}, the deployment is for {expected}")]
    WrongNetwork {
        /// As the ledger says.
        found: String,
        /// What the configuration names.
        expected: String,
    },
    /// An object has another type than it should.
    #[error("object {id} is a {found}, not a {expected}")]
    WrongType {
        /// Id of the object on the ledger.
        id: ObjectId,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// An answer that can't be read.
    #[error("cannot read the ledger's answer: {0}")]
    Malformed(String),
    /// A transaction that can't be built.
    #[error("cannot build the transaction: {0}")]
    Build(String),
    /// The compiled package isn't fit for this ledger.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// The faucet gave nothing.
    #[error("the faucet refused: {0}")]
    Faucet(String),
    /// A cursor's file can't be read or written.
    #[error("cannot use the cursor file {path}: {reason}")]
    CursorFile {
        /// Where the file is.
        path: PathBuf,
        /// What went wrong, in words.
        reason: String,
    },
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
