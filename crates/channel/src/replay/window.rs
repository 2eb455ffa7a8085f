//! What one replica remembers.

use crate::{
    fault::{Fault, Result},
    limits::{MAX_SEEN, MAX_SKEW},
};
use atoma_types::{TimestampMs, hash::Hash32, message::MAX_REQUEST_LIFETIME};
use std::collections::BTreeSet;

/// Names a sealed request: the hash of its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealId(pub Hash32);

/// What is remembered of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The request that was seen.
    pub id: SealId,
    /// When it was sealed, by the client's clock.
    pub issued_at: TimestampMs,
    /// Until then it has to be remembered.
    pub expires_at: TimestampMs,
}

/// Says that a request is new here, and that nobody else will be told so. Only this module makes it.
#[derive(Debug)]
pub struct Admitted(SealId);

/// The requests that were seen and haven't expired. A pure state machine: it is told the time, and never goes back in
/// it, though a host may set a guest's clock back.
#[derive(Debug)]
pub struct ReplayWindow {
    opened_at: TimestampMs,
    latest: TimestampMs,
    ids: BTreeSet<SealId>,
    /// The same by the end of their life.
    by_expiry: BTreeSet<(TimestampMs, SealId)>,
    most: usize,
}

impl Admitted {
    /// Which request it is.
    #[must_use]
    pub fn id(&self) -> SealId {
        self.0
    }
}

impl ReplayWindow {
    /// Remembers nothing yet, and refuses what was sealed before `opened_at`, since that may have been answered by
    /// whoever was here before.
    ///
    /// Give the present where all keys are new, or where a [`SeenStore`](super::SeenStore) is trusted to keep what it was told. Where
    /// keys outlive the process and the store is the host's, who may put an old copy back, give the present and
    /// [`MAX_SKEW`]: then what clients with fast clocks sealed is covered, too.
    #[must_use]
    pub fn new(opened_at: TimestampMs) -> Self {
        Self::of_size(opened_at, MAX_SEEN)
    }

    /// The same, for at most so many requests at once.
    #[must_use]
    pub fn of_size(opened_at: TimestampMs, most: usize) -> Self {
        Self {
            opened_at,
            latest: TimestampMs(0),
            ids: BTreeSet::new(),
            by_expiry: BTreeSet::new(),
            most,
        }
    }

    /// Admits a request if it is alive and new, and remembers it.
    ///
    /// # Errors
    /// If it isn't, or no more can be remembered.
    pub fn admit(&mut self, seen: &Seen, now: TimestampMs) -> Result<Admitted> {
        self.latest = self.latest.max(now);
        self.forget();
        let lives = seen.expires_at.since(seen.issued_at);
        if lives.0 == 0 || lives > MAX_REQUEST_LIFETIME {
            return Err(Fault::Lifetime);
        }
        if seen.expires_at <= self.latest {
            return Err(Fault::Expired);
        }
        if seen.issued_at > self.latest.saturating_add(MAX_SKEW) {
            return Err(Fault::Future);
        }
        if seen.issued_at < self.opened_at {
            return Err(Fault::BeforeStart);
        }
        if self.ids.contains(&seen.id) {
            return Err(Fault::Replayed);
        }
        if self.ids.len() >= self.most {
            return Err(Fault::WindowFull);
        }
        self.ids.insert(seen.id);
        self.by_expiry.insert((seen.expires_at, seen.id));
        Ok(Admitted(seen.id))
    }

    /// How many requests are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether no request is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// What has expired is refused for that from now on, whatever the clock says later.
    fn forget(&mut self) {
        while let Some((expires_at, id)) = self.by_expiry.first().copied() {
            if expires_at > self.latest {
                return;
            }
            self.by_expiry.pop_first();
            self.ids.remove(&id);
        }
    }
}
