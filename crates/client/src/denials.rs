//! What a node says of a request of which it shows no receipt, look after look. Pure.

use atoma_types::{DurationMs, TimestampMs};

/// So long after a request's expiry, whatever the clocks, its node doesn't begin it any more.
const AFTERMATH: DurationMs = DurationMs(30_000);
/// The looks that decide that a node has nothing of a request are at least so far apart: it is over before its receipt is on
/// the disk, and a slow disk is no lie. A node that shows one later is distrusted for a week.
const DURABLE_WITHIN: DurationMs = DurationMs(10_000);

/// The looks so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Denials {
    /// It didn't run at the last one.
    was_over: bool,
    /// Since when it was found not to run, time after time, when its node couldn't begin it any more.
    over_since: Option<TimestampMs>,
}

/// What they come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// A receipt may have come between the two questions: the second look finds it.
    NotTwice,
    /// There is none, and it isn't at it; it may still be sent to it by whoever has seen it.
    ForNow,
    /// There will never be one.
    ForGood,
}

impl Denials {
    /// There is no receipt. Whether it isn't at the request either, which expires then.
    pub(crate) fn look(&mut self, is_over: bool, expires: TimestampMs, now: TimestampMs) -> Denied {
        let was_over = std::mem::replace(&mut self.was_over, is_over);
        let is_for_good = self.is_for_good(expires, now);
        match (was_over && is_over, is_for_good) {
            (false, _) => Denied::NotTwice,
            (true, false) => Denied::ForNow,
            (true, true) => Denied::ForGood,
        }
    }

    fn is_for_good(&mut self, expires: TimestampMs, now: TimestampMs) -> bool {
        if !self.was_over || now <= expires.saturating_add(AFTERMATH) {
            self.over_since = None;
            return false;
        }
        let since = *self.over_since.get_or_insert(now);
        now >= since.saturating_add(DURABLE_WITHIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_must_say_it_twice_and_again_once_it_can_not_be_begun_any_more() {
        let mut denials = Denials::default();
        let expires = TimestampMs(60_000);
        let mut look = |is_over, now| denials.look(is_over, expires, TimestampMs(now));
        assert_eq!(look(true, 100), Denied::NotTwice);
        assert_eq!(look(true, 300), Denied::ForNow);
        assert_eq!(look(false, 700), Denied::NotTwice, "it has been sent again");
        assert_eq!(look(true, 80_000), Denied::NotTwice);
        assert_eq!(look(true, 90_001), Denied::ForNow);
        assert_eq!(look(true, 100_000), Denied::ForNow, "not ten seconds apart");
        assert_eq!(look(true, 100_001), Denied::ForGood);
    }
}
