//! Following the ledger's events into memory. The cursor becomes durable in the same commit as
//! what the event changed, so after a crash no event is lost, and one that comes again changes
//! nothing.

use super::adopt::Heard;
use crate::{journal::Change, shared::Shared};
use atoma_ledger::{Cursor, EventStream, Ledger, LedgerEvent};
use futures::StreamExt;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Name of the cursor in the journal.
const CURSOR: &str = "event_cursor";
/// Events of no concern move the durable cursor only this often.
const CURSOR_EVERY: u32 = 256;
/// Pause before a stack that couldn't be read is read again.
const REREAD_PAUSE: Duration = Duration::from_millis(500);

/// The events after what the journal has dealt with, if it has dealt with any.
pub(crate) fn resume(ledger: &Ledger, meta: &BTreeMap<String, String>) -> Option<EventStream> {
    let cursor: Cursor = meta.get(CURSOR)?.parse().ok()?;
    Some(ledger.events(Some(cursor)))
}

/// Runs until it is dropped.
pub(crate) async fn follow(shared: Arc<Shared>, mut events: EventStream) {
    let mut skipped = 0;
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => hear(&shared, &event, &mut skipped).await,
            Err(error) => {
                shared.metrics.ledger_errors.inc();
                tracing::warn!(%error, "an event cannot be read");
            }
        }
    }
    tracing::error!("the ledger's events have ended; leases are read when requests name them");
}

async fn hear(shared: &Shared, event: &LedgerEvent, skipped: &mut u32) {
    let cursor = Change::Meta(CURSOR, event.cursor.to_string());
    let (heard, ack) = shared.adopt_event(&event.event, vec![cursor.clone()]);
    let ack = match heard {
        Heard::Changed => ack,
        Heard::Reread(stack) => {
            loop {
                match shared.ledger.ledger.stack(stack).await {
                    Ok(stack) => {
                        shared.adopt_stack(&stack);
                        break;
                    }
                    Err(error) if error.is_transient() => {
                        shared.metrics.ledger_errors.inc();
                        tokio::time::sleep(REREAD_PAUSE).await;
                    }
                    Err(error) => {
                        tracing::warn!(%error, %stack, "cannot read a topped-up stack");
                        break;
                    }
                }
            }
            Some(shared.journal.change(vec![cursor]))
        }
        Heard::Nothing => {
            *skipped += 1;
            skipped
                .is_multiple_of(CURSOR_EVERY)
                .then(|| shared.journal.change(vec![cursor]))
        }
    };
    // one event at a time is durable before the next; leases come seldom
    if let Some(ack) = ack
        && let Err(error) = ack.durable().await
    {
        tracing::error!(%error, "an event could not be made durable");
    }
}
