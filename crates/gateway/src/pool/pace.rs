//! Looks at the ledger that others can cause, kept apart: a request with an empty budget, a node that says
//! that its stack is over. Each is worth a look, and a thousand of them in a moment are worth one. Pure.

use std::{collections::HashMap, hash::Hash, time::Duration};
use tokio::time::Instant;

/// One look for each key, and then none for `pause`.
#[derive(Debug)]
pub(super) struct Pace<K> {
    pause: Duration,
    last: HashMap<K, Instant>,
}

impl<K: Eq + Hash> Pace<K> {
    pub(super) fn new(pause: Duration) -> Self {
        Self {
            pause,
            last: HashMap::new(),
        }
    }

    /// Whether to look now; if so, the pause begins. Keys whose pause is over are forgotten, so that there
    /// are never more than looked within one.
    pub(super) fn may_look(&mut self, key: K, now: Instant) -> bool {
        let pause = self.pause;
        self.last
            .retain(|_, last| now.saturating_duration_since(*last) < pause);
        if self.last.contains_key(&key) {
            return false;
        }
        self.last.insert(key, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_each_and_then_a_pause() {
        let pause = Duration::from_secs(2);
        let mut pace = Pace::new(pause);
        let start = Instant::now();
        let looks = (0..1_000)
            .filter(|ms| pace.may_look("one", start + Duration::from_millis(*ms)))
            .count();
        assert_eq!(looks, 1);
        assert!(pace.may_look("other", start));
        assert!(pace.may_look("one", start + pause));
        assert!(!pace.may_look("one", start + pause));
        assert_eq!(pace.last.len(), 1, "the other's pause is over");
    }
}
