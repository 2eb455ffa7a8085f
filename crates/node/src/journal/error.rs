//! What can go wrong with the journal.

use atoma_store::{OpenError, WriteError};
use atoma_types::{NetworkId, StackId};
use std::path::PathBuf;

/// The journal can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file can't be opened, or is another kind of file or of a newer version.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file can't be read.
    #[error("cannot read the journal {}", path.display())]
    Read {
        /// Where the journal's file is.
        path: PathBuf,
        /// SQLite's own error.
        #[source]
        source: rusqlite::Error,
    },
    /// The file is another network's.
    #[error(
        "the journal {} is of network {found}, and the ledger is {expected}: use a data folder for each \
         network",
        path.display()
    )]
    OtherNetwork {
        /// Where the journal's file is.
        path: PathBuf,
        /// The network that the journal names.
        found: String,
        /// The network of the configured ledger.
        expected: NetworkId,
    },
    /// What it says about a stack doesn't add up.
    #[error("the journal's receipts of stack {stack} do not add up at seq {seq}")]
    Broken {
        /// The stack whose receipts they are.
        stack: StackId,
        /// The first receipt that doesn't fit.
        seq: u64,
    },
    /// The writer has stopped, by a failed commit or by the node's own end.
    #[error(transparent)]
    Write(#[from] WriteError),
}
