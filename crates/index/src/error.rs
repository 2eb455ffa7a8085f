//! Why a read model can't be used or carried on.

use atoma_ledger::{ParseCursorError, ReadError, TipError};
use atoma_store::OpenError;
use atoma_types::{NetworkId, ObjectId};
use std::path::PathBuf;

/// What can go wrong with the read model. None of these changes it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// It can't be told how far the ledger is.
    #[error(transparent)]
    Tip(#[from] TipError),
    /// The file is about another network, or an earlier life of this one.
    #[error(
        "the index {path} is of network {indexed}, the ledger is {found}: name another file or rebuild it",
        path = path.display()
    )]
    OtherNetwork {
        /// Where the file is.
        path: PathBuf,
        /// As the file says.
        indexed: NetworkId,
        /// As the ledger says.
        found: NetworkId,
    },
    /// The file is about another deployment of the package on the same network.
    #[error(
        "the index {path} is of package {indexed}, the ledger's is {found}: name another file or rebuild it",
        path = path.display()
    )]
    OtherPackage {
        /// Where the file is.
        path: PathBuf,
        /// As the file says.
        indexed: ObjectId,
        /// The package that the configuration names.
        found: ObjectId,
    },
    /// The ledger doesn't know the history that the file holds: it was set back.
    #[error(
        "the ledger does not know what the index holds (checkpoint {checkpoint} is {}): rebuild the index",
        if *missing { "missing" } else { "another one" }
    )]
    Diverged {
        /// Number of the last checkpoint that the index knows.
        checkpoint: u64,
        /// Whether the ledger has none of that number; else it has another one.
        missing: bool,
    },
    /// The ledger isn't as far as the file: it lags, or was set back. Waiting tells which.
    #[error(
        "the index stands at checkpoint {checkpoint}, the ledger only at {tip}: it lags, or was set back"
    )]
    Behind {
        /// The last checkpoint that the file holds.
        checkpoint: u64,
        /// The ledger's last checkpoint.
        tip: u64,
    },
    /// The ledger has forgotten what the file lacks.
    #[error(
        "the index stands at checkpoint {checkpoint} and the ledger has none before {oldest}: rebuild the index, or use a ledger that keeps more"
    )]
    Pruned {
        /// The last checkpoint that the file holds.
        checkpoint: u64,
        /// The ledger's oldest checkpoint.
        oldest: u64,
    },
    /// There is no file to read.
    #[error("there is no index at {path}", path = path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file can't be opened: another program writes to it, it is of a later version, or of
    /// another kind.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An event that can't follow from those before it: the ledger's endpoint isn't truthful, or the
    /// file was damaged.
    #[error("event {number} ({name}) contradicts the index: {reason}")]
    Contradiction {
        /// The number that it has in the order of the ledger.
        number: u64,
        /// Name of the event's type.
        name: &'static str,
        /// In what it does not fit.
        reason: &'static str,
    },
    /// SQLite can't read or write the file.
    #[error("cannot use the index")]
    Sqlite(#[from] rusqlite::Error),
    /// A row isn't there or isn't one of this version.
    #[error("the index is damaged, rebuild it: the table {0} has no such row as it should")]
    Damaged(&'static str),
    /// The place from which events are to be followed can't be read.
    #[error("the index is damaged, rebuild it")]
    Cursor(#[from] ParseCursorError),
    /// The thread that used the file has panicked, which is a mistake of this program, or the program ends.
    #[error("cannot use the index")]
    Stopped(#[from] atoma_store::Stopped),
}

impl IndexError {
    /// Whether it may go away by itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Ledger(error) => error.is_transient(),
            Self::Tip(error) => error.is_transient(),
            Self::Behind { .. } => true,
            _ => false,
        }
    }

    /// Whether a program that goes on until it is stopped waits for it to go away: what a proxy refuses before the ledger,
    /// too. A place that the ledger doesn't have any more is an error of its own.
    pub(crate) fn may_pass(&self) -> bool {
        self.is_transient() || matches!(self, Self::Ledger(ReadError::Rejected(_)))
    }

    /// A stable code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ledger(_) | Self::Tip(_) => "ledger",
            Self::OtherNetwork { .. } => "other_network",
            Self::OtherPackage { .. } => "other_package",
            Self::Diverged { .. } => "diverged",
            Self::Behind { .. } => "behind",
            Self::Pruned { .. } => "pruned",
            Self::Missing { .. } => "missing",
            Self::Open(OpenError::Newer { .. }) => "newer_schema",
            Self::Open(OpenError::InUse { .. }) => "in_use",
            Self::Open(_) => "open",
            Self::Contradiction { .. } => "contradiction",
            Self::Sqlite(_) | Self::Damaged(_) | Self::Cursor(_) | Self::Stopped(_) => "store",
        }
    }
}
