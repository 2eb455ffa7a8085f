//! Why a node can't run as a guest.

use super::attester::AttesterError;
use atoma_ledger::{ExecuteError, ReadError, TipError};
use atoma_store::OpenError;
use atoma_types::DurationMs;
use atoma_walrus::CodingError;

/// A node can't run as a guest that nobody can look into.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// It has to be allowed by name.
    #[error(
        "`[confidential]` has kind = \"software\": it protects against nobody; allow_software = true allows it, for development"
    )]
    SoftwareNotAllowed,
    /// Keysets would last too long, or not long enough to be replaced.
    #[error("keyset_lifetime_ms must be between {least} and {most}")]
    Lifetime {
        /// The shortest time that may be set.
        least: DurationMs,
        /// The longest time that may be set.
        most: DurationMs,
    },
    /// The hardware gives no evidence.
    #[error("there is no evidence of the hardware")]
    Attester(#[from] AttesterError),
    /// The keys don't fit each other.
    #[error("cannot make a keyset")]
    Keys(#[from] atoma_channel::Fault),
    /// The ledger can't say where it stands.
    #[error(transparent)]
    Tip(#[from] TipError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// The ledger can't be told what the node runs on.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The file of opened requests can't be used.
    #[error(transparent)]
    Seen(#[from] OpenError),
    /// The bundle has no blob id.
    #[error("the evidence cannot be a blob")]
    Blob(#[from] CodingError),
}
