//! Following the ledger's events into memory. The cursor becomes durable in the same commit as
//! what the event changed, so after a crash no event is lost, and one that comes again changes
//! nothing.
//!
//! It ends with the node alone, whatever the ledger refuses. Where the ledger has forgotten the place of the last event,
//! every lease is read: what happened meanwhile is in the stacks.

use super::{keeper::LeaseKeeper, link::LedgerLink};
use crate::{
    concurrency::ConcurrencyLimit,
    journal::{Ack, Change},
    metrics::Metrics,
};
use atoma_ledger::{Cursor, EventStart, Ledger, LedgerEvent, Listener, Told};
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
/// Events of no concern, and word that there are none, move the durable cursor only this often.
const CURSOR_EVERY: u32 = 256;
/// Stacks remembered as those on which we have no lease any more: an empty journal hears of each again and again.
const MAX_OVER: usize = 65_536;
/// Pause before a stack that couldn't be read is read again.
const REREAD_PAUSE: Duration = Duration::from_millis(500);

/// The events after what the journal has dealt with, if it has dealt with any.
pub(crate) fn resume(ledger: &Ledger, meta: &BTreeMap<String, String>) -> Option<Listener> {
    let cursor: Cursor = meta.get(CURSOR)?.parse().ok()?;
    Some(listen(ledger, EventStart::After(cursor)))
}

/// The events from a start on; if the ledger doesn't have that place any more, from then on.
pub(crate) fn listen(ledger: &Ledger, start: EventStart) -> Listener {
    ledger.listen(start, EventStart::Now)
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

/// What one run remembers.
#[derive(Default)]
struct Run {
    /// Since the durable cursor moved.
    skipped: u32,
    over: BTreeSet<StackId>,
}

impl Follower {
    /// Runs until it is dropped.
    pub(crate) async fn run(self, mut events: Listener) {
        let (mut run, ear) = (Run::default(), self.link.ear());
        while let Some(told) = events.next().await {
            match told {
                Told::Frame(frame) => {
                    ear.heard();
                    match frame.event {
                        Some(event) => self.hear(&event, &mut run).await,
                        None => self.skip(&frame.cursor, &mut run).await,
                    }
                }
                Told::Failed(error) => {
                    self.metrics.ledger_errors.inc();
                    tracing::warn!(error = %WithCauses(&error), "the ledger's events don't come, or one cannot be read");
                }
                Told::Lost => self.read_all(&mut run).await,
            }
        }
    }

    async fn hear(&self, event: &LedgerEvent, run: &mut Run) {
        let cursor = Change::Meta(CURSOR, event.cursor.to_string());
        let heard = self.keeper.hear(&event.event, vec![cursor.clone()]);
        if heard.moved {
            self.check_place().await;
        }
        let reread = heard.reread.filter(|stack| !run.over.contains(stack));
        if let Some(stack) = reread {
            if !self.reread(stack).await && run.over.len() < MAX_OVER {
                run.over.insert(stack);
            }
            self.durable(self.keeper.journal.change(vec![cursor])).await;
        } else if heard.changed {
            if let Some(ack) = heard.ack {
                self.durable(ack).await;
            }
        } else {
            self.skip(&event.cursor, run).await;
        }
    }

    /// Nothing that concerns us happened up to a place.
    async fn skip(&self, place: &Cursor, run: &mut Run) {
        run.skipped = run.skipped.wrapping_add(1);
        if run.skipped.is_multiple_of(CURSOR_EVERY) {
            let cursor = Change::Meta(CURSOR, place.to_string());
            self.durable(self.keeper.journal.change(vec![cursor])).await;
        }
    }

    /// One event at a time is durable before the next; leases come seldom.
    async fn durable(&self, ack: Ack) {
        if let Err(error) = ack.durable().await {
            tracing::error!(error = %WithCauses(&error), "an event could not be made durable");
        }
    }

    /// Events were missed: whatever they told is in the stacks, and in our node's object.
    async fn read_all(&self, run: &mut Run) {
        tracing::error!(
            "the ledger has forgotten the place of the last event that was heard: every lease is read, for what was missed"
        );
        self.check_place().await;
        for lease in self.keeper.leases.all() {
            // nobody listens where no evidence is kept
            let _ = self.keeper.signals.duties.send(lease.stack);
            let now = self.link.ledger.clock().await;
            if self.reread(lease.stack).await
                && let (Some(read), Ok(now)) = (lease.on_ledger(), now)
            {
                self.keeper.adopt_unheard(&read, now);
            }
        }
        // the next place that comes is a good one
        run.skipped = u32::MAX;
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
                    tracing::warn!(error = %WithCauses(&error), %stack, "cannot read a stack with a lease");
                    return true;
                }
            }
        }
    }
}
