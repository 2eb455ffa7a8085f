//! Request ids that were used. One is used up by the first header with it that is signed as it must be, whatever becomes of
//! that request: what was refused, or left by who asked, is served to nobody who sends it again. Each is remembered until
//! its header has expired, and then forgotten by time: no header that expires as early as one that was forgotten is taken
//! any more. So a request is served at most once, whatever the clock does and however long its body took; and the memory is
//! bounded by the requests of one header's life.

use super::denied::Denied;
use atoma_types::{RequestId, TimestampMs};
use std::collections::{BTreeSet, HashMap};

/// Ids that are remembered of one lease, some 50 MiB: more than are served in a header's life. Of more, those that expire
/// first are forgotten like expired ones, so that who sends so many harms nobody else.
const MAX_IDS: usize = 1 << 19;

/// The ids of one lease's requests.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// And whether units are or were reserved for them.
    ids: HashMap<RequestId, bool>,
    by_expiry: BTreeSet<(TimestampMs, RequestId)>,
    /// The latest expiry of an id that was forgotten.
    forgotten: TimestampMs,
}

impl Seen {
    /// Uses an id up for a request that has just come.
    pub(super) fn admit(
        &mut self,
        id: RequestId,
        expires_at: TimestampMs,
        now: TimestampMs,
    ) -> Result<(), Denied> {
        if self.ids.contains_key(&id) {
            return Err(Denied::Replayed);
        }
        self.check(&id, expires_at, now)?;
        self.remember((id, false), expires_at, now);
        Ok(())
    }

    /// Whether units may be reserved for a request: it is alive, and none are nor were.
    pub(super) fn check(
        &self,
        id: &RequestId,
        expires_at: TimestampMs,
        now: TimestampMs,
    ) -> Result<(), Denied> {
        if self.ids.get(id) == Some(&true) {
            return Err(Denied::Replayed);
        }
        if expires_at <= now.max(self.forgotten) {
            return Err(Denied::RequestExpired);
        }
        Ok(())
    }

    /// Units are reserved for it; or were, before a restart.
    pub(super) fn take(&mut self, id: RequestId, expires_at: TimestampMs, now: TimestampMs) {
        self.remember((id, true), expires_at, now);
    }

    /// Nothing was done for what was reserved: who has the request may reserve again. Nobody else may send it.
    pub(super) fn give_back(&mut self, id: RequestId) {
        if let Some(taken) = self.ids.get_mut(&id) {
            *taken = false;
        }
    }

    /// Remembers an id and forgets what has expired by `now`.
    fn remember(
        &mut self,
        (id, taken): (RequestId, bool),
        expires_at: TimestampMs,
        now: TimestampMs,
    ) {
        if self.ids.insert(id, taken).is_none() {
            self.by_expiry.insert((expires_at, id));
        }
        while let Some((expiry, old)) = self.by_expiry.first().copied()
            && (expiry <= now || self.ids.len() > MAX_IDS)
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
        seen.take(id(1), T(10), T(0));
        seen.take(id(2), T(30), T(9));
        assert_eq!(seen.check(&id(1), T(10), T(9)), Err(Denied::Replayed));
        seen.take(id(3), T(20), T(11));
        assert_eq!(seen.ids.len(), 2);
        assert_eq!(
            seen.check(&id(1), T(10), T(11)),
            Err(Denied::RequestExpired)
        );
        seen.take(id(4), T(40), T(25));
        assert_eq!(
            seen.ids.len(),
            2,
            "an early end behind a late one is not kept"
        );
        assert_eq!(seen.check(&id(2), T(30), T(25)), Err(Denied::Replayed));
    }

    #[test]
    fn what_was_not_served_is_served_to_nobody_who_sends_it_again() {
        let mut seen = Seen::default();
        seen.admit(id(1), T(10), T(0)).unwrap();
        assert_eq!(seen.admit(id(1), T(10), T(1)), Err(Denied::Replayed));
        // who has it may try more than once
        for _ in 0..2 {
            assert_eq!(seen.check(&id(1), T(10), T(9)), Ok(()));
            seen.take(id(1), T(10), T(9));
            assert_eq!(seen.check(&id(1), T(10), T(9)), Err(Denied::Replayed));
            assert_eq!(seen.admit(id(1), T(10), T(9)), Err(Denied::Replayed));
            seen.give_back(id(1));
        }
        assert_eq!(seen.admit(id(1), T(10), T(9)), Err(Denied::Replayed));
        let late = seen.check(&id(1), T(10), T(10));
        assert_eq!(late, Err(Denied::RequestExpired));
        let late = seen.admit(id(2), T(10), T(10));
        assert_eq!(late, Err(Denied::RequestExpired));
    }

    #[test]
    fn of_more_ids_than_are_remembered_those_that_end_first_are_dead() {
        let mut seen = Seen::default();
        let wide = |n: u64| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&n.to_le_bytes());
            RequestId(bytes)
        };
        let more = MAX_IDS as u64 + 3;
        for n in 1..=more {
            seen.admit(wide(n), T(n), T(0)).unwrap();
        }
        assert_eq!(seen.ids.len(), MAX_IDS);
        for n in 1..=3 {
            assert_eq!(seen.admit(wide(n), T(n), T(0)), Err(Denied::RequestExpired));
        }
        assert_eq!(seen.admit(wide(4), T(4), T(0)), Err(Denied::Replayed));
        assert_eq!(seen.admit(wide(0), T(more + 1), T(0)), Ok(()));
    }

    #[test]
    fn what_was_forgotten_stays_dead_when_the_clock_goes_back() {
        let mut seen = Seen::default();
        seen.take(id(1), T(100), T(50));
        seen.take(id(2), T(9_000), T(8_000));
        assert_eq!(
            seen.check(&id(1), T(100), T(50)),
            Err(Denied::RequestExpired)
        );
        assert_eq!(seen.check(&id(3), T(101), T(50)), Ok(()), "others go on");
        assert_eq!(seen.check(&id(2), T(9_000), T(50)), Err(Denied::Replayed));
    }
}
