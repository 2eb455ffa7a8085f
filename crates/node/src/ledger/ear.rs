//! Whether the ledger's events come to those who follow them.

use parking_lot::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Events are missing once nothing was heard for so long: the ledger says every few seconds where it stands, and who was
/// refused tries again each minute.
const MISSING: Duration = Duration::from_secs(5 * 60);

/// Of one who follows events: when anything last came.
#[derive(Debug)]
pub(crate) struct Ear(Mutex<Instant>);

impl Ear {
    /// Nothing is missing yet.
    pub(super) fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// An event came, or a sign that the stream is alive.
    pub(crate) fn heard(&self) {
        *self.0.lock() = Instant::now();
    }

    /// Whether nothing has come for too long.
    pub(super) fn is_deaf(&self) -> bool {
        self.0.lock().elapsed() > MISSING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_has_heard_nothing_for_minutes_is_deaf_until_something_comes() {
        let ear = Ear::new();
        tokio::time::advance(MISSING).await;
        assert!(!ear.is_deaf());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(ear.is_deaf());
        ear.heard();
        assert!(!ear.is_deaf());
    }
}
