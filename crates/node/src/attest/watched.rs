//! A stack that an attester watches: when it must be read again, and what anyone may do about its tickets.

use super::duty::next_deadline;
use atoma_ledger::due_of_lease;
use atoma_runtime::Backoff;
use atoma_types::{
    DurationMs, NodeId, StackId, TimestampMs,
    chain::{Call, Stack},
    hash::Hash32,
};
use std::time::Duration;
use tokio::time::Instant;

/// After a failure a stack or a record rests so long, doubling: windows are hours.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The times that matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The ledger's, which deadlines go by.
    pub ledger: TimestampMs,
    /// By the clock that pauses are measured on.
    pub at: Instant,
}

/// A full node that is so far behind answers nothing of use.
pub(super) const OLD_READ: Duration = Duration::from_secs(60);
/// Whoever is paid for a step is left a part of the time for it: an eighth of the spread.
pub(super) const HEAD_START: u64 = 8;

/// A stack that has tickets, or may have.
#[derive(Debug)]
pub(super) struct Watched {
    /// Something has happened since it was read.
    pub changed: bool,
    /// When something may be due by then.
    pub next: Option<TimestampMs>,
    /// What anyone may do, and when it was first seen.
    due: Vec<(Call, TimestampMs)>,
    /// Not before, after a failure.
    rests: Option<Instant>,
    backoff: Backoff,
    /// Seats of ours.
    pub seats: usize,
    /// Since when reads have shown no ticket.
    pub empty_since: Option<Instant>,
}

impl Watched {
    pub(super) fn new() -> Self {
        Self {
            changed: true,
            next: None,
            due: Vec::new(),
            rests: None,
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            seats: 0,
            empty_since: None,
        }
    }

    pub(super) fn is_due(&self, now: Now) -> bool {
        let rests = self.rests.is_some_and(|until| until > now.at);
        let doubted = self
            .empty_since
            .is_some_and(|since| since + OLD_READ <= now.at);
        !rests && (self.changed || doubted || self.next.is_some_and(|next| next <= now.ledger))
    }

    /// Something has happened: it must be read, and what was read so far is old.
    pub(super) fn heard(&mut self) {
        self.changed = true;
        self.empty_since = None;
    }

    /// A read without tickets may be older than the event that told of one: it is believed once it has been so for a
    /// while.
    pub(super) fn may_be_old(&mut self, closed: bool, now: Now) -> bool {
        let since = *self.empty_since.get_or_insert(now.at);
        self.changed = false;
        self.next = None;
        !closed && now.at < since + OLD_READ
    }

    pub(super) fn acted(&mut self, taken: bool, now: Now) {
        self.changed = true;
        if taken {
            self.backoff.succeeded();
            self.rests = None;
        } else {
            self.rests = Some(now.at + self.backoff.failed());
        }
    }

    /// What anyone may do and nobody has done for a while; each attester waits for another while.
    pub(super) fn overdue(
        &mut self,
        us: NodeId,
        spread: DurationMs,
        stack: &Stack,
        now: TimestampMs,
    ) -> Option<Call> {
        let due = for_anyone(us, stack, now);
        self.due.retain(|(call, _)| due.contains(call));
        for call in due {
            if !self.due.iter().any(|(known, _)| *known == call) {
                self.due.push((call, now));
            }
        }
        let mut due = self.due.iter();
        let over = due.find(|(call, since)| {
            now >= since.saturating_add(patience(us, spread, stack.id, call))
        });
        over.map(|(call, _)| call.clone())
    }

    pub(super) fn next_look(
        &self,
        us: NodeId,
        spread: DurationMs,
        stack: &Stack,
        now: TimestampMs,
    ) -> Option<TimestampMs> {
        let patient = self
            .due
            .iter()
            .map(|(call, since)| since.saturating_add(patience(us, spread, stack.id, call)));
        patient.chain(next_deadline(stack, now)).min()
    }
}

/// What anyone may do about the tickets of others' leases.
fn for_anyone(us: NodeId, stack: &Stack, now: TimestampMs) -> Vec<Call> {
    let leases = stack.leases.iter();
    let others = leases.filter(|lease| lease.node != us && !lease.tickets.is_empty());
    let due = others.flat_map(|lease| due_of_lease(stack, lease, now));
    due.map(|due| due.call).collect()
}

/// How long a step is left to others.
pub(super) fn patience(us: NodeId, spread: DurationMs, stack: StackId, call: &Call) -> DurationMs {
    let name = call.function().name.as_bytes();
    let hash = Hash32::of_parts(&[us.0.as_bytes(), stack.0.as_bytes(), name]);
    let [a, b, c, d, ..] = hash.0;
    let head_start = spread.0 / HEAD_START;
    let rest = spread.0.saturating_sub(head_start);
    let part = u64::from(u32::from_le_bytes([a, b, c, d]));
    // a part of 2^32
    let part = (u128::from(rest) * u128::from(part)) >> 32;
    DurationMs(head_start.saturating_add(part as u64))
}
