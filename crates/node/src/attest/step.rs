//! What an attester does next. Pure: what happens comes in as an event, what is to be done goes out as commands, which
//! [`super`] carries out in their order.
//!
//! * The ledger's events say which stacks to look at, and what was shown to whom; a stack's object says all the rest.
//! * A record that is ours to look at is looked at in the background. What was found is made durable, for a juror with
//!   its salt, before the ledger hears any of it: after a crash the same is said again, and a commitment can be revealed.
//! * Without a finding nothing is said: an attester that couldn't compute is silent, which costs its fee and its place.
//!   What Walrus doesn't have is asked for until a quarter of the time is left, and then counts as withheld.
//! * What anyone may do is done if nobody has done it for a while, each attester's while being another: nine of them
//!   would pay for nine transactions of which one counts.

use super::{
    duty::{
        Claimed, Disclosure, Duty, Seat, TicketId, Turn, What, next_deadline, seats_in, turns_in,
    },
    judge::{Judged, WITHHELD},
};
use crate::backoff::Backoff;
use atoma_ledger::{LedgerEvent, due_of_lease};
use atoma_types::{
    DurationMs, NodeId, PublicKey, StackId, TimestampMs,
    chain::{Call, Event as Happened, Stack, Verdict},
    hash::Hash32,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// After a failure a stack or a record rests so long, doubling: windows are hours.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Whoever is paid for a step is left a part of the time for it: an eighth of the spread.
const HEAD_START: u64 = 8;

/// The times that matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The ledger's, which deadlines go by.
    pub ledger: TimestampMs,
    /// By the clock that pauses are measured on.
    pub at: Instant,
}

/// A finding that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub verdict: Verdict,
    /// A juror's, without which it can't reveal.
    pub salt: Hash32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event<'a> {
    /// The ledger has told something.
    Heard(&'a LedgerEvent),
    /// All that came was heard: it is time to look.
    Round(Now),
    /// A stack as it is, of a task that is attested here.
    Looked(&'a Stack, Now),
    /// A stack isn't to be watched: of another task, or not examined.
    NotOurs(StackId),
    /// A record was looked at; `salt` is fresh.
    Judged {
        duty: Duty,
        judged: Judged,
        salt: Hash32,
        now: Now,
    },
    /// What came of an act.
    Acted {
        stack: StackId,
        taken: bool,
        now: Now,
    },
}

/// What must be durable before anything that follows from it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// A stack that has tickets.
    Watched(StackId),
    /// What was shown to whom.
    Shown(Duty, Disclosure),
    /// What we found.
    Found(Duty, Sealed),
    /// A response key that a node has or had.
    Key(NodeId, PublicKey),
    /// A stack that is over: all about it goes.
    Forgotten(StackId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Make it durable.
    Keep(Note),
    /// Read a stack.
    Look(StackId),
    /// Look at a record, in the background.
    Judge(Box<Summons>),
    /// Take it to the ledger.
    Act(Act),
}

/// A record to be looked at, and what was shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summons {
    pub duty: Duty,
    pub claimed: Claimed,
    /// What was shown to us, and to the others of a jury.
    pub disclosure: Disclosure,
    /// What was shown to the examiner before, where its jury sits.
    pub examined: Option<Disclosure>,
    /// From when on paying requests are waited for no more.
    pub urgent_from: TimestampMs,
    /// From when on what Walrus doesn't have counts as withheld.
    pub last_call: TimestampMs,
}

/// What goes to the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The examiner's word.
    Say { ticket: TicketId, bad: bool },
    /// A juror's commitment.
    Commit { duty: Duty, sealed: Sealed },
    /// What it committed to.
    Reveal { duty: Duty, sealed: Sealed },
    /// What anyone may do.
    Anyone { stack: StackId, call: Call },
}

