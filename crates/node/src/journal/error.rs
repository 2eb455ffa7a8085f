//! What can go wrong with the journal.

use atoma_types::StackId;
use std::path::PathBuf;

/// The journal can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// SQLite said no.
    #[error("journal {path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file is from another version, network or node.
    #[error("journal {path} {reason}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What doesn't fit.
        reason: String,
    },
    /// What it says about a stack doesn't add up.
    #[error("the journal's receipts of stack {stack} do not add up at seq {seq}")]
    Broken {
        /// The stack.
        stack: StackId,
        /// The first receipt that doesn't fit.
        seq: u64,
    },
    /// The writer has stopped, by a failed commit or by the node's own end.
    #[error("the journal is closed")]
    Closed,
    /// The writer's thread can't be started.
    #[error("cannot start the journal's thread: {0}")]
    Thread(std::io::Error),
}
