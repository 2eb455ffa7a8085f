//! Trying again, with growing pauses, what may work a moment later.

use super::{WalrusClient, error::ClientError};
use atoma_runtime::WithCauses;
use std::time::Duration;

/// Pauses grow no longer.
const MAX_PAUSE: Duration = Duration::from_secs(10);

impl WalrusClient {
    /// Tries until it works, can't work, or was tried often enough.
    pub(super) async fn retry<T, F: Future<Output = Result<T, ClientError>>>(
        &self,
        mut work: impl FnMut(u32) -> F,
    ) -> Result<T, ClientError> {
        let mut attempt = 0;
        loop {
            match work(attempt).await {
                Err(error) if error.is_transient() && attempt + 1 < self.config.attempts => {
                    tracing::debug!(error = %WithCauses(&error), attempt, "trying again");
                    self.pause(attempt).await;
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    /// Twice as long each time, and up to half of it at random, so that many don't come at once.
    pub(super) async fn pause(&self, attempt: u32) {
        let doubled = self
            .config
            .pause
            .saturating_mul(2_u32.saturating_pow(attempt));
        let pause = doubled.min(MAX_PAUSE);
        tokio::time::sleep(pause.mul_f64(0.5 + self.config.runtime.random.fraction() / 2.0)).await;
    }
}
