//! What the ledger says came of a step.

use atoma_ledger::Executed;
use atoma_types::chain::{
    Event,
    events::{Challenged, DemandAnswered, NodeConvicted, RecordDemanded},
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
    Demanded(RecordDemanded),
    /// It was shown; the fee is the node's.
    Answered(DemandAnswered),
    /// A ticket is challenged; a jury will be drawn.
    Challenged(Challenged),
    /// The node is convicted and punished.
    Convicted(NodeConvicted),
}

impl DisputeOutcome {
    pub(super) fn of(executed: &Executed) -> Self {
        let events = executed.events.iter().filter_map(|event| match event {
            Event::RecordDemanded(event) => Some(DisputeEvent::Demanded(event.clone())),
            Event::Challenged(event) => Some(DisputeEvent::Challenged(event.clone())),
            Event::DemandAnswered(event) => Some(DisputeEvent::Answered(event.clone())),
            Event::NodeConvicted(event) => Some(DisputeEvent::Convicted(event.clone())),
            _ => None,
        });
        Self {
            transaction: executed.digest.to_string(),
            events: events.collect(),
        }
    }
}
