//! The settings of every connection, whether it writes or reads.

use crate::Place;
use rusqlite::{Connection, OpenFlags};
use std::time::Duration;

/// How long a statement waits for another connection's lock: a commit takes milliseconds, a
/// checkpoint of a large log seconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements that a connection keeps: more than any of our stores has.
const STATEMENTS: usize = 32;

/// Applies the settings to a connection.
pub(crate) fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// Opens a connection that only reads what is there.
pub(crate) fn open_to_read(place: &Place) -> rusqlite::Result<Connection> {
    let flags = match place {
        Place::File(_) => OpenFlags::SQLITE_OPEN_READ_ONLY,
        // memory is opened as its writer opened it
        Place::Memory(_) => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI,
    };
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(place.name(), flags)?;
    configure(&db)?;
    Ok(db)
}
