//! What can go wrong with evidence.

use atoma_evidence::pack::PackError;
use atoma_store::{OpenError, WriteError};
use atoma_walrus::client::ClientError;
use std::path::PathBuf;

/// Evidence can't be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The client can't be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An address isn't one.
    #[error("`{0}` is not a URL")]
    Url(String),
    /// The secret can't be read.
    #[error("cannot read the publisher's secret in {path}")]
    Secret {
        /// Where the file is.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: std::io::Error,
    },
    /// The packs' folder can't be made.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// The journal can't be written any more.
    #[error(transparent)]
    Journal(#[from] WriteError),
    /// The database said no.
    #[error("cannot read the evidence log")]
    Log(#[from] rusqlite::Error),
    /// A pack can't be written or read.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The bodies in the journal are sealed by another response key than the folder has.
    #[error("the journal's bodies are sealed by another response key: put the folder's own back")]
    OtherKey,
    /// A task of ours panicked or was stopped.
    #[error("stopped")]
    Stopped,
}
