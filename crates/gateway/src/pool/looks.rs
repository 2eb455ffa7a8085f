//! Looks at the ledger that others can cause, kept apart: a request with an empty budget, a node that says
//! that its stack is over. Each is worth a look, and a thousand of them in a moment are worth one.

use std::{collections::HashMap, hash::Hash, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::Instant,
};

/// One look for each key, and then none for `pause`.
#[derive(Debug)]
pub(super) struct Pace<K> {
    pause: Duration,
    last: HashMap<K, Look>,
}

#[derive(Debug)]
struct Look {
    begun: Instant,
    /// Locked while it is under way; whether it succeeded.
    done: Arc<Mutex<bool>>,
}

/// What whoever wants to look does.
#[derive(Debug)]
pub(super) enum Turn {
    /// Looks, and sets this to true when it has seen something.
    Look(OwnedMutexGuard<bool>),
    /// Waits for the look under way, or takes what was seen a moment ago: there is something if this says so.
    Share(Arc<Mutex<bool>>),
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
    pub(super) fn turn(&mut self, key: K, now: Instant) -> Turn {
        let pause = self.pause;
        self.last
            .retain(|_, look| now.saturating_duration_since(look.begun) < pause);
        if let Some(look) = self.last.get(&key) {
            return Turn::Share(Arc::clone(&look.done));
        }
        let done = Arc::new(Mutex::new(false));
        let look = Look {
            begun: now,
            done: Arc::clone(&done),
        };
        self.last.insert(key, look);
        match done.clone().try_lock_owned() {
            Ok(looking) => Turn::Look(looking),
            Err(_) => Turn::Share(done),
        }
    }

    /// As [`turn`](Self::turn), where those who may not look don't wait either.
    pub(super) fn may_look(&mut self, key: K, now: Instant) -> bool {
        matches!(self.turn(key, now), Turn::Look(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    const PAUSE: Duration = Duration::from_secs(2);

    #[test]
    fn one_look_each_and_then_a_pause() {
        let mut pace = Pace::new(PAUSE);
        let start = Instant::now();
        let looks = (0..1_000)
            .filter(|ms| pace.may_look("one", start + Duration::from_millis(*ms)))
            .count();
        assert_eq!(looks, 1);
        assert!(pace.may_look("other", start));
        assert!(pace.may_look("one", start + PAUSE));
        assert!(!pace.may_look("one", start + PAUSE));
        assert_eq!(pace.last.len(), 1, "the other's pause is over");
    }

    #[test]
    fn who_may_not_look_waits_for_the_look_under_way() {
        let mut pace = Pace::new(PAUSE);
        let now = Instant::now();
        let mut share = || match pace.turn("one", now) {
            Turn::Share(done) => Ok(done),
            Turn::Look(looking) => Err(looking),
        };
        let mut looking = share().unwrap_err();
        let shares = [share().unwrap(), share().unwrap()];
        assert!(
            shares
                .iter()
                .all(|done| done.lock().now_or_never().is_none())
        );
        *looking = true;
        drop(looking);
        let later = share().unwrap();
        for done in shares.iter().chain([&later]) {
            assert!(*done.lock().now_or_never().unwrap(), "it was seen");
        }
    }

    #[test]
    fn a_look_that_saw_nothing_is_told_as_such() {
        let mut pace = Pace::new(PAUSE);
        let now = Instant::now();
        drop(pace.turn("one", now));
        let Turn::Share(done) = pace.turn("one", now) else {
            panic!("the pause has begun");
        };
        assert!(!*done.lock().now_or_never().unwrap());
    }
}
