//! What an attester hears of the ledger. It ends with the node alone, whatever the ledger refuses.

use super::{
    AttestTask, Running,
    duty::Duty,
    step::{Command, Event, Note},
};
use atoma_ledger::{Cursor, LedgerEvent, Listener, Told};
use atoma_runtime::WithCauses;
use futures::{FutureExt, StreamExt};
use std::collections::BTreeMap;

/// Heard before anything else is done: a node that starts again has much to catch up with.
const MOST_AT_ONCE: usize = 1_024;
/// Word that nothing has happened moves the durable place only this often.
const PLACE_EVERY: u32 = 256;

impl AttestTask {
    /// Takes in what has come, and makes it durable with its place. False if nothing has happened and nothing more waits.
    pub(super) async fn hear(
        &self,
        running: &mut Running,
        first: Told,
        events: &mut Listener,
    ) -> bool {
        let (mut notes, mut cursor) = (Batch::default(), None::<Cursor>);
        let mut next = Some(first);
        let (mut heard, mut happened) = (0, false);
        while let Some(told) = next.take() {
            match told {
                Told::Frame(frame) => {
                    running.ear.heard();
                    if let Some(event) = frame.event {
                        running.noted(&event).for_each(|note| notes.add(note));
                        cursor = Some(event.cursor);
                        happened = true;
                    } else {
                        running.quiet = running.quiet.wrapping_add(1);
                        let often_enough = running.quiet.is_multiple_of(PLACE_EVERY);
                        cursor = cursor.or(often_enough.then_some(frame.cursor));
                    }
                }
                Told::Failed(error) => {
                    self.metrics.ledger_errors.inc();
                    tracing::warn!(error = %WithCauses(&error), "the ledger's events don't come, or one cannot be read");
                }
                Told::Lost => {
                    tracing::error!(
                        "the ledger has forgotten the place of the last event that was heard: all that is watched is read"
                    );
                    running.attester.step(Event::Missed);
                    happened = true;
                }
            }
            heard += 1;
            if heard < MOST_AT_ONCE {
                next = events.next().now_or_never().flatten();
            }
        }
        if cursor.is_some() {
            self.keep(notes.notes, cursor).await;
        }
        happened || heard >= MOST_AT_ONCE
    }
}

impl Running {
    /// What must be durable of an event.
    fn noted(&mut self, event: &LedgerEvent) -> impl Iterator<Item = Note> + use<> {
        let commands = self.attester.step(Event::Heard(event));
        commands.into_iter().filter_map(|command| match command {
            Command::Keep(note) => Some(note),
            _ => None,
        })
    }
}

/// What must be durable of many events: of each draw, whose keys may change with any of them, the last word alone.
#[derive(Default)]
struct Batch {
    notes: Vec<Note>,
    /// Where the last word of a draw is, as long as nothing was shown to it.
    drawn: BTreeMap<Duty, usize>,
}

impl Batch {
    fn add(&mut self, note: Note) {
        match &note {
            Note::Drawn(duty, _) => {
                let next = self.notes.len();
                let place = *self.drawn.entry(*duty).or_insert(next);
                if let Some(before) = self.notes.get_mut(place) {
                    *before = note;
                    return;
                }
            }
            // it takes the draw's place: a new draw comes behind it
            Note::Shown(duty, _) => {
                self.drawn.remove(duty);
            }
            _ => {}
        }
        self.notes.push(note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attest::{
        duty::{Disclosure, Seat, TicketId},
        store::Memory,
    };
    use atoma_ledger::Digest;
    use atoma_runtime::Threads;
    use atoma_types::{Address, NetworkId, NodeId, PublicKey, StackId};

    #[tokio::test]
    async fn of_each_draw_a_batch_keeps_the_last_word_before_and_after_a_disclosure() {
        let ticket = TicketId {
            stack: StackId(Address::new([1; 32])),
            holder: NodeId(Address::new([2; 32])),
            to_seq: 3,
        };
        let of = |seat| Duty { ticket, seat };
        let (first, second) = (of(Seat::Examiner), of(Seat::Juror));
        let node = NodeId(Address::new([5; 32]));
        let drawn = |keys: u8| {
            let keys = (1..=keys).map(|key| PublicKey([key; 32]));
            vec![(node, keys.collect())]
        };
        let shown = Disclosure {
            transaction: Digest::new([9; 32]),
            record: vec![7],
            shown: vec![vec![1]],
            drawn: drawn(2),
        };
        let mut batch = Batch::default();
        for note in [
            Note::Drawn(first, drawn(1)),
            Note::Drawn(second, drawn(1)),
            Note::Drawn(first, drawn(2)),
            Note::Shown(first, shown.clone()),
            Note::Drawn(second, drawn(3)),
            Note::Drawn(first, drawn(4)),
            Note::Drawn(first, drawn(5)),
        ] {
            batch.add(note);
        }
        let kept = [
            Note::Drawn(first, drawn(2)),
            Note::Drawn(second, drawn(3)),
            Note::Shown(first, shown.clone()),
            Note::Drawn(first, drawn(5)),
        ];
        assert_eq!(batch.notes, kept);

        let folder = tempfile::tempdir().unwrap();
        let open = || Memory::open(folder.path(), NetworkId([1; 32]), Threads::Real).unwrap();
        let (memory, _) = open();
        memory.keep(batch.notes.into(), None).await.unwrap();
        drop(memory);
        let kept = open().1.kept;
        assert_eq!(kept.drawn, [(first, drawn(5)), (second, drawn(3))]);
        assert_eq!(kept.shown, [(first, shown)]);
    }
}
