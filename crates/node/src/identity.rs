//! Who this node is.

use atoma_types::{DurationMs, NetworkId, NodeId, TimestampMs};
use tokio::time::Instant;

/// Who we are, and since when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub network: NetworkId,
    pub node: NodeId,
    /// Whatever was issued before is refused: a part of its answer may have been sent then.
    pub started_at: TimestampMs,
    /// The same moment by the clock that nobody sets.
    pub started: Instant,
    /// So long after it nothing that was signed before is served either: the node may have forgotten what it
    /// served shortly before its start.
    pub hold: DurationMs,
}

impl Identity {
    /// From when on requests must have been issued: when the node started, by a clock that shows `now` at `instant`. If the clock was ahead then and
    /// has been put back since, so is the start.
    pub(crate) fn started_by(&self, now: TimestampMs, instant: Instant) -> TimestampMs {
        let up = instant.saturating_duration_since(self.started).as_millis();
        let up = u64::try_from(up).unwrap_or(u64::MAX);
        let started = self.started_at.min(TimestampMs(now.0.saturating_sub(up)));
        started.saturating_add(self.hold)
    }
}
