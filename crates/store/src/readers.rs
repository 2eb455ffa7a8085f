//! Connections that only read, beside the one that writes: with a write-ahead log neither waits for
//! the other.

use crate::{Place, kind::configure};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

/// Idle connections kept; more are opened and closed as needed.
const IDLE: usize = 4;

/// A pool of them. A question blocks on the disk: ask where that is allowed.
#[derive(Debug)]
pub struct Readers {
    place: Place,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place,
            idle: Mutex::default(),
        }
    }

    /// Asks a question.
    ///
    /// # Errors
    /// If no connection can be opened, or with the question's own error.
    pub fn ask<T, E: From<rusqlite::Error>>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let answer = question(&connection);
        let mut idle = self.idle.lock();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        answer
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = match self.place {
            Place::File(_) => OpenFlags::SQLITE_OPEN_READ_ONLY,
            // memory is opened as its writer opened it
            Place::Memory(_) => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI,
        };
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.place.name(), flags)?;
        configure(&connection)?;
        Ok(connection)
    }
}
