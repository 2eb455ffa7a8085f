//! Why the package isn't published or upgraded.

use crate::{ExecuteError, PackageError, ReadError};

/// Why publishing, upgrading or looking for either fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The compiled package isn't fit for this ledger.
    #[error(transparent)]
    Package(#[from] PackageError),
    /// What it is linked to, or what is there already, can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The transaction wasn't executed, or isn't known to be.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}
