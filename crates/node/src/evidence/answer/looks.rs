//! When a lease is looked at without anybody's word. Events tell of what must be shown, but not every event comes: an
//! endpoint may refuse them, or leave some out. Silence is a fine, so the node goes and looks.

use crate::lease::Lease;
use atoma_types::{DurationMs, StackId};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Each lease is looked at so often in its answer window: of what nobody told of seven eighths of the time are left, in
/// which a ticket can be read back from Walrus, too.
const LOOKS_IN_WINDOW: u64 = 8;
/// As one that was not read since the start, and whatever the window is where a look has failed.
const SOON: Duration = Duration::from_secs(60);
/// A new lease is found so soon: going through those in memory costs nothing.
const NEW: Duration = Duration::from_secs(5);
/// Whatever a ledger of tests has for a window.
const SHORTEST: Duration = Duration::from_millis(100);

/// When each lease was last looked at. All of them are, also those of which no ticket is known here: the ledger may have
/// taken a settlement whose outcome was never heard.
#[derive(Debug, Default)]
pub(super) struct Looks(BTreeMap<StackId, (Instant, bool)>);

/// A lease, and how long there is to answer.
pub(super) type Watched = (StackId, Option<DurationMs>);

/// What there is to know of a lease here.
pub(super) fn watched(lease: &Lease) -> Watched {
    let read = lease.on_ledger();
    (lease.stack, read.map(|stack| stack.terms.answer_window_ms))
}

impl Looks {
    /// A stack was looked at, or it couldn't be.
    pub(super) fn looked(&mut self, stack: StackId, now: Instant, done: bool) {
        self.0.insert(stack, (now, done));
    }

    /// The leases to look at now; those that are gone are forgotten.
    pub(super) fn due(&mut self, leases: &[Watched], now: Instant) -> Vec<StackId> {
        let known: BTreeMap<StackId, _> = leases.iter().copied().collect();
        self.0.retain(|stack, _| known.contains_key(stack));
        let due = leases.iter().filter(|lease| self.next(lease, now) <= now);
        due.map(|(stack, _)| *stack).collect()
    }

    /// How long there is nothing to look at.
    pub(super) fn rest(&self, leases: &[Watched], now: Instant) -> Duration {
        let next = leases.iter().map(|lease| self.next(lease, now)).min();
        let next = next.map(|next| next.saturating_duration_since(now));
        next.map_or(NEW, |next| next.min(NEW))
    }

    fn next(&self, (stack, window): &Watched, now: Instant) -> Instant {
        let Some((last, done)) = self.0.get(stack) else {
            return now;
        };
        let part = |window: DurationMs| Duration::from_millis(window.0 / LOOKS_IN_WINDOW);
        let pause = window.map_or(SOON, part).max(SHORTEST);
        let pause = if *done { pause } else { pause.min(SOON) };
        *last + pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    const DAY: DurationMs = DurationMs(24 * 3_600_000);

    #[test]
    fn every_lease_is_looked_at_eight_times_in_its_answer_window_and_soon_after_a_look_that_failed()
    {
        let [read, unread, failed] = [1, 2, 3].map(|id| StackId(Address::new([id; 32])));
        let leases = [(read, Some(DAY)), (unread, None), (failed, Some(DAY))];
        let (mut looks, start) = (Looks::default(), Instant::now());
        assert_eq!(looks.due(&leases, start), [read, unread, failed]);
        assert_eq!(looks.rest(&leases, start), Duration::ZERO);
        looks.looked(read, start, true);
        looks.looked(unread, start, true);
        looks.looked(failed, start, false);
        assert_eq!(looks.due(&leases, start), []);
        assert_eq!(looks.rest(&leases, start), NEW);
        let soon = start + SOON;
        assert_eq!(looks.due(&leases, soon), [unread, failed]);
        looks.looked(failed, soon, true);
        assert_eq!(looks.rest(&leases, start + SOON - SHORTEST), SHORTEST);
        let eighth = Duration::from_secs(3 * 3_600);
        // the others are gone
        assert_eq!(looks.due(&leases[..1], start + eighth - SHORTEST), []);
        assert_eq!(looks.due(&leases[..1], start + eighth), [read]);
        assert_eq!(looks.0.len(), 1, "and forgotten");
        assert_eq!(looks.rest(&[], start), NEW);
    }
}
