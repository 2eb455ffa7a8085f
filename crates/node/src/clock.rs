//! The node's clock: the machine's, but it never runs backwards, so that what has expired once
//! stays expired (a forgotten request id can't come back to life).

use atoma_types::TimestampMs;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    pub(crate) fn now(&self) -> TimestampMs {
        let wall = TimestampMs::now().0;
        TimestampMs(self.0.fetch_max(wall, Ordering::Relaxed).max(wall))
    }
}
