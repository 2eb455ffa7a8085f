//! Why there is no ledger to work with.

use crate::ReadError;
use atoma_types::NetworkId;

/// The ledger is another network than the one that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger is network {found}, the deployment is for {expected}")]
pub struct WrongNetwork {
    /// As the ledger says.
    pub found: NetworkId,
    /// What the deployment is for.
    pub expected: NetworkId,
}

/// Why [`Ledger::open`](crate::Ledger::open) fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The ledger doesn't answer, or not so that it can be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is another one than the deployment says.
    #[error(transparent)]
    WrongNetwork(#[from] WrongNetwork),
    /// No deployment was given, and the package isn't at localnet's own place.
    #[error("nothing tells which package is Atoma's on the ledger at {url}")]
    NoDeployment {
        /// The URL of the ledger that was asked.
        url: String,
    },
}

/// Why it can't be told how far the ledger is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TipError {
    /// The ledger doesn't answer, or not so that it can be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Another network answers at the URL by now.
    #[error(transparent)]
    WrongNetwork(#[from] WrongNetwork),
}

impl TipError {
    /// Whether the same question may be answered later without anything being changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Read(error) if error.is_transient())
    }
}
