//! Following the ledger's events into memory. The cursor becomes durable in the same commit as
//! what the event changed, so after a crash no event is lost, and one that comes again changes
//! nothing.

use super::{keeper::LeaseKeeper, link::LedgerLink};
use crate::{concurrency::ConcurrencyLimit, journal::Change, metrics::Metrics};
use atoma_ledger::{Cursor, EventStream, Ledger, LedgerEvent};
use atoma_runtime::WithCauses;
use atoma_types::StackId;
use futures::StreamExt;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Name of the cursor in the journal.
const CURSOR: &str = "event_cursor";
/// Events of no concern move the durable cursor only this often.
const CURSOR_EVERY: u32 = 256;
/// Stacks remembered as those on which we have no lease any more: an empty journal hears of each again and again.
const MAX_OVER: usize = 65_536;
/// Pause before a stack that couldn't be read is read again.
const REREAD_PAUSE: Duration = Duration::from_millis(500);

/// The events after what the journal has dealt with, if it has dealt with any.
pub(crate) fn resume(ledger: &Ledger, meta: &BTreeMap<String, String>) -> Option<EventStream> {
    let cursor: Cursor = meta.get(CURSOR)?.parse().ok()?;
    Some(ledger.events(Some(cursor)))
}

/// Feeds events to the keeper.
#[derive(Debug)]
pub(crate) struct Follower {
    pub keeper: Arc<LeaseKeeper>,
    pub link: Arc<LedgerLink>,
    pub metrics: Arc<Metrics>,
    /// Where we serve.
    pub url: String,
    pub concurrency: Arc<ConcurrencyLimit>,
}

impl Follower {
    /// Runs until it is dropped.
    pub(crate) async fn run(self, mut events: EventStream) {
        let (mut skipped, mut over) = (0, BTreeSet::new());
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => self.hear(&event, &mut skipped, &mut over).await,
                Err(error) => {
                    self.metrics.ledger_errors.inc();
                    tracing::warn!(error = %WithCauses(&error), "an event cannot be read");
                }
            }
        }
        tracing::error!("the ledger's events have ended; leases are read when requests name them");
    }

    async fn hear(&self, event: &LedgerEvent, skipped: &mut u32, over: &mut BTreeSet<StackId>) {
        let cursor = Change::Meta(CURSOR, event.cursor.to_string());
        let heard = self.keeper.hear(&event.event, vec![cursor.clone()]);
        if heard.moved {
            self.check_place().await;
        }
        let journal = &self.keeper.journal;
        let reread = heard.reread.filter(|stack| !over.contains(stack));
        let ack = if let Some(stack) = reread {
            if !self.reread(stack).await && over.len() < MAX_OVER {
                over.insert(stack);
            }
            Some(journal.change(vec![cursor]))
        } else if heard.changed {
            heard.ack
        } else {
            *skipped += 1;
            let often_enough = skipped.is_multiple_of(CURSOR_EVERY);
            often_enough.then(|| journal.change(vec![cursor]))
        };
        // one event at a time is durable before the next; leases come seldom
        if let Some(ack) = ack
            && let Err(error) = ack.durable().await
        {
            tracing::error!(error = %WithCauses(&error), "an event could not be made durable");
        }
    }

    /// Serves nothing more if another process with our keys has moved the node: two would give out
    /// receipts with the same numbers. (What moved it may have been ourselves, at an earlier start.)
    async fn check_place(&self) {
        let Ok(node) = self.link.ledger.node(self.keeper.node).await else {
            return;
        };
        if node.url != self.url {
            let url = &node.url;
            tracing::error!(
                url,
                "another process moved this node: this one serves nothing more"
            );
            self.concurrency.retire();
        }
    }

    /// Reads a stack, however long the ledger can't be reached. False if we have no lease on it any more, for good.
    async fn reread(&self, stack: StackId) -> bool {
        loop {
            match self.link.ledger.stack(stack).await {
                Ok(stack) => {
                    let us = self.keeper.node;
                    self.keeper.adopt(&stack);
                    return stack.lease(us).is_none_or(|lease| !lease.closed);
                }
                Err(error) if error.is_transient() => {
                    self.metrics.ledger_errors.inc();
                    tokio::time::sleep(REREAD_PAUSE).await;
                }
                Err(error) => {
                    tracing::warn!(error = %WithCauses(&error), %stack, "cannot read a topped-up stack");
                    return true;
                }
            }
        }
    }
}
