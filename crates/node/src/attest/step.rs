//! What an attester does next. Pure: what happens comes in as an event, what is to be done goes out as commands, which
//! [`super`] carries out in their order.
//!
//! * The ledger's events say which stacks to look at, and what was shown to whom; a stack's object says all the rest.
//! * A record that is ours to look at is looked at in the background. What was found is made durable, for a juror with
//!   its salt, before the ledger hears any of it: after a crash the same is said again, and a commitment can be revealed.
//! * Without a finding nothing is said: an attester that couldn't compute is silent, which costs its fee and its place.
//!   What Walrus doesn't give is asked for until the time is over; whether it is withheld the ledger says alone.
//! * What anyone may do is done if nobody has done it for a while, each attester's while being another: nine of them
//!   would pay for nine transactions of which one counts.

use super::{
    duty::{Claimed, Disclosure, Drawn, Duty, Seat, TicketId, Turn, What, seats_in, turns_in},
    judge::{Judged, WITHHELD},
    watched::{FIRST_PAUSE, LONGEST_PAUSE, Now, Watched},
};
use atoma_ledger::LedgerEvent;
use atoma_runtime::Backoff;
use atoma_types::{
    DurationMs, NodeId, PublicKey, StackId, TimestampMs,
    chain::{Call, Event as Happened, Lease, Stack, Verdict},
    hash::Hash32,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

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
    /// Something may have happened that is never told.
    Missed,
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
    /// Who was drawn, and the keys that may be wrapped for so far.
    Drawn(Duty, Drawn),
    /// What was shown to whom.
    Shown(Duty, Disclosure),
    /// What we found.
    Found(Duty, Sealed),
    /// The response key that a node has from now on.
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
    /// From when on a transaction that the ledger doesn't have is none.
    pub last_call: TimestampMs,
    /// What is left until the duty's deadline: what isn't found by then is never said.
    pub left: DurationMs,
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
    /// The response keys that nodes have, as far as events have told.
    keys: BTreeMap<NodeId, PublicKey>,
    /// Draws that nothing was shown to yet.
    drawn: BTreeMap<Duty, Drawn>,
    shown: BTreeMap<Duty, Disclosure>,
    found: BTreeMap<Duty, Sealed>,
    /// Records that are looked at, each with the last moment for it.
    judging: BTreeMap<Duty, TimestampMs>,
    /// Those that took until their deadline.
    given_up: BTreeSet<Duty>,
    resting: BTreeMap<Duty, (Instant, Backoff)>,
}

