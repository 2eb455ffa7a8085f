//! Pauses between tries that fail: each twice as long as the one before, up to a longest.

use crate::Random;
use std::time::Duration;

/// Counts failures, and says how long to wait after each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Nothing has failed yet.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures: 0,
        }
    }

    /// The pause after one more failure.
    pub fn failed(&mut self) -> Duration {
        let doubled = self
            .first
            .saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        doubled.min(self.longest)
    }

    /// Something worked: the next pause is short again.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How often it has failed since the last success.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }
}

/// Shortens a pause by up to half at random, so that many who begin together don't come again together.
#[must_use]
pub fn spread(pause: Duration, random: &dyn Random) -> Duration {
    pause.mul_f64(0.5 + random.fraction() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3));
        let mut pauses = || backoff.failed().as_secs();
        assert_eq!([pauses(), pauses(), pauses(), pauses()], [1, 2, 3, 3]);
        assert_eq!(backoff.failures(), 4);
        backoff.succeeded();
        assert_eq!(backoff.failed().as_secs(), 1);
    }

    #[test]
    fn very_many_failures_are_no_overflow() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::MAX);
        backoff.failures = u32::MAX;
        assert_eq!(backoff.failed(), Duration::from_secs(u32::MAX.into()));
        assert_eq!(backoff.failures(), u32::MAX);
    }

    #[test]
    fn a_spread_pause_is_between_half_and_the_whole() {
        let random = SeededRandom::new(7);
        for _ in 0..1_000 {
            let pause = spread(Duration::from_secs(2), &random);
            assert!((1_000..=2_000).contains(&pause.as_millis()), "{pause:?}");
        }
    }
}
