//! What has happened to the tickets of a stack, as the ledger's events tell it: how demands, examinations and
//! challenges ended can't be seen in the stack any more. And which leases a node has: no object lists them.

use super::Brought;
use atoma_ledger::{EventStart, Ledger, LedgerEvent, TipError};
use atoma_types::{NodeId, StackId, chain::Event};
use futures::{StreamExt, future::BoxFuture};
use std::{collections::BTreeSet, time::Duration};

/// The events are read from the ledger's beginning, for so long at most.
const SEARCH: Duration = Duration::from_secs(30);

/// Events of the ledger about one thing.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Those that were found, in the ledger's order.
    pub events: Vec<LedgerEvent>,
    /// Whether the ledger's history was looked through to its end; a long one isn't.
    pub complete: bool,
}

impl History {
    /// Reads the history of a stack.
    ///
    /// # Errors
    /// If the ledger can't be asked.
    pub fn of(ledger: &Ledger, stack: StackId) -> BoxFuture<'_, Result<Self, TipError>> {
        Self::of_all(ledger, [stack].into())
    }

    /// Reads the history of several stacks, which takes no longer than that of one.
    ///
    /// # Errors
    /// If the ledger can't be asked.
    pub fn of_all(
        ledger: &Ledger,
        stacks: BTreeSet<StackId>,
    ) -> BoxFuture<'_, Result<Self, TipError>> {
        let ours = move |event: &Event| lease_of(event).is_some_and(|(of, _)| stacks.contains(&of));
        Box::pin(read(ledger, ours))
    }

    /// The demands and challenges among it, and how each ended.
    #[must_use]
    pub fn brought(&self) -> Vec<Brought> {
        let events = self.events.iter();
        Brought::all_of(events.map(|event| (event.checkpoint, &event.event)))
    }

    /// Reads which leases a node has taken, and which of them were closed.
    ///
    /// # Errors
    /// If the ledger can't be asked.
    pub fn of_leases(ledger: &Ledger, node: NodeId) -> BoxFuture<'_, Result<Self, TipError>> {
        let ours = move |event: &Event| match event {
            Event::Leased(e) => e.node == node,
            Event::LeaseClosed(e) => e.node == node,
            _ => false,
        };
        Box::pin(read(ledger, ours))
    }

    /// The stacks with leases of the node's that weren't closed, as far as these events tell.
    #[must_use]
    pub fn open_leases(&self) -> Vec<StackId> {
        let mut open = BTreeSet::new();
        for event in &self.events {
            match &event.event {
                Event::Leased(e) => open.insert(e.stack),
                Event::LeaseClosed(e) => open.remove(&e.stack),
                _ => false,
            };
        }
        open.into_iter().collect()
    }
}

async fn read(ledger: &Ledger, ours: impl Fn(&Event) -> bool) -> Result<History, TipError> {
    let tip = ledger.tip().await?.checkpoint;
    let mut frames = ledger.frames(EventStart::Beginning);
    let mut history = History::default();
    let reading = async {
        while let Some(frame) = frames.next().await {
            let frame = frame?;
            let event = frame.event.filter(|event| ours(&event.event));
            history.events.extend(event);
            if frame.covered.is_some_and(|covered| covered >= tip) {
                history.complete = true;
                break;
            }
        }
        Ok(())
    };
    match tokio::time::timeout(SEARCH, reading).await {
        Ok(read) => read.map(|()| history),
        Err(_) => Ok(history),
    }
}

/// The lease that an event about settlements is about.
#[must_use]
pub fn lease_of(event: &Event) -> Option<(StackId, NodeId)> {
    Some(match event {
        Event::SettlementOpened(e) => (e.stack, e.node),
        Event::Claimed(e) => (e.stack, e.node),
        Event::LeaseClosed(e) => (e.stack, e.node),
        Event::RecordDemanded(e) => (e.stack, e.node),
        Event::DemandAnswered(e) => (e.stack, e.node),
        Event::NodeConvicted(e) => (e.stack, e.node),
        Event::TicketDrawn(e) => (e.stack, e.node),
        Event::ExaminerDrawn(e) => (e.stack, e.node),
        Event::Unexamined(e) => (e.stack, e.node),
        Event::Disclosed(e) => (e.stack, e.node),
        Event::VerdictGiven(e) => (e.stack, e.node),
        Event::Challenged(e) => (e.stack, e.node),
        Event::JuryDrawn(e) => (e.stack, e.node),
        Event::DisclosedToJury(e) => (e.stack, e.node),
        Event::Committed(e) => (e.stack, e.node),
        Event::Revealed(e) => (e.stack, e.node),
        Event::JuryDecided(e) => (e.stack, e.node),
        _ => return None,
    })
}

/// The ticket that an event of an examination, a challenge or a jury is about.
#[must_use]
pub fn ticket_of(event: &Event) -> Option<u64> {
    Some(match event {
        Event::SettlementOpened(e) => e.to_seq,
        Event::TicketDrawn(e) => e.ticket,
        Event::ExaminerDrawn(e) => e.ticket,
        Event::Unexamined(e) => e.ticket,
        Event::Disclosed(e) => e.ticket,
        Event::VerdictGiven(e) => e.ticket,
        Event::Challenged(e) => e.ticket,
        Event::JuryDrawn(e) => e.ticket,
        Event::DisclosedToJury(e) => e.ticket,
        Event::Committed(e) => e.ticket,
        Event::Revealed(e) => e.ticket,
        Event::JuryDecided(e) => e.ticket,
        _ => return None,
    })
}
