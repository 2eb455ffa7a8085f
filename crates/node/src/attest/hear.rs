//! What an attester hears of the ledger. It ends with the node alone, whatever the ledger refuses.

use super::{
    AttestTask, Running,
    step::{Command, Event, Note},
};
use atoma_ledger::{Cursor, LedgerEvent, Listener, Told};
use atoma_runtime::WithCauses;
use futures::{FutureExt, StreamExt};

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
        let (mut notes, mut cursor) = (Vec::new(), None::<Cursor>);
        let mut next = Some(first);
        let (mut heard, mut happened) = (0, false);
        while let Some(told) = next.take() {
            match told {
                Told::Frame(frame) => {
                    running.ear.heard();
                    if let Some(event) = frame.event {
                        notes.extend(running.noted(&event));
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
            self.keep(notes, cursor).await;
        }
        happened || heard >= MOST_AT_ONCE
    }
}

impl Running {
    /// What must be durable of an event.
    fn noted(&mut self, event: &LedgerEvent) -> Vec<Note> {
        let mut notes = Vec::new();
        for command in self.attester.step(Event::Heard(event)) {
            if let Command::Keep(note) = command {
                notes.push(note);
            }
        }
        notes
    }
}
