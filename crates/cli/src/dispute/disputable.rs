//! Whether a unit can be demanded or challenged now: only what a node has settled and isn't paid for yet can be. The ledger
//! says no more than that it has no such ticket; here is said why, and what to do.

use crate::output::{ELLIPSIS, short, utc};
use atoma_client::dispute::{Claimed, History};
use atoma_ledger::Digest;
use atoma_types::{
    BlobId, ComputeUnits, NodeId, StackId, TimestampMs,
    chain::{Event, Stack},
};

/// Why a unit can't be demanded or challenged now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotDisputable {
    /// The node has claimed nothing of it.
    #[error("the node has not settled unit {} yet: {}", .unit.0, so_far(*.claimed))]
    NotSettled {
        unit: ComputeUnits,
        /// Units of the lease that it has claimed.
        claimed: ComputeUnits,
        stack: StackId,
        /// When the stack ends.
        ends: TimestampMs,
    },
    /// Somebody has demanded it, and the node's time to answer isn't over.
    #[error("unit {} is demanded already: the node has until {}Z to show its record", .unit.0, utc(.until.0))]
    Demanded {
        unit: ComputeUnits,
        until: TimestampMs,
        stack: StackId,
    },
    /// Somebody has demanded it, and the node has shown its record.
    #[error("unit {} was demanded before, and the node has shown its record, number {}", .unit.0, .shown.record)]
    Shown { unit: ComputeUnits, shown: Shown },
    /// The node is paid for it.
    #[error("unit {} is paid: its dispute window is over", .unit.0)]
    Paid { unit: ComputeUnits },
    /// The lease is closed, and the unit was never paid.
    #[error("unit {} is never paid: the lease is closed, and what the node claimed beyond unit {} is void", .unit.0, .paid.0)]
    Void {
        unit: ComputeUnits,
        paid: ComputeUnits,
    },
    /// The node serves nothing on the stack.
    #[error("node {node} has no lease on stack {stack}")]
    NoLease { node: NodeId, stack: StackId },
}

/// A record that a node has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The number of its receipt.
    record: u64,
    /// Where its bodies are stored; absent where they are in the transaction.
    blob: Option<BlobId>,
    transaction: Digest,
}

/// The answer to an earlier demand for a unit, or for another one of the same record, where its number is known.
pub(super) fn shown_before(
    history: &History,
    claimed: &Claimed,
    record: Option<u64>,
) -> Option<NotDisputable> {
    let shown = history.events.iter().find_map(|event| match &event.event {
        Event::DemandAnswered(e) if e.node == claimed.node && e.stack == claimed.stack => {
            let same = e.unit == claimed.unit || Some(e.seq) == record;
            same.then_some(Shown {
                record: e.seq,
                blob: e.blob,
                transaction: event.transaction,
            })
        }
        _ => None,
    })?;
    let unit = claimed.unit;
    Some(NotDisputable::Shown { unit, shown })
}

fn so_far(claimed: ComputeUnits) -> String {
    match claimed {
        ComputeUnits::ZERO => "it has claimed nothing so far".to_owned(),
        claimed => format!("it has claimed {} units so far", claimed.0),
    }
}

/// As much of a stack's id as a command to copy needs.
fn beginning(stack: StackId) -> String {
    short(stack).trim_end_matches(ELLIPSIS).to_owned()
}

impl NotDisputable {
    /// What to do.
    pub(crate) fn help(&self) -> String {
        match self {
            Self::NotSettled { stack, ends, .. } => format!(
                "a node settles when enough has built up, when its stack is closed, and when it ends ({}Z): `atoma stack \
                 close {}` has it settle now, and then there is a window to demand and challenge",
                utc(ends.0),
                beginning(*stack)
            ),
            Self::Demanded { stack, .. } => format!(
                "a second demand would pay a second fee for the same record: `atoma dispute show {}` tells how this one ends",
                beginning(*stack)
            ),
            Self::Shown { shown, .. } => {
                let fee = "another demand would pay another fee for the same record";
                let transaction = shown.transaction;
                match shown.blob {
                    Some(blob) => format!(
                        "{fee}: transaction {transaction} shows it, and its bodies are in blob {blob}: `atoma verify {blob} \
                         --seq {}` checks it",
                        shown.record
                    ),
                    None => format!("{fee}: transaction {transaction} shows it, with its sealed bodies"),
                }
            }
            Self::Paid { .. } => {
                "demand and challenge within the window after a settlement; `atoma stack watch` does so by itself. A devnet's \
                 window is two seconds: `atoma devnet --dispute-window 600` leaves time"
                    .to_owned()
            }
            Self::Void { .. } => "there is nothing to dispute: the node gets nothing for it".to_owned(),
            Self::NoLease { stack, .. } => {
                let stack = beginning(*stack);
                format!("`atoma stack show {stack}` lists the nodes that have one")
            }
        }
    }
}

/// Whether a unit is claimed, not paid, and nobody's demand for it is open.
pub(super) fn check_demand(stack: &Stack, claimed: &Claimed) -> Result<(), NotDisputable> {
    check(stack, claimed)?;
    let lease = stack.lease(claimed.node);
    let mut demands = lease.into_iter().flat_map(|lease| {
        let tickets = lease.tickets.iter();
        tickets.flat_map(|ticket| ticket.demands.iter())
    });
    match demands.find(|demand| demand.unit == claimed.unit) {
        Some(demand) => Err(NotDisputable::Demanded {
            unit: demand.unit,
            until: demand.deadline_ms,
            stack: stack.id,
        }),
        None => Ok(()),
    }
}

/// Whether a unit is claimed and not paid.
pub(super) fn check(stack: &Stack, claimed: &Claimed) -> Result<(), NotDisputable> {
    let unit = claimed.unit;
    let Some(lease) = stack.lease(claimed.node) else {
        return Err(NotDisputable::NoLease {
            node: claimed.node,
            stack: stack.id,
        });
    };
    if lease.tickets.iter().any(|ticket| ticket.claims(unit)) {
        return Ok(());
    }
    if unit < lease.paid_units {
        return Err(NotDisputable::Paid { unit });
    }
    if lease.closed {
        return Err(NotDisputable::Void {
            unit,
            paid: lease.paid_units,
        });
    }
    Err(NotDisputable::NotSettled {
        unit,
        claimed: lease.claimed_units(),
        stack: stack.id,
        ends: stack.expires_at_ms,
    })
}
