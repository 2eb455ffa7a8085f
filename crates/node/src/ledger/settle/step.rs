//! When to settle, give back and claim. Pure: what is known comes in as an event, what is to be done goes
//! out as commands; [`super`] carries them out.
//!
//! Every round each lease is looked at:
//!
//! * not read since the start: its stack is read;
//! * open, and no ticket of it waits: what was served goes to the ledger as it builds up, and the lease goes on;
//! * open and over (closing, or expired): it takes no more requests; this is made durable before anything goes
//!   to the ledger;
//! * open, and with more units than it has use for: these are given back, and the collateral is free for others;
//! * settling and idle, or short before its deadline: its last claim goes to the ledger, for which a place of two
//!   was kept; then what it didn't use is given back, so that its user has the money at once;
//! * tickets: whatever anyone may do for them, once its time has come.
//!
//! Several go in one transaction; if that fails, each goes alone, so that one bad lease holds up no
//! other. A lease that failed alone rests, longer each time.

use super::{usage::Windows, view::LeaseView};
use crate::{
    account::{Back, Phase},
    config::SettlementConfig,
    limits::MAX_TICKETS,
};
use atoma_ledger::due_of_lease;
use atoma_runtime::Backoff;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{ArgKind, Call, Lease, Stack},
};
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
    node: NodeId,
    /// What a grant must add.
    least: MicroUsdc,
    /// What leases have used lately.
    windows: Windows,
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

/// What is taken to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// What was served so far.
    Settle,
    /// Units that are not used, at the end.
    Release,
    /// Units that an open lease has no use for.
    GiveBack,
    /// Payment, and the end.
    Claim,
    /// What an examination waits for; random, so each in a transaction of its own.
    Progress,
}

/// Why the ledger didn't take a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It can't be reached.
    Unreachable,
    /// The window is open, or something that was brought against it.
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
    /// See how the ledger has this lease.
    Reread(StackId),
}

impl Settler {
    pub(crate) fn new(rules: SettlementConfig, node: NodeId, least: MicroUsdc) -> Self {
        Self {
            rules,
            node,
            least,
            windows: Windows::default(),
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

    /// What a lease has no use for.
    pub(crate) fn back(&self, stack: StackId) -> Option<Back> {
        self.windows.back(stack)
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
                stacks.iter().copied().map(Command::Reread).collect()
            }
            Event::Failed {
                step,
                stacks,
                why,
                at,
            } => self.failed(step, stacks, why, at),
        }
    }

    /// Whether an open lease should take no more requests.
    fn is_due(&self, lease: &LeaseView, now: Times) -> bool {
        let sums = &lease.sums;
        sums.phase == Phase::Open && (sums.terms.closing || now.ledger >= sums.terms.expires_at)
    }

    fn ready(&mut self, leases: &[LeaseView], now: Times) -> Vec<Command> {
        self.windows.look(leases, now.ours, &self.rules, self.least);
        self.resting
            .retain(|stack, _| leases.iter().any(|lease| lease.stack == *stack));
        let rested = |stack| {
            let resting = self.resting.get(&stack);
            resting.is_none_or(|(until, _)| *until <= now.at)
        };
        let leases: Vec<_> = leases.iter().filter(|lease| rested(lease.stack)).collect();
        let unread = leases.iter().filter(|lease| lease.on_ledger.is_none());
        let mut commands: Vec<_> = unread.map(|lease| Command::Reread(lease.stack)).collect();
        let ready = |step| {
            let leases = leases.iter();
            let leases = leases.filter(|lease| self.next_step(lease, now) == Some(step));
            leases.map(|lease| lease.stack).collect::<Vec<_>>()
        };
        for step in [
            Step::Settle,
            Step::Release,
            Step::GiveBack,
            Step::Claim,
            Step::Progress,
        ] {
            let batch = if step == Step::Progress { 1 } else { MAX_BATCH };
            commands.extend(ready(step).chunks(batch).map(|stacks| Command::Submit {
                step,
                stacks: stacks.to_vec(),
            }));
        }
        commands
    }

    /// What a lease is ready for.
    fn next_step(&self, lease: &LeaseView, now: Times) -> Option<Step> {
        let stack = lease.on_ledger.as_ref()?;
        let on_ledger = stack.lease(self.node).filter(|lease| !lease.closed)?;
        let sums = &lease.sums;
        if let Some(call) = due(stack, on_ledger, now.ledger) {
            return Some(if is_random(&call) {
                Step::Progress
            } else {
                Step::Claim
            });
        }
        let worth = unclaimed(lease);
        let settles =
            worth >= stack.terms.smallest_ticket() && now.ledger <= stack.settle_deadline();
        match sums.phase {
            Phase::Settling if !is_idle(lease, now.ledger) => None,
            Phase::Settling if settles => {
                (on_ledger.tickets.len() < MAX_TICKETS).then_some(Step::Settle)
            }
            // also what is too small to be claimed: the rest of a lease is its user's
            Phase::Settling => {
                (on_ledger.units > on_ledger.claimed_units()).then_some(Step::Release)
            }
            Phase::Open
                if settles
                    && on_ledger.tickets.is_empty()
                    && self.has_built_up(lease, worth, now.ours) =>
            {
                Some(Step::Settle)
            }
            Phase::Open => {
                let back = sums.giving_back || self.back(lease.stack).is_some();
                back.then_some(Step::GiveBack)
            }
            Phase::Closed => None,
        }
    }

    /// Whether it is worth a transaction to settle a lease that goes on.
    fn has_built_up(&self, lease: &LeaseView, worth: MicroUsdc, now: TimestampMs) -> bool {
        let sums = &lease.sums;
        let used = u128::from(sums.committed.0) * 1_000;
        let nearly = u128::from(sums.terms.units.0) * u128::from(self.rules.nearly_used_permille);
        let rest = now.since(sums.last_activity).0;
        let at_rest = rest >= self.rules.rest_ms && sums.reserved == ComputeUnits::ZERO;
        worth >= self.rules.worth || (used >= nearly && at_rest) || rest >= self.rules.idle_ms
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

/// Whether a lease's last claim can be made: nothing runs, or it can't be waited for any longer.
fn is_idle(lease: &LeaseView, now: TimestampMs) -> bool {
    lease.sums.reserved == ComputeUnits::ZERO || is_urgent(lease, now)
}

/// Whether the end of the time to settle is near.
pub(crate) fn is_urgent(lease: &LeaseView, now: TimestampMs) -> bool {
    let grace = lease.settle_grace.0;
    let last_call = grace - LAST_CALL_MS.min(grace / 4);
    now.since(lease.sums.terms.expires_at).0 >= last_call
}

/// What was served and is neither claimed nor paid.
fn unclaimed(lease: &LeaseView) -> MicroUsdc {
    let cost = |units| lease.price.cost(units).unwrap_or_default();
    let (served, claimed) = (cost(lease.sums.committed), cost(lease.sums.claimed.units));
    MicroUsdc(served.0.saturating_sub(claimed.0))
}

/// What anyone may do for a lease, and its node does.
pub(crate) fn due(stack: &Stack, lease: &Lease, now: TimestampMs) -> Option<Call> {
    let mut due = due_of_lease(stack, lease, now).into_iter();
    // nobody convicts themselves
    due.find(|due| !due.convicts).map(|due| due.call)
}

fn is_random(call: &Call) -> bool {
    let mut args = call.function().args.iter();
    args.any(|(_, kind)| matches!(kind, ArgKind::Random))
}

#[cfg(test)]
#[path = "step_test.rs"]
mod tests;
