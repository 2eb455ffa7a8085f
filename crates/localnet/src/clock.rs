//! The ledger's time: never goes back, even where the system's does.

use crate::config::ClockMode;
use atoma_runtime::SharedClock;
use atoma_types::{ObjectId, TimestampMs, chain::CLOCK_OBJECT};
use std::sync::atomic::{AtomicU64, Ordering};

/// The clock. One value serves execution and readers alike.
#[derive(Debug)]
pub(crate) struct Clock {
    mode: ClockMode,
    system: SharedClock,
    /// What was added to the system's time (`Adjustable`).
    offset: AtomicU64,
    /// The latest time given out.
    latest: AtomicU64,
}

impl Clock {
    /// Goes on after `latest`.
    pub(crate) fn new(mode: ClockMode, system: SharedClock, offset: u64, latest: u64) -> Self {
        let latest = match mode {
            ClockMode::Manual(start) => latest.max(start),
            ClockMode::System | ClockMode::Adjustable => latest,
        };
        Self {
            mode,
            system,
            offset: AtomicU64::new(offset),
            latest: AtomicU64::new(latest),
        }
    }

    /// The time now.
    pub(crate) fn now(&self) -> TimestampMs {
        let now = match self.mode {
            ClockMode::Manual(_) => 0,
            ClockMode::System => self.system.now().0,
            ClockMode::Adjustable => {
                let offset = self.offset.load(Ordering::Relaxed);
                self.system.now().0.saturating_add(offset)
            }
        };
        TimestampMs(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }

    /// Whether [`Self::advance`] is allowed.
    pub(crate) fn is_adjustable(&self) -> bool {
        self.mode != ClockMode::System
    }

    /// Moves it forward; returns the offset and the time to be kept.
    pub(crate) fn advance(&self, by: u64) -> (u64, TimestampMs) {
        let add = |value: u64| Some(value.saturating_add(by));
        let relaxed = Ordering::Relaxed;
        let offset = self.offset.fetch_update(relaxed, relaxed, add);
        if matches!(self.mode, ClockMode::Manual(_)) {
            let _ = self.latest.fetch_update(relaxed, relaxed, add);
        }
        // the closure never refuses
        let before = offset.unwrap_or_default();
        (before.saturating_add(by), self.now())
    }
}

/// BCS of `0x2::clock::Clock`.
pub(crate) fn contents(now: TimestampMs) -> Vec<u8> {
    let id: ObjectId = CLOCK_OBJECT;
    let mut contents = id.as_bytes().to_vec();
    contents.extend_from_slice(&now.0.to_le_bytes());
    contents
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_runtime::SimulatedClock;
    use std::sync::Arc;

    fn system() -> SharedClock {
        Arc::new(SimulatedClock::by_hand(TimestampMs(1_000)))
    }

    #[test]
    fn never_goes_back() {
        let far = 1_000_000;
        let clock = Clock::new(ClockMode::System, system(), 0, far);
        assert_eq!(clock.now(), TimestampMs(far));
    }

    #[test]
    fn a_manual_clock_moves_by_hand_only() {
        let clock = Clock::new(ClockMode::Manual(50), system(), 0, 0);
        assert_eq!(clock.now(), TimestampMs(50));
        assert_eq!(clock.advance(7), (7, TimestampMs(57)));
        assert_eq!(clock.now(), TimestampMs(57));
        let again = Clock::new(ClockMode::Manual(50), system(), 7, 57);
        assert_eq!(again.now(), TimestampMs(57));
    }

    #[test]
    fn an_adjustable_clock_runs_and_jumps() {
        let clock = Clock::new(ClockMode::Adjustable, system(), 0, 0);
        let before = clock.now();
        clock.advance(1_000_000);
        assert!(clock.now().0 >= before.0 + 1_000_000);
    }
}