/// The attester's memory.
#[derive(Debug)]
pub(crate) struct Attester {
    us: NodeId,
    /// What anyone may do is done after a part of this.
    spread: DurationMs,
    stacks: BTreeMap<StackId, Watched>,
    shown: BTreeMap<Duty, Disclosure>,
    found: BTreeMap<Duty, Sealed>,
    judging: BTreeSet<Duty>,
    resting: BTreeMap<Duty, (Instant, Backoff)>,
}

/// A stack that has tickets, or may have.
#[derive(Debug)]
struct Watched {
    /// Something has happened since it was read.
    changed: bool,
    /// When something may be due by then.
    next: Option<TimestampMs>,
    /// What anyone may do, and when it was first seen.
    due: Vec<(Call, TimestampMs)>,
    /// Not before, after a failure.
    rests: Option<Instant>,
    backoff: Backoff,
    /// Seats of ours.
    seats: usize,
}

/// What was durable when the node started.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub watched: Vec<StackId>,
    pub shown: Vec<(Duty, Disclosure)>,
    pub found: Vec<(Duty, Sealed)>,
}

impl Attester {
    pub(crate) fn new(us: NodeId, spread: DurationMs, kept: Kept) -> Self {
        let stacks = kept.watched.into_iter();
        Self {
            us,
            spread,
            stacks: stacks.map(|stack| (stack, Watched::new())).collect(),
            shown: kept.shown.into_iter().collect(),
            found: kept.found.into_iter().collect(),
            judging: BTreeSet::new(),
            resting: BTreeMap::new(),
        }
    }

    /// Seats of ours, our turn or not.
    pub(crate) fn seats(&self) -> usize {
        self.stacks.values().map(|stack| stack.seats).sum()
    }

    /// What is to be done now that `event` has happened.
    pub(crate) fn step(&mut self, event: Event<'_>) -> Vec<Command> {
        match event {
            Event::Heard(event) => self.hear(event),
            Event::Round(now) => self.round(now),
            Event::Looked(stack, now) => self.looked(stack, now),
            Event::NotOurs(stack) => self.forget(stack),
            Event::Judged {
                duty,
                judged,
                salt,
                now,
            } => self.judged(duty, judged, salt, now),
            Event::Acted { stack, taken, now } => {
                if let Some(watched) = self.stacks.get_mut(&stack) {
                    watched.acted(taken, now);
                }
                Vec::new()
            }
        }
    }

    fn hear(&mut self, event: &LedgerEvent) -> Vec<Command> {
        let disclosed = |shown: &[Vec<u8>]| Disclosure {
            transaction: event.transaction,
            shown: shown.to_vec(),
        };
        match &event.event {
            Happened::NodeRegistered(e) => vec![keep(Note::Key(e.node, e.response_key))],
            Happened::NodeKeysChanged(e) => vec![keep(Note::Key(e.node, e.response_key))],
            Happened::SettlementOpened(e) if e.node != self.us => self.watch(e.stack),
            Happened::Disclosed(e) => {
                let ticket = ticket_id(e.stack, e.node, e.ticket);
                let seat = Seat::Examiner;
                let shown = disclosed(std::slice::from_ref(&e.wrap));
                self.was_shown(Duty { ticket, seat }, shown)
            }
            Happened::DisclosedToJury(e) => {
                let ticket = ticket_id(e.stack, e.node, e.ticket);
                let seat = match e.challenge {
                    true => Seat::ChallengeJuror,
                    false => Seat::Juror,
                };
                self.was_shown(Duty { ticket, seat }, disclosed(&e.wraps))
            }
            other => {
                let stack = stack_of(other).and_then(|stack| self.stacks.get_mut(&stack));
                if let Some(watched) = stack {
                    watched.changed = true;
                }
                Vec::new()
            }
        }
    }

    fn watch(&mut self, stack: StackId) -> Vec<Command> {
        if let Some(watched) = self.stacks.get_mut(&stack) {
            watched.changed = true;
            return Vec::new();
        }
        self.stacks.insert(stack, Watched::new());
        vec![keep(Note::Watched(stack))]
    }

