//! The database: one SQLite file. A batch of transactions is one SQLite transaction, on disk before
//! anybody is told of it, so a kill at any moment loses nothing acknowledged and halves nothing.

mod read;
mod write;

pub(crate) use read::{EventRow, Place, Readers, place_of_checkpoint};
pub(crate) use write::Batch;

use crate::error::LocalnetError;
use atoma_store::{Durability, FolderLock, Kind, Unmarked};
use rusqlite::Connection;
use std::path::Path;

/// The database's file.
pub(crate) const KIND: Kind = Kind {
    name: "a localnet's ledger",
    file: "localnet.sqlite",
    former_file: None,
    mark: Kind::mark(*b"atLo"),
    version: 1,
    tables: "
        CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        -- live objects only, in their last version
        CREATE TABLE objects (id BLOB PRIMARY KEY, bcs BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE transactions (
            checkpoint INTEGER NOT NULL,
            position INTEGER NOT NULL,
            digest BLOB NOT NULL UNIQUE,
            time INTEGER NOT NULL,
            data BLOB NOT NULL,
            signatures BLOB NOT NULL,
            effects BLOB NOT NULL,
            events BLOB,
            extra BLOB NOT NULL,
            PRIMARY KEY (checkpoint, position)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE events (
            checkpoint INTEGER NOT NULL,
            position INTEGER NOT NULL,
            number INTEGER NOT NULL,
            digest BLOB NOT NULL,
            bcs BLOB NOT NULL,
            PRIMARY KEY (checkpoint, position, number)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE checkpoints (
            number INTEGER PRIMARY KEY,
            digest BLOB NOT NULL UNIQUE,
            summary BLOB NOT NULL,
            contents BLOB NOT NULL
        ) STRICT;
    ",
    upgrades: &[],
    unmarked: &[Unmarked {
        user_version: 1,
        table: "checkpoints",
        version: 1,
    }],
    durability: Durability::Full,
};

/// The database as it is opened, before anything is served.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    file: atoma_store::Place,
    lock: FolderLock,
}

impl Store {
    /// Opens the database in a folder and takes the folder's lock.
    pub(crate) fn open(folder: &Path) -> Result<Self, LocalnetError> {
        let lock = FolderLock::take(folder)?;
        let file = KIND.in_folder(folder)?;
        Ok(Self {
            connection: KIND.open(&file)?,
            file,
            lock,
        })
    }

    /// The connection that writes, and the lock of its folder.
    pub(crate) fn into_parts(self) -> (Connection, FolderLock) {
        (self.connection, self.lock)
    }
}

/// SQLite's integers are signed; what doesn't fit is never stored, only asked for.
fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Back again; a negative number is none of ours.
fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
