//! The database: one SQLite file. A batch of transactions is one SQLite transaction, on disk before
//! anybody is told of it, so a kill at any moment loses nothing acknowledged and halves nothing.

mod read;
mod write;

pub(crate) use read::{EventRow, Place, Readers, place_of_checkpoint};
pub(crate) use write::Batch;

use crate::error::LocalnetError;
use rusqlite::Connection;
use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
};

/// The file of the database.
const FILE: &str = "localnet.sqlite";
/// Held as long as the localnet runs.
const LOCK: &str = "localnet.lock";
/// Changes with the tables.
const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "
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
";

/// The writing side. One thread owns it.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens the database in a folder and takes the folder's lock.
    pub(crate) fn open(folder: &Path) -> Result<Self, LocalnetError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| LocalnetError::Folder { path, source }
        };
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        // the treasury's and the beacon's secrets are in there
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder).map_err(at(folder))?;
        let lock_path = folder.join(LOCK);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(at(&lock_path))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => LocalnetError::InUse {
                path: folder.to_owned(),
            },
            TryLockError::Error(source) => at(&lock_path)(source),
        })?;
        let path = folder.join(FILE);
        let connection = connect(&path)?;
        let version: i64 = connection.query_row("PRAGMA user_version", (), |row| row.get(0))?;
        match version {
            0 => {
                let setup =
                    format!("BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;");
                connection.execute_batch(&setup)?;
            }
            SCHEMA_VERSION => {}
            other => {
                return Err(LocalnetError::Damaged(format!(
                    "tables have version {other}, this program knows {SCHEMA_VERSION}"
                )));
            }
        }
        Ok(Self {
            connection,
            path,
            _lock: lock,
        })
    }

    /// The reading side.
    pub(crate) fn readers(&self) -> Readers {
        Readers::new(self.path.clone())
    }
}

/// A connection with our settings: write-ahead log, and a commit is on disk when it returns.
fn connect(path: &Path) -> Result<Connection, LocalnetError> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA busy_timeout = 10000;
         PRAGMA foreign_keys = ON;",
    )?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// SQLite's integers are signed; what doesn't fit is never stored, only asked for.
fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Back again; a negative number is none of ours.
fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