    fn was_shown(&mut self, duty: Duty, disclosure: Disclosure) -> Vec<Command> {
        let Some(watched) = self.stacks.get_mut(&duty.ticket.stack) else {
            return Vec::new();
        };
        watched.changed = true;
        self.shown.insert(duty, disclosure.clone());
        vec![keep(Note::Shown(duty, disclosure))]
    }

    fn forget(&mut self, stack: StackId) -> Vec<Command> {
        if self.stacks.remove(&stack).is_none() {
            return Vec::new();
        }
        let stays = |duty: &Duty| duty.ticket.stack != stack;
        self.shown.retain(|duty, _| stays(duty));
        self.found.retain(|duty, _| stays(duty));
        self.resting.retain(|duty, _| stays(duty));
        self.judging.retain(stays);
        vec![keep(Note::Forgotten(stack))]
    }

    fn round(&mut self, now: Now) -> Vec<Command> {
        for (duty, (until, _)) in &self.resting {
            // the record is looked at again
            if *until <= now.at
                && let Some(watched) = self.stacks.get_mut(&duty.ticket.stack)
                && !self.judging.contains(duty)
            {
                watched.changed = true;
            }
        }
        let due = self.stacks.iter().filter(|(_, stack)| stack.is_due(now));
        due.map(|(stack, _)| Command::Look(*stack)).collect()
    }

    fn looked(&mut self, stack: &Stack, now: Now) -> Vec<Command> {
        let mut leases = stack.leases.iter();
        if leases.all(|lease| lease.closed || lease.tickets.is_empty()) {
            return self.forget(stack.id);
        }
        let mut commands = Vec::new();
        for turn in turns_in(self.us, stack, now.ledger) {
            commands.extend(self.turn(stack, turn, now));
        }
        let (us, spread) = (self.us, self.spread);
        let Some(watched) = self.stacks.get_mut(&stack.id) else {
            // it was forgotten meanwhile
            return Vec::new();
        };
        watched.changed = false;
        watched.seats = seats_in(us, stack);
        if commands.is_empty()
            && let Some(call) = watched.overdue(us, spread, stack, now.ledger)
        {
            commands.push(Command::Act(Act::Anyone {
                stack: stack.id,
                call,
            }));
        }
        watched.next = watched.next_look(us, spread, stack, now.ledger);
        commands
    }

    /// Our turn.
    fn turn(&mut self, stack: &Stack, turn: Turn, now: Now) -> Option<Command> {
        let duty = turn.duty;
        let found = self.found.get(&duty).copied();
        let claimed = match (turn.what, found) {
            (What::Reveal, Some(sealed)) => {
                return Some(Command::Act(Act::Reveal { duty, sealed }));
            }
            // another file of ours committed to it, and is lost
            (What::Reveal, None) => return None,
            (What::Judge(_), Some(sealed)) => return Some(Command::Act(Act::of(duty, sealed))),
            (What::Judge(claimed), None) => *claimed,
        };
        let rests = self.resting.get(&duty);
        if self.judging.contains(&duty) || rests.is_some_and(|(until, _)| *until > now.at) {
            return None;
        }
        // what isn't heard yet comes with its event
        let disclosure = self.shown.get(&duty)?.clone();
        let window = stack.terms.sampling.as_ref()?.verdict_window_ms;
        self.judging.insert(duty);
        let examiner = Duty {
            seat: Seat::Examiner,
            ..duty
        };
        let examined = claimed.examiner.and(self.shown.get(&examiner)).cloned();
        Some(Command::Judge(Box::new(Summons {
            duty,
            claimed,
            disclosure,
            examined,
            urgent_from: part_before(turn.until, window, 2),
            last_call: part_before(turn.until, window, 4),
        })))
    }

