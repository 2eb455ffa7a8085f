//! Request ids that were used. One is used up by the first header with it that is signed as it must be, whatever becomes of
//! that request: what was refused, or left by who asked, is served to nobody who sends it again. Each is remembered until
//! its header has expired, and then forgotten by time: no header that expires as early as one that was forgotten is taken
//! any more. So a request is served at most once, whatever the clock does and however long its body took.
//!
//! The memory is bounded, for anyone may have a lease for the price of gas: a lease has a [share] by its units, and all
//! leases share one [`IdRoom`]. Of more ids than that, those of the same lease that expire first are forgotten like expired
//! ones: a request that waits for its body since long must be signed anew then, and others go on. What is refused before it
//! was looked at gets no more than half of either, so that what is served always has the other half.

use super::denied::Denied;
use atoma_types::{ComputeUnits, RequestId, TimestampMs};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Ids that are remembered of all leases together, some 100 MiB: 8,700 requests a second, each for all of the two minutes
/// that a header may live.
const MAX_IDS: usize = 1 << 20;
/// One lease has at most this part of them.
const PART_OF_ALL: usize = 4;
/// Ids that any lease may have: what a user may ask in two minutes, and be refused, whose units are nearly used.
const LEAST_SHARE: usize = 1_024;
/// A lease may have one more for each of so many units: few requests cost less, and what has been served is paid for, so
/// that filling the room costs money.
const UNITS_OF_AN_ID: u64 = 8;
/// Ids that a lease may add while the room is full: some 6 KiB, less than a lease has beside them.
const WHEN_FULL: usize = 64;

/// How many ids a lease of so many units may have remembered at a time.
pub(super) fn share(units: ComputeUnits) -> usize {
    let more = usize::try_from(units.0 / UNITS_OF_AN_ID).unwrap_or(usize::MAX);
    LEAST_SHARE.saturating_add(more).min(MAX_IDS / PART_OF_ALL)
}

/// How many ids the leases that share it remember.
#[derive(Clone, Debug)]
pub(crate) struct IdRoom {
    taken: Arc<AtomicUsize>,
    most: usize,
}

impl Default for IdRoom {
    fn default() -> Self {
        Self::of(MAX_IDS)
    }
}

impl IdRoom {
    fn of(most: usize) -> Self {
        Self {
            taken: Arc::default(),
            most,
        }
    }

    /// Ids that are remembered now.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Relaxed)
    }
}

/// What becomes of the id of a request that is refused before it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// Nobody is served by it.
    ForGood,
    /// It was used up before, and may be served just now.
    Before,
    /// There is no room to remember it: it may be served if it comes again.
    NoRoom,
}

/// The ids of one lease's requests.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// And whether units are or were reserved for them.
    ids: HashMap<RequestId, bool>,
    by_expiry: BTreeSet<(TimestampMs, RequestId)>,
    /// The latest expiry of an id that was forgotten.
    forgotten: TimestampMs,
    room: IdRoom,
}

impl Seen {
    /// Moves to a room that is shared.
    pub(super) fn move_to(&mut self, room: IdRoom) {
        let ids = self.ids.len();
        room.taken.fetch_add(ids, Relaxed);
        self.room.taken.fetch_sub(ids, Relaxed);
        self.room = room;
    }

    /// Uses an id up for a request that has just come, on a lease with this share.
    pub(super) fn admit(
        &mut self,
        id: RequestId,
        expires_at: TimestampMs,
        now: TimestampMs,
        share: usize,
    ) -> Result<(), Denied> {
        if self.ids.contains_key(&id) {
            return Err(Denied::Replayed);
        }
        self.check(&id, expires_at, now)?;
        self.remember((id, false), expires_at, now, share);
        Ok(())
    }

