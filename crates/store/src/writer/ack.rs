//! How those who wait learn that what they sent is durable.

use crate::WriteError;
use std::{fmt, sync::Arc};
use tokio::sync::oneshot;

/// The store as one who waits for it sees it.
pub(super) trait Waited: Send + Sync {
    /// Does the writer's work, where it has no thread.
    fn work(&self);
    /// Why nothing comes any more.
    fn why_closed(&self) -> WriteError;
}

/// Answers one operation. Dropped, it says that the operation wasn't written.
#[derive(Debug)]
pub struct Reply<T = ()>(oneshot::Sender<T>);

/// Resolves when what was sent is durable, to what became of it.
#[must_use]
pub struct Ack<T = ()> {
    answer: oneshot::Receiver<T>,
    store: Arc<dyn Waited>,
}

impl<T> Reply<T> {
    /// Tells the one who waits, if it still does.
    pub fn send(self, value: T) {
        let _ = self.0.send(value);
    }
}

impl<T> Ack<T> {
    pub(super) fn new(store: Arc<dyn Waited>) -> (Reply<T>, Self) {
        let (done, answer) = oneshot::channel();
        (Reply(done), Self { answer, store })
    }

    /// Waits for the commit.
    ///
    /// # Errors
    /// If the operation wasn't written: the store was closed, full, or a commit failed.
    pub async fn durable(self) -> Result<T, WriteError> {
        self.store.work();
        self.answer.await.map_err(|_| self.store.why_closed())
    }

    /// The same on a thread that may block.
    ///
    /// # Errors
    /// As [`Ack::durable`].
    pub fn wait(self) -> Result<T, WriteError> {
        self.store.work();
        let answer = self.answer.blocking_recv();
        answer.map_err(|_| self.store.why_closed())
    }
}

impl<T> fmt::Debug for Ack<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack").finish_non_exhaustive()
    }
}
