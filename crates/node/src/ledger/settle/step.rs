//! When to settle and to claim. Pure: what is known comes in as an event, what is to be done goes
//! out as commands; [`super`] carries them out.
//!
//! Every round each lease is looked at:
//!
//! * open and due (closing, expired, or nearly used and at rest): it takes no more requests; this is
//!   made durable before anything goes to the ledger;
//! * settling and idle, or short before its deadline: its claim goes to the ledger;
//! * settled and its window over: it is claimed.
//!
//! Several go in one transaction; if that fails, each goes alone, so that one bad lease holds up no
//! other. A lease that failed alone rests, longer each time.

use crate::{
    account::{Phase, Summary},
    backoff::Backoff,
    config::SettlementConfig,
};
use atoma_types::{DurationMs, StackId, TimestampMs};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Leases in one transaction: their headers and receipts stay far below a transaction's limit.
const MAX_BATCH: usize = 4;
/// Running requests are waited for until this long before the deadline (or a quarter of the
/// grace, if that is shorter).
const LAST_CALL_MS: u64 = 120_000;
/// After a failure a lease rests so long, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The ledger is asked for its clock this often when there is no lease to watch.
const PING_EVERY: Duration = Duration::from_secs(10);

/// The settler's memory.
#[derive(Debug)]
pub(crate) struct Settler {
    rules: SettlementConfig,
    /// Leases that failed: not before, and the pauses after that.
    resting: BTreeMap<StackId, (Instant, Backoff)>,
    /// When the ledger last said its time.
    pinged: Option<Instant>,
}

/// The times that matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// The ledger's, which deadlines and windows go by; ours while it doesn't answer.
    pub ledger: TimestampMs,
    /// Ours, which a lease's activity goes by.
    pub ours: TimestampMs,
    /// The moment, by the clock that pauses are measured on.
    pub at: Instant,
}

/// A lease as the settler sees it.
#[derive(Clone, Debug)]
pub(crate) struct LeaseView {
    pub stack: StackId,
    pub settle_grace: DurationMs,
    /// Its sums, without the lanes.
    pub sums: Summary,
}

/// What is taken to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Settle,
    Claim,
}

/// Why the ledger didn't take a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It can't be reached.
    Unreachable,
    /// The window is open, or a dispute is.
    TooEarly,
    /// It said no.
    Refused,
}