    /// The same for one that is refused in any case.
    pub(super) fn spend(
        &mut self,
        id: RequestId,
        expires_at: TimestampMs,
        now: TimestampMs,
        share: usize,
    ) -> Spent {
        self.forget_expired(now);
        if self.ids.contains_key(&id) {
            return Spent::Before;
        }
        if self.check(&id, expires_at, now).is_err() {
            // by this clock; should it go back, the request stays dead
            self.forgotten = self.forgotten.max(expires_at);
            return Spent::ForGood;
        }
        if self.ids.len() >= share / 2 || self.room.taken() >= self.room.most / 2 {
            return Spent::NoRoom;
        }
        self.remember((id, false), expires_at, now, share);
        Spent::ForGood
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
    pub(super) fn take(
        &mut self,
        id: RequestId,
        expires_at: TimestampMs,
        now: TimestampMs,
        share: usize,
    ) {
        self.remember((id, true), expires_at, now, share);
    }

    /// Nothing was done for what was reserved: who has the request may reserve again. Nobody else may send it.
    pub(super) fn give_back(&mut self, id: RequestId) {
        if let Some(taken) = self.ids.get_mut(&id) {
            *taken = false;
        }
    }

    /// Forgets what has expired by `now`, and gives memory back that isn't needed any more.
    pub(super) fn sweep(&mut self, now: TimestampMs) {
        self.forget_expired(now);
        // not at once, or a busy lease would be copied again and again
        if self.ids.capacity() / 4 > self.ids.len() {
            self.ids.shrink_to(2 * self.ids.len());
        }
    }

    /// Remembers an id and forgets what has expired by `now`, or has no room.
    fn remember(
        &mut self,
        (id, taken): (RequestId, bool),
        expires_at: TimestampMs,
        now: TimestampMs,
        share: usize,
    ) {
        if self.ids.insert(id, taken).is_none() {
            self.by_expiry.insert((expires_at, id));
            self.room.taken.fetch_add(1, Relaxed);
        }
        self.forget_expired(now);
        while self.ids.len() > share || self.is_in_the_way() {
            self.forget_first();
        }
    }

    /// Whether others have no room because of this one's ids.
    fn is_in_the_way(&self) -> bool {
        self.ids.len() > WHEN_FULL && self.room.taken() > self.room.most
    }

    fn forget_expired(&mut self, now: TimestampMs) {
        while let Some((expiry, _)) = self.by_expiry.first()
            && *expiry <= now
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((expiry, id)) = self.by_expiry.pop_first() {
            self.ids.remove(&id);
            self.room.taken.fetch_sub(1, Relaxed);
            self.forgotten = self.forgotten.max(expiry);
        }
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.ids.len(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: fn(u64) -> TimestampMs = TimestampMs;
    const SHARE: usize = 8;

    fn id(n: u8) -> RequestId {
        RequestId([n; 16])
    }

    #[test]
    fn ids_are_kept_until_they_expire() {
        let mut seen = Seen::default();
        seen.take(id(1), T(10), T(0), SHARE);
        seen.take(id(2), T(30), T(9), SHARE);
        assert_eq!(seen.check(&id(1), T(10), T(9)), Err(Denied::Replayed));
        seen.take(id(3), T(20), T(11), SHARE);
        assert_eq!(seen.ids.len(), 2);
        assert_eq!(
            seen.check(&id(1), T(10), T(11)),
            Err(Denied::RequestExpired)
        );
        seen.take(id(4), T(40), T(25), SHARE);
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
        seen.admit(id(1), T(10), T(0), SHARE).unwrap();
        assert_eq!(seen.admit(id(1), T(10), T(1), SHARE), Err(Denied::Replayed));
        // who has it may try more than once
        for _ in 0..2 {
            assert_eq!(seen.check(&id(1), T(10), T(9)), Ok(()));
            seen.take(id(1), T(10), T(9), SHARE);
            assert_eq!(seen.check(&id(1), T(10), T(9)), Err(Denied::Replayed));
            assert_eq!(seen.admit(id(1), T(10), T(9), SHARE), Err(Denied::Replayed));
            seen.give_back(id(1));
        }
        assert_eq!(seen.admit(id(1), T(10), T(9), SHARE), Err(Denied::Replayed));
        let late = seen.check(&id(1), T(10), T(10));
        assert_eq!(late, Err(Denied::RequestExpired));
        let late = seen.admit(id(2), T(10), T(10), SHARE);
        assert_eq!(late, Err(Denied::RequestExpired));
    }

    #[test]
    fn of_more_ids_than_are_remembered_those_that_end_first_are_dead() {
        let mut seen = Seen::default();
        let more = SHARE as u8 + 3;
        for n in 1..=more {
            seen.admit(id(n), T(n.into()), T(0), SHARE).unwrap();
        }
        assert_eq!(seen.ids.len(), SHARE);
        for n in 1..=3 {
            let again = seen.admit(id(n), T(n.into()), T(0), SHARE);
            assert_eq!(again, Err(Denied::RequestExpired));
        }
        assert_eq!(seen.admit(id(4), T(4), T(0), SHARE), Err(Denied::Replayed));
        assert_eq!(seen.admit(id(0), T(99), T(0), SHARE), Ok(()));
    }

    #[test]
    fn a_share_costs_money_and_is_a_part_of_all() {
        let of = |units| share(ComputeUnits(units));
        assert_eq!(of(0), LEAST_SHARE);
        assert_eq!(of(8_000), LEAST_SHARE + 1_000);
        assert_eq!(of(u64::MAX), MAX_IDS / 4);
    }

    #[test]
    fn what_is_refused_takes_half_of_the_share_and_is_never_said_to_be_dead_while_it_is_not() {
        let mut seen = Seen::default();
        // far ahead, as by who has a wrong clock or wants to fill the memory
        for n in 1..=4 {
            let spent = seen.spend(id(n), T(3_000 + u64::from(n)), T(0), SHARE);
            assert_eq!(spent, Spent::ForGood);
            let again = seen.spend(id(n), T(3_000 + u64::from(n)), T(0), SHARE);
            assert_eq!(again, Spent::Before);
        }
        assert_eq!(seen.spend(id(5), T(4_000), T(0), SHARE), Spent::NoRoom);
        // what is in time goes on however much comes, and never pushes those out
        for n in 10..200 {
            assert_eq!(seen.admit(id(n), T(n.into()), T(0), SHARE), Ok(()));
            seen.take(id(n), T(n.into()), T(0), SHARE);
        }
        assert_eq!(seen.ids.len(), SHARE);
        assert_eq!(
            seen.check(&id(201), T(200), T(0)),
            Ok(()),
            "the far ones are still there"
        );
        let dead = seen.spend(id(10), T(10), T(0), SHARE);
        assert_eq!(dead, Spent::ForGood, "it was forgotten, and is dead");
        assert_eq!(
            seen.admit(id(5), T(4_000), T(0), SHARE),
            Ok(()),
            "what wasn't kept may be served"
        );
    }

    #[test]
    fn ids_of_an_idle_lease_are_swept_and_their_memory_is_given_back() {
        let room = IdRoom::of(100_000);
        let mut seen = Seen::default();
        seen.move_to(room.clone());
        for n in 0..10_000u64 {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&n.to_le_bytes());
            seen.take(RequestId(bytes), T(10 + n % 10), T(0), 20_000);
        }
        assert_eq!(room.taken(), 10_000);
        seen.sweep(T(14));
        assert_eq!(room.taken(), 5_000);
        seen.sweep(T(19));
        assert_eq!((room.taken(), seen.ids.capacity()), (0, 0));
        assert_eq!(
            seen.check(&id(1), T(19), T(0)),
            Err(Denied::RequestExpired),
            "none is served again"
        );
    }

    #[test]
    fn who_fills_the_room_of_all_leaves_others_theirs_and_gives_it_back_with_the_lease() {
        let room = IdRoom::of(200);
        let sized = |n: u64| {
            let mut bytes = [7; 16];
            bytes[..8].copy_from_slice(&n.to_le_bytes());
            RequestId(bytes)
        };
        let lease = || {
            let mut seen = Seen::default();
            seen.move_to(room.clone());
            seen
        };
        let (mut stranger, mut honest) = (lease(), lease());
        for n in 0..150 {
            let spent = stranger.spend(sized(n), T(3_000 + n), T(0), 1_000);
            assert_eq!(spent == Spent::ForGood, n < 100, "half of it");
        }
        for n in 200..1_000 {
            assert_eq!(stranger.admit(sized(n), T(n), T(0), 1_000), Ok(()));
        }
        assert_eq!(room.taken(), 200);
        // each request of the other one is served, and none twice
        for n in 0..1_000 {
            let (id, expires) = (sized(n), T(1_000 + n));
            assert_eq!(honest.admit(id, expires, T(0), 1_000), Ok(()));
            assert_eq!(honest.check(&id, expires, T(0)), Ok(()));
            honest.take(id, expires, T(0), 1_000);
            assert!(honest.admit(id, expires, T(0), 1_000).is_err());
        }
        assert_eq!(honest.ids.len(), WHEN_FULL);
        assert_eq!(room.taken(), 200 + WHEN_FULL);
        drop(stranger);
        assert_eq!(room.taken(), WHEN_FULL);
    }

    #[test]
    fn what_was_refused_by_a_clock_that_was_ahead_is_not_served_once_it_is_right() {
        let mut seen = Seen::default();
        assert_eq!(seen.spend(id(1), T(100), T(160), SHARE), Spent::ForGood);
        let again = seen.admit(id(1), T(100), T(50), SHARE);
        assert_eq!(again, Err(Denied::RequestExpired));
        assert_eq!(seen.admit(id(2), T(101), T(50), SHARE), Ok(()));
    }

    #[test]
    fn what_was_forgotten_stays_dead_when_the_clock_goes_back() {
        let mut seen = Seen::default();
        seen.take(id(1), T(100), T(50), SHARE);
        seen.take(id(2), T(9_000), T(8_000), SHARE);
        assert_eq!(
            seen.check(&id(1), T(100), T(50)),
            Err(Denied::RequestExpired)
        );
        assert_eq!(seen.check(&id(3), T(101), T(50)), Ok(()), "others go on");
        assert_eq!(seen.check(&id(2), T(9_000), T(50)), Err(Denied::Replayed));
    }
}
