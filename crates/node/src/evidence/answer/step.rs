//! Which demands for records are open, and when they are tried again. Pure: what happens comes in
//! as an event, what is to be done goes out as commands; [`super`] carries them out.

use crate::backoff::Backoff;
use atoma_types::{StackId, TimestampMs};
use std::{collections::BTreeMap, time::Duration};

/// After a failure the demands rest so long, doubling: answer windows are minutes to hours.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A demand for the record of one receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    pub stack: StackId,
    /// The receipt's place in its lease, from 1.
    pub seq: u64,
    /// The last moment to answer, by the ledger's clock.
    pub until: TimestampMs,
}

/// The demands that aren't answered yet.
#[derive(Debug)]
pub(super) struct Answerer {
    open: BTreeMap<(StackId, u64), TimestampMs>,
    backoff: Backoff,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// One was heard, perhaps again.
    Heard(Demand),
    /// All that are open are to be tried.
    Round,
    /// What became of one.
    Tried(Demand, Outcome),
    /// All were tried.
    RoundOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The ledger has the answer.
    Answered,
    /// The ledger knows of no such demand any more.
    Over,
    /// Its time is over.
    TooLate,
    /// It could not be answered yet.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Try to answer.
    Try(Demand),
    /// Begin the next round after this long, or when a demand is heard; with `None` only then.
    Rest(Option<Duration>),
}

impl Answerer {
    pub(super) fn new() -> Self {
        Self {
            open: BTreeMap::new(),
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
        }
    }

    /// What is to be done now that `event` has happened.
    pub(super) fn step(&mut self, event: Event) -> Vec<Command> {
        match event {
            Event::Heard(Demand { stack, seq, until }) => {
                self.open.insert((stack, seq), until);
                Vec::new()
            }
            Event::Round => {
                let open = self.open.iter();
                open.map(|(&(stack, seq), &until)| Command::Try(Demand { stack, seq, until }))
                    .collect()
            }
            Event::Tried(_, Outcome::Failed) => Vec::new(),
            Event::Tried(demand, Outcome::Answered | Outcome::Over | Outcome::TooLate) => {
                self.open.remove(&(demand.stack, demand.seq));
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
    use super::*;
    use atoma_types::Address;

    fn demand(seq: u64) -> Demand {
        Demand {
            stack: StackId(Address::new([1; 32])),
            seq,
            until: TimestampMs(100),
        }
    }

    #[test]
    fn what_fails_is_tried_again_after_longer_pauses_and_what_ends_is_not() {
        let mut answerer = Answerer::new();
        for seq in [3, 1, 3, 2] {
            assert_eq!(answerer.step(Event::Heard(demand(seq))), []);
        }
        let all = [1, 2, 3].map(|seq| Command::Try(demand(seq)));
        assert_eq!(answerer.step(Event::Round), all, "each once");
        answerer.step(Event::Tried(demand(1), Outcome::Answered));
        answerer.step(Event::Tried(demand(2), Outcome::Failed));
        answerer.step(Event::Tried(demand(3), Outcome::Over));
        let rest = |millis| [Command::Rest(Some(Duration::from_millis(millis)))];
        assert_eq!(answerer.step(Event::RoundOver), rest(500));
        assert_eq!(answerer.step(Event::Round), [Command::Try(demand(2))]);
        answerer.step(Event::Tried(demand(2), Outcome::Failed));
        assert_eq!(answerer.step(Event::RoundOver), rest(1_000));
        answerer.step(Event::Tried(demand(2), Outcome::TooLate));
        assert_eq!(answerer.step(Event::RoundOver), [Command::Rest(None)]);
        answerer.step(Event::Heard(demand(4)));
        assert_eq!(
            answerer.step(Event::RoundOver),
            rest(500),
            "pauses begin anew"
        );
    }
}