    fn judged(&mut self, duty: Duty, judged: Judged, salt: Hash32, now: Now) -> Vec<Command> {
        if !self.judging.remove(&duty) {
            return Vec::new();
        }
        let verdict = match judged {
            Judged::Found(verdict) => verdict,
            Judged::Missing { last_call } if now.ledger >= last_call => WITHHELD,
            Judged::Missing { .. } | Judged::Unknown => {
                let new = || (now.at, Backoff::new(FIRST_PAUSE, LONGEST_PAUSE));
                let (until, backoff) = self.resting.entry(duty).or_insert_with(new);
                *until = now.at + backoff.failed();
                return Vec::new();
            }
        };
        self.resting.remove(&duty);
        let sealed = Sealed { verdict, salt };
        self.found.insert(duty, sealed);
        vec![
            keep(Note::Found(duty, sealed)),
            Command::Act(Act::of(duty, sealed)),
        ]
    }
}

impl Act {
    /// How a finding is said first.
    fn of(duty: Duty, sealed: Sealed) -> Self {
        match duty.seat {
            Seat::Examiner => Self::Say {
                ticket: duty.ticket,
                bad: sealed.verdict.is_bad(),
            },
            Seat::Juror | Seat::ChallengeJuror => Self::Commit { duty, sealed },
        }
    }

    /// The stack that it is about.
    pub(crate) fn stack(&self) -> StackId {
        match self {
            Self::Say { ticket, .. } => ticket.stack,
            Self::Commit { duty, .. } | Self::Reveal { duty, .. } => duty.ticket.stack,
            Self::Anyone { stack, .. } => *stack,
        }
    }
}

impl Watched {
    fn new() -> Self {
        Self {
            changed: true,
            next: None,
            due: Vec::new(),
            rests: None,
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
            seats: 0,
        }
    }

    fn is_due(&self, now: Now) -> bool {
        let rests = self.rests.is_some_and(|until| until > now.at);
        !rests && (self.changed || self.next.is_some_and(|next| next <= now.ledger))
    }

    fn acted(&mut self, taken: bool, now: Now) {
        self.changed = true;
        if taken {
            self.backoff.succeeded();
            self.rests = None;
        } else {
            self.rests = Some(now.at + self.backoff.failed());
        }
    }

    /// What anyone may do and nobody has done for a while; each attester waits for another while.
    fn overdue(
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

    fn next_look(
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
fn patience(us: NodeId, spread: DurationMs, stack: StackId, call: &Call) -> DurationMs {
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

/// The moment at which only one part in so many of a window is left.
fn part_before(until: TimestampMs, window: DurationMs, parts: u64) -> TimestampMs {
    TimestampMs(until.0.saturating_sub(window.0 / parts))
}

fn keep(note: Note) -> Command {
    Command::Keep(note)
}

fn ticket_id(stack: StackId, holder: NodeId, to_seq: u64) -> TicketId {
    TicketId {
        stack,
        holder,
        to_seq,
    }
}

/// The stack whose tickets an event is about.
fn stack_of(event: &Happened) -> Option<StackId> {
    match event {
        Happened::SettlementOpened(e) => Some(e.stack),
        Happened::Claimed(e) => Some(e.stack),
        Happened::LeaseClosed(e) => Some(e.stack),
        Happened::RecordDemanded(e) => Some(e.stack),
        Happened::DemandAnswered(e) => Some(e.stack),
        Happened::NodeConvicted(e) => Some(e.stack),
        Happened::TicketDrawn(e) => Some(e.stack),
        Happened::ExaminerDrawn(e) => Some(e.stack),
        Happened::Unexamined(e) => Some(e.stack),
        Happened::VerdictGiven(e) => Some(e.stack),
        Happened::Challenged(e) => Some(e.stack),
        Happened::JuryDrawn(e) => Some(e.stack),
        Happened::Committed(e) => Some(e.stack),
        Happened::Revealed(e) => Some(e.stack),
        Happened::JuryDecided(e) => Some(e.stack),
        _ => None,
    }
}

#[cfg(test)]
#[path = "step_test.rs"]
mod tests;
