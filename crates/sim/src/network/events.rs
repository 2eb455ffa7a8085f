//! What happens when: a queue in the order of time, and of arrival within a moment.

use crate::model::{Ms, NodeIx, StackIx, TicketId};
use std::{cmp::Reverse, collections::BinaryHeap};

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// A customer comes.
    Purchase(u64),
    /// A tester comes.
    Test(u64),
    /// A squatter comes.
    Squat(u64),
    /// A node buys from itself.
    Wash(NodeIx),
    /// An owner buys much.
    Order(u64),
    /// A user asks.
    Request(StackIx),
    /// A node looks whether a lease is idle.
    Idle(StackIx, NodeIx),
    /// A stack has expired.
    Ended(StackIx),
    /// A node looks whether to settle.
    Settle(StackIx, NodeIx),
    /// A lease is over.
    Expire(StackIx, NodeIx),
    /// A ticket may be paid.
    Claim(TicketId),
    /// An examiner is drawn.
    Examine(TicketId),
    /// The node shows the record.
    Disclose(TicketId),
    /// It should have.
    Undisclosed(TicketId),
    /// The examiner speaks.
    Verdict(TicketId),
    /// A jury is drawn, of a challenge or of an examination.
    Jury(TicketId, bool),
    /// It is shown the record.
    DiscloseJury(TicketId, bool),
    /// Its jurors commit to their verdicts.
    Commit(TicketId, bool),
    /// Its jurors reveal their verdicts.
    Reveal(TicketId, bool),
    /// It is counted.
    Decide(TicketId, bool),
    /// An owner accuses.
    Accuse(TicketId),
    /// A user demands.
    Demand(TicketId),
    /// The node answers.
    Answer(TicketId, u64),
    /// It should have.
    Silence(TicketId, u64),
    /// A jail is over.
    Back(NodeIx),
    /// A day begins.
    Morning(u64),
    /// Its second half does.
    Afternoon(u64),
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<(Ms, u64, Event)>>,
    count: u64,
}

impl Queue {
    pub(super) fn push(&mut self, at: Ms, event: Event) {
        self.count += 1;
        self.heap.push(Reverse((at, self.count, event)));
    }

    pub(super) fn next(&mut self) -> Option<(Ms, Event)> {
        let Reverse((at, _, event)) = self.heap.pop()?;
        Some((at, event))
    }
}
