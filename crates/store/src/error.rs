//! What can go wrong.

use std::{error::Error, io, path::PathBuf, sync::Arc};

/// A store can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another program uses the folder or the file.
    #[error("{} is in use by another program", path.display())]
    InUse {
        /// Where the folder or the file is.
        path: PathBuf,
    },
    /// All the places for programs that share the folder are taken.
    #[error("{most} programs use {} already: wait until one of them ends", folder.display())]
    Crowded {
        /// Where the folder is.
        folder: PathBuf,
        /// How many may use it at once.
        most: u16,
    },
    /// The file is another kind of file.
    #[error("{} is not {kind}: move it away, or name another folder", path.display())]
    Foreign {
        /// Where the file is.
        path: PathBuf,
        /// What it should be.
        kind: &'static str,
    },
    /// A newer version of the program wrote the file.
    #[error(
        "{} was written by a newer version of this program (its tables are version {found}, this one \
         knows {known}): use the newer version, or name another folder",
        path.display()
    )]
    Newer {
        /// Where the file is.
        path: PathBuf,
        /// The version that the file has.
        found: i32,
        /// The newest that is known.
        known: i32,
    },
    /// The file is so old that its tables can't be brought up to date any more.
    #[error(
        "{} was written by an old version of this program (its tables are version {found}, this one \
         knows {known}) and can't be read by this one: finish what is open in it with the version that wrote it, \
         then name another folder",
        path.display()
    )]
    TooOld {
        /// Where the file is.
        path: PathBuf,
        /// The version that the file has.
        found: i32,
        /// The newest that is known.
        known: i32,
    },
    /// The file system said no.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// SQLite can't open the file or set it up.
    #[error("cannot open {}", path.display())]
    Sqlite {
        /// Where the file is.
        path: PathBuf,
        /// SQLite's own error.
        #[source]
        source: rusqlite::Error,
    },
    /// The writer's thread can't be started.
    #[error("cannot start the thread that writes {kind}")]
    Thread {
        /// What it would write.
        kind: &'static str,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
}

/// An operation wasn't written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The store was closed before.
    #[error("{kind} is closed")]
    Closed {
        /// Which store it was, by the name of its kind.
        kind: &'static str,
    },
    /// More operations wait than may.
    #[error("{kind} has more to write than it can keep: try again")]
    Full {
        /// Which store it was, by the name of its kind.
        kind: &'static str,
    },
    /// A commit failed, then or before; the store writes nothing more.
    #[error("{kind} cannot be written any more")]
    Failed {
        /// Which store it was, by the name of its kind.
        kind: &'static str,
        /// Why the commit failed.
        #[source]
        source: Arc<dyn Error + Send + Sync>,
    },
}
