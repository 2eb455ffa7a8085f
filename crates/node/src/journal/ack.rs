//! The journal's answer to whoever waits for a commit.

use super::error::JournalError;
use tokio::sync::oneshot;

/// Resolves when what was sent is durable, to what became of it.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ack<T = ()>(pub(super) oneshot::Receiver<T>);

impl<T> Ack<T> {
    /// Waits for the commit.
    pub(crate) async fn durable(self) -> Result<T, JournalError> {
        self.0.await.map_err(|_| JournalError::Closed)
    }
}
