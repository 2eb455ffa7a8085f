//! Clocks: the machine's, and one that is simulated.
//!
//! A clock that is put right by a little stands still until the time has caught up; one that is put
//! back by more is followed, for otherwise a machine whose clock was a day ahead for a moment would
//! take everything for expired until the day is over. So whoever must never see something expired come
//! back to life keeps its own mark of what it has forgotten.

use atoma_types::TimestampMs;
use std::{
    fmt::{self, Debug},
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
    /// Wall time in milliseconds since 1970. It may be put back, but never by a little.
    fn now(&self) -> TimestampMs;

    /// A reading for measuring lengths of time; comparable with tokio's deadlines.
    fn instant(&self) -> Instant;
}

/// The machine's clock is put back by more than this, or not at all: time servers correct seconds,
/// and what they correct by steps is far more.
const SMALL_STEP_MS: u64 = 5_000;

/// The machine's clock.
pub struct SystemClock {
    /// What the machine's clock shows.
    wall: Box<dyn Fn() -> TimestampMs + Send + Sync>,
    /// The time given out last.
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

impl SystemClock {
    /// A machine whose clock shows what `wall` says: to try what happens when it is set.
    pub fn over(wall: impl Fn() -> TimestampMs + Send + Sync + 'static) -> Self {
        Self {
            wall: Box::new(wall),
            latest: AtomicU64::new(0),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::over(machine)
    }
}

impl Debug for SystemClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SystemClock").field(&self.latest).finish()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> TimestampMs {
        let wall = (self.wall)().0;
        let next = |latest: u64| {
            let behind = latest.saturating_sub(wall);
            (behind == 0 || behind > SMALL_STEP_MS).then_some(wall)
        };
        match self.latest.fetch_update(Relaxed, Relaxed, next) {
            Ok(_) => TimestampMs(wall),
            Err(latest) => TimestampMs(latest),
        }
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}

/// The machine's wall clock; zero if it stands before 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's wall clock"
)]
fn machine() -> TimestampMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    TimestampMs(since.map_or(0, whole_ms))
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
    fn a_clock_that_is_put_right_stands_still_and_one_that_is_put_back_is_followed() {
        const DAY_MS: u64 = 24 * 3_600 * 1_000;
        let wall = Arc::new(AtomicU64::new(DAY_MS));
        let shown = Arc::clone(&wall);
        let clock = SystemClock::over(move || TimestampMs(shown.load(Relaxed)));
        let at = |ms| {
            wall.store(ms, Relaxed);
            clock.now().0
        };
        assert_eq!(at(DAY_MS), DAY_MS);
        assert_eq!(at(DAY_MS - SMALL_STEP_MS), DAY_MS);
        assert_eq!(at(DAY_MS + 1), DAY_MS + 1);
        assert_eq!(at(2 * DAY_MS), 2 * DAY_MS);
        assert_eq!(at(DAY_MS + 2), DAY_MS + 2);
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
