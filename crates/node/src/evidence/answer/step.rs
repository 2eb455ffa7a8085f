//! Which records must be shown, and when each is tried again. Pure: what happens comes in
//! as an event, what is to be done goes out as commands; [`super`] carries them out.

use super::duty::Duty;
use crate::evidence::read_back::TicketName;
use atoma_runtime::Backoff;
use std::{collections::BTreeSet, time::Duration};

/// After a failure the duties rest so long, doubling: answer windows are hours.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// The duties that aren't done yet.
#[derive(Debug)]
pub(super) struct Answerer {
    open: BTreeSet<Duty>,
    backoff: Backoff,
}

#[derive(Clone, Debug)]
pub(super) enum Event {
    /// One was heard, perhaps again.
    Heard(Duty),
    /// All that are open are to be tried.
    Round,
    /// What became of one.
    Tried(Duty, Outcome),
    /// All were tried.
    RoundOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The ledger has what was to be shown.
    Shown,
    /// The ledger knows of no such duty any more.
    Over,
    /// Its time is over.
    TooLate,
    /// It could not be done yet.
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Try them, several at once.
    Try(Vec<Duty>),
    /// Begin the next round after this long, or when a duty is heard; with `None` only then.
    Rest(Option<Duration>),
}

impl Answerer {
    pub(super) fn new() -> Self {
        Self {
            open: BTreeSet::new(),
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
        }
    }

    /// The tickets of which something is to be shown.
    pub(super) fn tickets(&self) -> BTreeSet<TicketName> {
        let names = self.open.iter();
        names
            .map(|duty| (duty.stack, duty.ticket.last.seq))
            .collect()
    }

    /// What is to be done now that `event` has happened.
    pub(super) fn step(&mut self, event: Event) -> Vec<Command> {
        match event {
            Event::Heard(duty) => {
                self.open.insert(duty);
                Vec::new()
            }
            Event::Round if self.open.is_empty() => Vec::new(),
            // those whose time ends first come first
            Event::Round => {
                let mut open: Vec<_> = self.open.iter().cloned().collect();
                open.sort_by_key(|duty| duty.until);
                vec![Command::Try(open)]
            }
            Event::Tried(_, Outcome::Failed) => Vec::new(),
            Event::Tried(duty, Outcome::Shown | Outcome::Over | Outcome::TooLate) => {
                self.open.remove(&duty);
                Vec::new()
            }
            Event::RoundOver if self.open.is_empty() => {
                self.backoff.succeeded();
                vec![Command::Rest(None)]
            }
            Event::RoundOver => vec![Command::Rest(Some(self.backoff.failed()))],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::duty::{Settled, To},
        *,
    };
    use atoma_types::{
        Address, ComputeUnits, StackId, TimestampMs, hash::Hash32, history::LastReceipt,
    };

    fn duty(unit: u64, until: u64) -> Duty {
        Duty {
            stack: StackId(Address::new([1; 32])),
            unit: ComputeUnits(unit),
            to: To::Owner,
            until: TimestampMs(until),
            ticket: Settled {
                from_seq: 0,
                last: LastReceipt {
                    seq: 9,
                    hash: Hash32::ZERO,
                    base: 0,
                    history: Hash32::ZERO,
                },
                packs: None,
            },
            seq: 0,
        }
    }

    #[test]
    fn what_fails_is_tried_again_after_longer_pauses_and_what_ends_is_not() {
        let mut answerer = Answerer::new();
        let (first, second, third) = (duty(1, 30), duty(2, 20), duty(3, 10));
        for heard in [&third, &first, &third, &second] {
            assert_eq!(answerer.step(Event::Heard(heard.clone())), []);
        }
        let all = vec![third.clone(), second.clone(), first.clone()];
        let round = answerer.step(Event::Round);
        assert_eq!(
            round,
            [Command::Try(all)],
            "each once, the most urgent first"
        );
        answerer.step(Event::Tried(first, Outcome::Shown));
        answerer.step(Event::Tried(second.clone(), Outcome::Failed));
        answerer.step(Event::Tried(third, Outcome::Over));
        let rest = |millis| [Command::Rest(Some(Duration::from_millis(millis)))];
        assert_eq!(answerer.step(Event::RoundOver), rest(500));
        let left = vec![second.clone()];
        assert_eq!(answerer.step(Event::Round), [Command::Try(left)]);
        answerer.step(Event::Tried(second.clone(), Outcome::Failed));
        assert_eq!(answerer.step(Event::RoundOver), rest(1_000));
        answerer.step(Event::Tried(second, Outcome::TooLate));
        assert_eq!(answerer.step(Event::RoundOver), [Command::Rest(None)]);
        assert_eq!(answerer.step(Event::Round), []);
        answerer.step(Event::Heard(duty(4, 1)));
        assert_eq!(
            answerer.step(Event::RoundOver),
            rest(500),
            "pauses begin anew"
        );
    }
}
