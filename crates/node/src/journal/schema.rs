//! Tables and settings of the journal's file.
//!
//! 64-bit numbers that users choose (ceilings) may exceed SQLite's signed integers; all are stored
//! as the same 64 bits, and no query orders or sums by them.

use super::error::JournalError;
use rusqlite::Connection;
use std::path::Path;

/// Rises with every change of the tables.
const VERSION: i64 = 3;

/// The version that had all but the evidence log: it is brought up to date.
const WITHOUT_EVIDENCE: i64 = 2;

/// WAL with `synchronous = FULL`: a commit that returned survives a crash and a power cut.
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA busy_timeout = 5000;
";

const TABLES: &str = "
    CREATE TABLE meta (
        name  TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE leases (
        stack           BLOB PRIMARY KEY,
        task            BLOB NOT NULL,
        owner           BLOB NOT NULL,
        request_key     BLOB NOT NULL,
        units           INTEGER NOT NULL,
        price           INTEGER NOT NULL,
        expires_at_ms   INTEGER NOT NULL,
        settle_grace_ms INTEGER NOT NULL,
        closing         INTEGER NOT NULL,
        phase           INTEGER NOT NULL,  -- 0 open, 1 settling, 2 settled, 3 closed
        claimable_at_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE lanes (
        stack     BLOB NOT NULL,
        lane      INTEGER NOT NULL,
        committed INTEGER NOT NULL,
        header    BLOB NOT NULL,
        signature BLOB NOT NULL,
        PRIMARY KEY (stack, lane)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE receipts (
        id               INTEGER PRIMARY KEY,
        stack            BLOB NOT NULL,
        seq              INTEGER NOT NULL,
        request_id       BLOB NOT NULL,
        finished_ms      INTEGER NOT NULL,
        bytes            BLOB NOT NULL,
        signature        BLOB NOT NULL,
        header           BLOB NOT NULL,  -- the request it answers: half of the settled record
        header_signature BLOB NOT NULL,
        UNIQUE (stack, seq)
    ) STRICT;

    CREATE INDEX receipts_by_request ON receipts (request_id);
";

/// What version 3 added: the evidence log, and where it went.
const EVIDENCE: &str = "
    CREATE TABLE evidence (
        id      INTEGER PRIMARY KEY,  -- the receipt's
        open    INTEGER NOT NULL,     -- 1: for everyone to read; 0: sealed when it is packed
        request BLOB NOT NULL,
        answer  BLOB NOT NULL
    ) STRICT;

    CREATE TABLE packs (
        first     INTEGER PRIMARY KEY,  -- of the receipts in it
        last      INTEGER NOT NULL,
        blob      BLOB NOT NULL,
        root      BLOB NOT NULL,
        object    BLOB,                 -- the certified blob object, as far as it is known
        end_epoch INTEGER NOT NULL,
        released  INTEGER NOT NULL      -- 1: no open lease needs it, and its file is gone
    ) STRICT;
";

/// Applies the settings, and creates the tables in an empty file.
pub(super) fn prepare(db: &mut Connection, path: &Path) -> Result<(), JournalError> {
    let at = |source| JournalError::Sqlite {
        path: path.to_owned(),
        source,
    };
    db.execute_batch(SETTINGS).map_err(at)?;
    let version = |db: &Connection| db.query_row("PRAGMA user_version", [], |row| row.get(0));
    let found: i64 = version(db).map_err(at)?;
    match found {
        0 => {
            let mut create = || {
                let transaction = db.transaction()?;
                transaction.execute_batch(TABLES)?;
                transaction.execute_batch(EVIDENCE)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                transaction.commit()
            };
            create().map_err(at)
        }
        WITHOUT_EVIDENCE => {
            let mut add = || {
                let transaction = db.transaction()?;
                transaction.execute_batch(EVIDENCE)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                transaction.commit()
            };
            add().map_err(at)
        }
        VERSION => Ok(()),
        found => Err(JournalError::OtherVersion {
            path: path.to_owned(),
            found,
            known: VERSION,
        }),
    }
}
