//! Trying again, with growing pauses, what may work a moment later.

use super::{WalrusClient, error::ClientError};
use atoma_runtime::{Backoff, WithCauses, spread};
use std::time::Duration;

/// Pauses grow no longer.
const MAX_PAUSE: Duration = Duration::from_secs(10);

impl WalrusClient {
    /// Tries until it works, can't work, or was tried often enough.
    pub(super) async fn retry<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        mut work: impl FnMut(u32) -> F,
    ) -> Result<T, ClientError> {
        let (mut attempt, mut backoff) = (0, self.backoff());
        loop {
            match work(attempt).await {
                Err(error) if error.is_transient() && attempt + 1 < self.config.attempts => {
                    tracing::debug!(error = %WithCauses(&error), attempt, "trying again");
                    self.rest(&mut backoff).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Pauses of work that hasn't failed yet.
    pub(super) fn backoff(&self) -> Backoff {
        Backoff::new(self.config.pause, MAX_PAUSE)
    }

    /// Waits after one more failure.
    pub(super) async fn rest(&self, backoff: &mut Backoff) {
        let random = &*self.config.runtime.random;
        tokio::time::sleep(spread(backoff.failed(), random)).await;
    }
}
