//! Request ids that were used. Each is remembered until its header has expired, and then forgotten by
//! time: no header that expires as early as one that was forgotten is taken any more. So a request is
//! served at most once, whatever the clock does and however long its body took; and the memory is
//! bounded by the requests of one header's life.

use super::denied::Denied;
use atoma_types::{RequestId, TimestampMs};
use std::collections::{BTreeSet, HashSet};

/// The ids of one lease's requests.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<RequestId>,
    by_expiry: BTreeSet<(TimestampMs, RequestId)>,
    /// The latest expiry of an id that was forgotten.
    forgotten: TimestampMs,
}

impl Seen {
    /// Whether a request is alive and new.
    pub(super) fn check(
        &self,
        id: &RequestId,
        expires_at: TimestampMs,
        now: TimestampMs,
    ) -> Result<(), Denied> {
        if self.ids.contains(id) {
            return Err(Denied::Replayed);
        }
        if expires_at <= now.max(self.forgotten) {
            return Err(Denied::RequestExpired);
        }
        Ok(())
    }

    /// Forgets an id whose request was not served, nor will be by this reservation: it may be again.
    pub(super) fn remove(&mut self, id: RequestId, expires_at: TimestampMs) {
        self.ids.remove(&id);
        self.by_expiry.remove(&(expires_at, id));
    }

    /// Remembers `id` and forgets what has expired by `now`.
    pub(super) fn insert(&mut self, id: RequestId, expires_at: TimestampMs, now: TimestampMs) {
        if self.ids.insert(id) {
            self.by_expiry.insert((expires_at, id));
        }
        while let Some((expiry, old)) = self.by_expiry.first().copied()
            && expiry <= now
        {
            self.by_expiry.pop_first();
            self.ids.remove(&old);
            self.forgotten = self.forgotten.max(expiry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: fn(u64) -> TimestampMs = TimestampMs;

    fn id(n: u8) -> RequestId {
        RequestId([n; 16])
    }

    #[test]
    fn ids_are_kept_until_they_expire() {
        let mut seen = Seen::default();
        seen.insert(id(1), T(10), T(0));
        seen.insert(id(2), T(30), T(9));
        assert_eq!(seen.check(&id(1), T(10), T(9)), Err(Denied::Replayed));
        seen.insert(id(3), T(20), T(11));
        assert_eq!(seen.ids.len(), 2);
        assert_eq!(
            seen.check(&id(1), T(10), T(11)),
            Err(Denied::RequestExpired)
        );
        seen.insert(id(4), T(40), T(25));
        assert_eq!(
            seen.ids.len(),
            2,
            "an early end behind a late one is not kept"
        );
        assert_eq!(seen.check(&id(2), T(30), T(25)), Err(Denied::Replayed));
    }

    #[test]
    fn what_was_not_served_may_come_again_until_it_expires() {
        let mut seen = Seen::default();
        seen.insert(id(1), T(10), T(0));
        seen.remove(id(1), T(10));
        assert_eq!(seen.check(&id(1), T(10), T(9)), Ok(()));
        seen.insert(id(2), T(30), T(9));
        assert_eq!(seen.by_expiry.len(), 1);
    }

    #[test]
    fn what_was_forgotten_stays_dead_when_the_clock_goes_back() {
        let mut seen = Seen::default();
        seen.insert(id(1), T(100), T(50));
        seen.insert(id(2), T(9_000), T(8_000));
        assert_eq!(
            seen.check(&id(1), T(100), T(50)),
            Err(Denied::RequestExpired)
        );
        assert_eq!(seen.check(&id(3), T(101), T(50)), Ok(()), "others go on");
        assert_eq!(seen.check(&id(2), T(9_000), T(50)), Err(Denied::Replayed));
    }
}
