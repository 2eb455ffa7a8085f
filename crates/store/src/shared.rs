//! One connection that callers take in turn: for what is written seldom, where every operation is a
//! transaction of its own and its caller waits for it anyway.

use atoma_runtime::Threads;
use parking_lot::Mutex;
use rusqlite::Connection;
use std::sync::Arc;

/// A connection, or what a crate has made of one. Clones share it.
#[derive(Debug)]
pub struct SharedConnection<C = Connection> {
    connection: Arc<Mutex<C>>,
    threads: Threads,
}

impl<C> Clone for SharedConnection<C> {
    fn clone(&self) -> Self {
        Self {
            connection: Arc::clone(&self.connection),
            threads: self.threads,
        }
    }
}

/// The work was stopped with the runtime, or panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work on the database was stopped")]
pub struct Stopped;

impl<C: Send + 'static> SharedConnection<C> {
    /// Shares a connection; work on it runs where `threads` says.
    #[must_use]
    pub fn new(connection: C, threads: Threads) -> Self {
        Self {
            connection: Arc::new(Mutex::new(connection)),
            threads,
        }
    }

    /// Does some work with it on a thread that may block.
    ///
    /// # Errors
    /// With the work's own error, or if it was stopped.
    pub async fn run<T: Send + 'static, E: From<Stopped> + Send + 'static>(
        &self,
        work: impl FnOnce(&mut C) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let connection = Arc::clone(&self.connection);
        let done = self.threads.blocking(move || work(&mut connection.lock()));
        done.await.map_err(|_| Stopped)?
    }
}