#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// The ledger was asked for its time.
    AskedTime { answered: bool, at: Instant },
    /// All leases, to see which are due.
    Due { leases: &'a [LeaseView], now: Times },
    /// All leases, to see which are ready.
    Ready { leases: &'a [LeaseView], now: Times },
    /// The ledger took a batch.
    Taken { stacks: &'a [StackId] },
    /// The ledger did not take it.
    Failed {
        step: Step,
        stacks: &'a [StackId],
        why: Failure,
        at: Instant,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Let these leases take no more requests, durably.
    StopAdmission(Vec<StackId>),
    /// Take a batch to the ledger in one transaction.
    Submit { step: Step, stacks: Vec<StackId> },
    /// See how the ledger has this lease: it is not as we think.
    Reread(StackId),
}

impl Settler {
    pub(crate) fn new(rules: SettlementConfig) -> Self {
        Self {
            rules,
            resting: BTreeMap::new(),
            pinged: None,
        }
    }

    /// Whether a round at `at` needs the ledger's time: where there are leases, and now and then to
    /// see whether the ledger can be reached.
    pub(crate) fn needs_time(&self, has_leases: bool, at: Instant) -> bool {
        let lately = self
            .pinged
            .is_some_and(|pinged| at.duration_since(pinged) < PING_EVERY);
        has_leases || !lately
    }

    /// What is to be done now that `event` has happened.
    pub(crate) fn step(&mut self, event: &Event<'_>) -> Vec<Command> {
        match *event {
            Event::AskedTime { answered, at } => {
                // an unreachable ledger is asked again in the next round
                self.pinged = answered.then_some(at);
                Vec::new()
            }
            Event::Due { leases, now } => {
                let due = leases.iter().filter(|lease| self.is_due(lease, now));
                let due: Vec<_> = due.map(|lease| lease.stack).collect();
                let any = !due.is_empty();
                any.then_some(Command::StopAdmission(due))
                    .into_iter()
                    .collect()
            }
            Event::Ready { leases, now } => self.ready(leases, now),
            Event::Taken { stacks } => {
                for stack in stacks {
                    self.resting.remove(stack);
                }
                Vec::new()
            }
            Event::Failed {
                step,
                stacks,
                why,
                at,
            } => self.failed(step, stacks, why, at),
        }
    }

    /// Whether an open lease should be settled now.
    fn is_due(&self, lease: &LeaseView, now: Times) -> bool {
        let sums = &lease.sums;
        let used = u128::from(sums.committed.0) * 1_000;
        let enough = u128::from(sums.terms.units.0) * u128::from(self.rules.nearly_used_permille);
        let at_rest = now.ours.since(sums.last_activity).0 >= self.rules.rest_ms;
        sums.phase == Phase::Open
            && (sums.terms.closing
                || now.ledger >= sums.terms.expires_at
                || (used >= enough && at_rest && sums.reserved.0 == 0))
    }

    fn ready(&mut self, leases: &[LeaseView], now: Times) -> Vec<Command> {
        self.resting
            .retain(|stack, _| leases.iter().any(|lease| lease.stack == *stack));
        let rested = |stack| {
            let resting = self.resting.get(&stack);
            resting.is_none_or(|(until, _)| *until <= now.at)
        };
        let ready = |step| {
            let leases = leases.iter();
            let leases = leases.filter(|lease| rested(lease.stack));
            let leases = leases.filter(|lease| next_step(lease, now.ledger) == Some(step));
            leases.map(|lease| lease.stack).collect::<Vec<_>>()
        };
        let mut commands = Vec::new();
        for step in [Step::Settle, Step::Claim] {
            commands.extend(ready(step).chunks(MAX_BATCH).map(|stacks| Command::Submit {
                step,
                stacks: stacks.to_vec(),
            }));
        }
        commands
    }

    fn failed(
        &mut self,
        step: Step,
        stacks: &[StackId],
        why: Failure,
        at: Instant,
    ) -> Vec<Command> {
        if why != Failure::Unreachable && stacks.len() > 1 {
            let alone = |stack: &StackId| Command::Submit {
                step,
                stacks: vec![*stack],
            };
            return stacks.iter().map(alone).collect();
        }
        for stack in stacks {
            let fresh = (at, Backoff::new(FIRST_PAUSE, LONGEST_PAUSE));
            let (until, backoff) = self.resting.entry(*stack).or_insert(fresh);
            *until = at + backoff.failed();
        }
        match why {
            Failure::Unreachable => {
                self.pinged = None;
                Vec::new()
            }
            Failure::TooEarly => Vec::new(),
            // after a crash the ledger may know more than we do
            Failure::Refused => stacks.iter().copied().map(Command::Reread).collect(),
        }
    }
}

/// What a lease is ready for at the ledger's time `now`.
fn next_step(lease: &LeaseView, now: TimestampMs) -> Option<Step> {
    let sums = &lease.sums;
    match sums.phase {
        Phase::Settling => {
            let grace = lease.settle_grace.0;
            let last_call = grace - LAST_CALL_MS.min(grace / 4);
            let urgent = now.since(sums.terms.expires_at).0 >= last_call;
            (sums.reserved.0 == 0 || urgent).then_some(Step::Settle)
        }
        Phase::Settled { claimable_at } => (claimable_at <= now).then_some(Step::Claim),
        Phase::Open | Phase::Closed => None,
    }
}

#[cfg(test)]
#[path = "step_test.rs"]
mod tests;
