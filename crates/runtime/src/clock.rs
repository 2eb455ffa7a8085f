//! Clocks: the machine's, and one that is simulated.
//!
//! Every clock keeps the promise that wall time never runs back, even where the machine's does: what
//! has expired once stays expired (a forgotten request id can't come back to life).

use atoma_types::TimestampMs;
use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

/// A clock that is passed around.
pub type SharedClock = Arc<dyn Clock>;

/// Tells the time: milliseconds since 1970, never running back.
pub trait Clock: Debug + Send + Sync {
    /// Wall time in milliseconds since 1970. Never earlier than an earlier answer of this clock.
    fn now(&self) -> TimestampMs;

    /// A reading for measuring lengths of time; comparable with tokio's deadlines.
    fn instant(&self) -> Instant;
}

/// The machine's wall clock, held so that it never runs back.
#[derive(Debug, Default)]
pub struct SystemClock {
    /// The latest time given out.
    latest: AtomicU64,
}

/// A clock that shows what a simulation says: a start, plus the time that has passed on tokio's
/// clock since (unless it is moved by hand only), plus what it was moved by hand.
#[derive(Debug)]
pub struct SimulatedClock {
    start: TimestampMs,
    origin: Instant,
    follows_tokio: bool,
    moved_ms: AtomicU64,
}

// === impl SystemClock ===

impl Clock for SystemClock {
    /// Zero if the machine's clock stands before 1970.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's wall clock"
    )]
    fn now(&self) -> TimestampMs {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let wall = since.map_or(0, whole_ms);
        TimestampMs(self.latest.fetch_max(wall, Relaxed).max(wall))
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}

// === impl SimulatedClock ===

impl SimulatedClock {
    /// Shows `start` now and follows tokio's time from here on. Simulated only where tokio's time is
    /// paused.
    #[must_use]
    pub fn following_tokio(start: TimestampMs) -> Self {
        Self {
            start,
            origin: Instant::now(),
            follows_tokio: true,
            moved_ms: AtomicU64::new(0),
        }
    }

    /// Shows `start` until it is moved with [`advance`](Self::advance).
    #[must_use]
    pub fn by_hand(start: TimestampMs) -> Self {
        Self {
            follows_tokio: false,
            ..Self::following_tokio(start)
        }
    }

    /// Moves the clock forward by `length`, in whole milliseconds. Sleepers don't wake from it: they
    /// follow tokio's time.
    pub fn advance(&self, length: Duration) {
        self.moved_ms.fetch_add(whole_ms(length), Relaxed);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> TimestampMs {
        let passed = self.instant().duration_since(self.origin);
        TimestampMs(self.start.0.saturating_add(whole_ms(passed)))
    }

    fn instant(&self) -> Instant {
        let moved = Duration::from_millis(self.moved_ms.load(Relaxed));
        let base = if self.follows_tokio {
            Instant::now()
        } else {
            self.origin
        };
        base + moved
    }
}

fn whole_ms(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_clock_never_runs_back() {
        let clock = SystemClock::default();
        let ahead = clock.now().0 + 1_000_000;
        clock.latest.store(ahead, Relaxed);
        assert_eq!(clock.now(), TimestampMs(ahead));
    }

    #[test]
    fn a_clock_moved_by_hand_stands_still_in_between() {
        let clock = SimulatedClock::by_hand(TimestampMs(50));
        let begun = clock.instant();
        assert_eq!(clock.now(), TimestampMs(50));
        clock.advance(Duration::from_millis(7));
        assert_eq!(clock.now(), TimestampMs(57));
        assert_eq!(clock.instant() - begun, Duration::from_millis(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_simulated_clock_follows_paused_time() {
        let clock = SimulatedClock::following_tokio(TimestampMs(1_000));
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(clock.now(), TimestampMs(3_601_000));
        clock.advance(Duration::from_millis(5));
        assert_eq!(clock.now(), TimestampMs(3_601_005));
    }
}
