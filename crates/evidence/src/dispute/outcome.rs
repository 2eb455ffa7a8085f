//! What the ledger says came of a step.

use atoma_ledger::Executed;
use atoma_types::chain::{
    Event,
    events::{DisputeAnswered, DisputeOpened, NodeConvicted},
};

/// An executed transaction about a dispute, and what it brought about.
#[derive(Clone, Debug, PartialEq)]
pub struct DisputeOutcome {
    /// The digest of the transaction, as Sui writes it.
    pub transaction: String,
    /// What happened, in order.
    pub events: Vec<DisputeEvent>,
}

/// Something that happened to a dispute.
#[derive(Clone, Debug, PartialEq)]
pub enum DisputeEvent {
    /// A record is demanded.
    Opened(DisputeOpened),
    /// It was shown; the bond is the node's.
    Answered(DisputeAnswered),
    /// The node is convicted and punished.
    Convicted(NodeConvicted),
}

impl DisputeOutcome {
    pub(super) fn of(executed: &Executed) -> Self {
        let events = executed.events.iter().filter_map(|event| match event {
            Event::DisputeOpened(event) => Some(DisputeEvent::Opened(event.clone())),
            Event::DisputeAnswered(event) => Some(DisputeEvent::Answered(event.clone())),
            Event::NodeConvicted(event) => Some(DisputeEvent::Convicted(event.clone())),
            _ => None,
        });
        Self {
            transaction: executed.digest.to_string(),
            events: events.collect(),
        }
    }
}
