//! What all replicas remember together, across restarts.

use super::window::{SealId, Seen};
use crate::limits::MAX_SKEW;
use atoma_types::{DurationMs, TimestampMs};
use std::future::Future;

/// How long after a request's end a store keeps it: replicas' clocks may be apart.
const SLACK: DurationMs = DurationMs(2 * MAX_SKEW.0);

/// A durable set of requests, shared by all replicas that can open the same ones.
///
/// A host that keeps the store can put an old copy of it back. That gains it nothing where keys live in the guest's
/// memory alone, as they should: after a restart nothing old can be opened. Where they don't, see
/// [`ReplayWindow::new`](super::ReplayWindow::new).
pub trait SeenStore {
    /// Why the store couldn't say.
    type Error;

    /// Adds a request unless it is there. Gives true to exactly one caller, whoever asks and however many at once, and
    /// only when it is durable: after a crash it is still there, or nobody was told true.
    fn claim(&self, seen: Seen) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Drops those whose end was before `ended_before`.
    fn forget(
        &self,
        ended_before: TimestampMs,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Of what a store may be told to forget at this time.
    #[must_use]
    fn forgettable(now: TimestampMs) -> TimestampMs {
        TimestampMs(now.0.saturating_sub(SLACK.0))
    }
}

/// No store: for keys that are in this process's memory alone, of which there is no other replica.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoStore;

impl SeenStore for NoStore {
    type Error = std::convert::Infallible;

    async fn claim(&self, _: Seen) -> Result<bool, Self::Error> {
        Ok(true)
    }

    async fn forget(&self, _: TimestampMs) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl SealId {
    /// The id's bytes, for a store's key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0.0
    }
}
