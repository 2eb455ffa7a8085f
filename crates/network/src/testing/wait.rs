//! Waiting for what parties of a network do by themselves.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Nothing takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long until it is looked at again.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until something is so, which `what` says.
///
/// # Panics
/// If it never is.
pub async fn wait_until(what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(PAUSE).await;
    }
}
