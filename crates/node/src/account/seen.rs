//! Request ids that were used, remembered until their headers expire. A header lives at most
//! `MAX_REQUEST_LIFETIME` and can't be issued far in the future, so the memory is bounded by the
//! number of requests served in that time.

use atoma_types::{RequestId, TimestampMs};
use std::collections::{HashSet, VecDeque};

#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<RequestId>,
    /// In order of arrival; an id behind one that expires later is forgotten a little late.
    expiries: VecDeque<(TimestampMs, RequestId)>,
}

impl Seen {
    pub(super) fn contains(&self, id: &RequestId) -> bool {
        self.ids.contains(id)
    }

    /// Remembers `id` and forgets what has expired by `now`.
    pub(super) fn insert(&mut self, id: RequestId, expires_at: TimestampMs, now: TimestampMs) {
        while let Some((expiry, old)) = self.expiries.front()
            && *expiry < now
        {
            self.ids.remove(old);
            self.expiries.pop_front();
        }
        if self.ids.insert(id) {
            self.expiries.push_back((expires_at, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kept_until_they_expire() {
        let mut seen = Seen::default();
        seen.insert(RequestId([1; 16]), TimestampMs(10), TimestampMs(0));
        seen.insert(RequestId([2; 16]), TimestampMs(30), TimestampMs(10));
        assert!(
            seen.contains(&RequestId([1; 16])),
            "valid up to and at its expiry"
        );
        seen.insert(RequestId([3; 16]), TimestampMs(40), TimestampMs(11));
        assert!(!seen.contains(&RequestId([1; 16])));
        assert!(seen.contains(&RequestId([2; 16])));
        assert_eq!(seen.expiries.len(), 2);
    }
}