/// What was durable when the node started.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub watched: Vec<StackId>,
    pub keys: Vec<(NodeId, PublicKey)>,
    pub drawn: Vec<(Duty, Drawn)>,
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
            keys: kept.keys.into_iter().collect(),
            drawn: kept.drawn.into_iter().collect(),
            shown: kept.shown.into_iter().collect(),
            found: kept.found.into_iter().collect(),
            judging: BTreeMap::new(),
            given_up: BTreeSet::new(),
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
            Event::Missed => {
                self.stacks.values_mut().for_each(Watched::heard);
                Vec::new()
            }
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
        match &event.event {
            Happened::NodeRegistered(e) => self.has_key(e.node, e.response_key),
            Happened::NodeKeysChanged(e) => self.has_key(e.node, e.response_key),
            Happened::SettlementOpened(e) if e.node != self.us => self.watch(e.stack),
            Happened::ExaminerDrawn(e) => {
                let ticket = ticket_id(e.stack, e.node, e.ticket);
                let seat = Seat::Examiner;
                self.were_drawn(Duty { ticket, seat }, &[e.examiner])
            }
            Happened::JuryDrawn(e) => {
                let ticket = ticket_id(e.stack, e.node, e.ticket);
                let seat = Seat::of_jury(e.challenge);
                self.were_drawn(Duty { ticket, seat }, &e.nodes)
            }
            Happened::Disclosed(e) => {
                let ticket = ticket_id(e.stack, e.node, e.ticket);
                let seat = Seat::Examiner;
                let disclosure = Disclosure {
                    transaction: event.transaction,
                    record: e.record.clone(),
                    shown: vec![e.wrap.clone()],
                    drawn: Drawn::new(),
                };
                self.was_shown(Duty { ticket, seat }, disclosure)
            }
            Happened::DisclosedToJury(e) => {
                let ticket = ticket_id(e.stack, e.node, e.ticket);
                let seat = Seat::of_jury(e.challenge);
                let disclosure = Disclosure {
                    transaction: event.transaction,
                    record: e.record.clone(),
                    shown: e.wraps.clone(),
                    drawn: Drawn::new(),
                };
                self.was_shown(Duty { ticket, seat }, disclosure)
            }
            other => {
                let stack = stack_of(other).and_then(|stack| self.stacks.get_mut(&stack));
                if let Some(watched) = stack {
                    watched.heard();
                }
                Vec::new()
            }
        }
    }

    /// A key is a node's from now on: draws that are open may be answered with it, too.
    fn has_key(&mut self, node: NodeId, key: PublicKey) -> Vec<Command> {
        self.keys.insert(node, key);
        let mut commands = vec![keep(Note::Key(node, key))];
        for (duty, drawn) in &mut self.drawn {
            let mut of_it = drawn.iter_mut().filter(|(drawn, _)| *drawn == node);
            if let Some((_, keys)) = of_it.next()
                && keys.len() <= super::duty::MOST_KEYS
            {
                keys.push(key);
                commands.push(keep(Note::Drawn(*duty, drawn.clone())));
            }
        }
        commands
    }

    fn watch(&mut self, stack: StackId) -> Vec<Command> {
        if let Some(watched) = self.stacks.get_mut(&stack) {
            watched.heard();
            return Vec::new();
        }
        self.stacks.insert(stack, Watched::new());
        vec![keep(Note::Watched(stack))]
    }

    /// A stack that isn't watched, or no more, is: an old read of it may have shown no tickets.
    fn were_drawn(&mut self, duty: Duty, nodes: &[NodeId]) -> Vec<Command> {
        if duty.ticket.holder == self.us {
            return Vec::new();
        }
        let mut commands = self.watch(duty.ticket.stack);
        let key = |node: &NodeId| (*node, self.keys.get(node).copied().into_iter().collect());
        let drawn: Drawn = nodes.iter().map(key).collect();
        self.drawn.insert(duty, drawn.clone());
        commands.push(keep(Note::Drawn(duty, drawn)));
        commands
    }

    fn was_shown(&mut self, duty: Duty, disclosure: Disclosure) -> Vec<Command> {
        if duty.ticket.holder == self.us {
            return Vec::new();
        }
        let mut commands = self.watch(duty.ticket.stack);
        let disclosure = Disclosure {
            drawn: self.drawn.remove(&duty).unwrap_or_default(),
            ..disclosure
        };
        self.shown.insert(duty, disclosure.clone());
        commands.push(keep(Note::Shown(duty, disclosure)));
        commands
    }

    fn forget(&mut self, stack: StackId) -> Vec<Command> {
        if self.stacks.remove(&stack).is_none() {
            return Vec::new();
        }
        let stays = |duty: &Duty| duty.ticket.stack != stack;
        self.drawn.retain(|duty, _| stays(duty));
        self.shown.retain(|duty, _| stays(duty));
        self.found.retain(|duty, _| stays(duty));
        self.resting.retain(|duty, _| stays(duty));
        self.judging.retain(|duty, _| stays(duty));
        self.given_up.retain(stays);
        vec![keep(Note::Forgotten(stack))]
    }

    fn round(&mut self, now: Now) -> Vec<Command> {
        for (duty, (until, _)) in &self.resting {
            // the record is looked at again
            if *until <= now.at
                && let Some(watched) = self.stacks.get_mut(&duty.ticket.stack)
                && !self.judging.contains_key(duty)
            {
                watched.changed = true;
            }
        }
        let due = self.stacks.iter().filter(|(_, stack)| stack.is_due(now));
        due.map(|(stack, _)| Command::Look(*stack)).collect()
    }

    fn looked(&mut self, stack: &Stack, now: Now) -> Vec<Command> {
        let over = |lease: &Lease| lease.closed || lease.tickets.is_empty();
        if stack.leases.iter().all(over) {
            let leases = &stack.leases;
            let closed = !leases.is_empty() && leases.iter().all(|lease| lease.closed);
            let watched = self.stacks.get_mut(&stack.id);
            return match watched.is_some_and(|watched| watched.may_be_old(closed, now)) {
                true => Vec::new(),
                false => self.forget(stack.id),
            };
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
        watched.empty_since = None;
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

    /// What this attester does when a duty of its seat is due; nothing while it is being judged, rests or was given up.
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
        let rests = rests.is_some_and(|(until, _)| *until > now.at);
        if self.judging.contains_key(&duty) || self.given_up.contains(&duty) || rests {
            return None;
        }
        // what isn't heard yet comes with its event
        let disclosure = self.shown.get(&duty)?.clone();
        let window = stack.terms.sampling.as_ref()?.verdict_window_ms;
        self.judging.insert(duty, turn.until);
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
            left: turn.until.since(now.ledger),
        })))
    }

    fn judged(&mut self, duty: Duty, judged: Judged, salt: Hash32, now: Now) -> Vec<Command> {
        let Some(until) = self.judging.remove(&duty) else {
            return Vec::new();
        };
        let verdict = match judged {
            Judged::Found(verdict) => verdict,
            // it would take as long again
            Judged::TooLong => {
                self.given_up.insert(duty);
                return Vec::new();
            }
            Judged::Unheard { last_call } if now.ledger >= last_call => WITHHELD,
            Judged::Unheard { .. } | Judged::Unknown => {
                let new = || (now.at, Backoff::new(FIRST_PAUSE, LONGEST_PAUSE));
                let (rests, backoff) = self.resting.entry(duty).or_insert_with(new);
                // the last try is in the last moment
                let half = Duration::from(until.since(now.ledger)) / 2;
                let mut pause = backoff.failed().min(half.max(FIRST_PAUSE));
                if let Judged::Unheard { last_call } = judged {
                    // all who look do so at that moment
                    pause = pause.min(last_call.since(now.ledger).into());
                }
                *rests = now.at + pause;
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
        Happened::Unexamined(e) => Some(e.stack),
        Happened::VerdictGiven(e) => Some(e.stack),
        Happened::Challenged(e) => Some(e.stack),
        Happened::Committed(e) => Some(e.stack),
        Happened::Revealed(e) => Some(e.stack),
        Happened::JuryDecided(e) => Some(e.stack),
        _ => None,
    }
}

#[cfg(test)]
#[path = "step_test.rs"]
mod tests;
