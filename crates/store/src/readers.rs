//! Connections that only read, beside the one that writes: with a write-ahead log neither waits for
//! the other.

use crate::{Place, connection::open_to_read};
use parking_lot::Mutex;
use rusqlite::Connection;

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
            None => open_to_read(&self.place)?,
        };
        let answer = question(&connection);
        let mut idle = self.idle.lock();
        if idle.len() < IDLE {
            idle.push(connection);
        }
        answer
    }
}
