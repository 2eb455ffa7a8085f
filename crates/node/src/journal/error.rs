//! What can go wrong with the journal.

use atoma_types::{NetworkId, StackId};
use std::path::PathBuf;

/// The journal can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// SQLite can't open, read or write the file.
    #[error("cannot use the journal {path}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// SQLite's own error.
        #[source]
        source: rusqlite::Error,
    },
    /// Another version of the program wrote the file.
    #[error("the journal {path} has version {found}; this program knows {known}")]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// What the file says is about another network.
    #[error("the journal {path} is of network {found}; the ledger is {expected}")]
    OtherNetwork {
        /// The file.
        path: PathBuf,
        /// As the file says.
        found: String,
        /// As the ledger says.
        expected: NetworkId,
    },
    /// What it says about a stack doesn't add up.
    #[error("the journal's receipts of stack {stack} do not add up at seq {seq}")]
    Broken {
        /// Whose receipts.
        stack: StackId,
        /// The first receipt that doesn't fit.
        seq: u64,
    },
    /// The writer has stopped, by a failed commit or by the node's own end.
    #[error("the journal is closed")]
    Closed,
    /// The writer's thread can't be started.
    #[error("cannot start the journal's thread")]
    Thread(#[source] std::io::Error),
}
