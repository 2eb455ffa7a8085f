//! Disputes about what a node has settled: what a user demands, what a node shows, what convicts it.
//!
//! ```text
//! Demand ──── its fee ──> open ──┬── Answer: the unit's record, in time ──> the fee is the node's
//!                                └── Silence: nothing was shown ──────────> the node is convicted
//! Equivocation ─────────────────── two receipts for one request ─────────> the node is convicted at once
//! Challenge ──── a bond ──> a jury of attesters looks at a unit's record and decides
//! ```
//!
//! A [`Dispute`] says what is to be done, [`Dispute::call`] makes the ledger's call of it and
//! [`Dispute::submit`] executes that. The rules are the contract's; nothing is decided here.

mod brought;
mod history;
mod outcome;
mod settled_record;

pub use brought::{Brought, End, Matter};
pub use history::{History, lease_of, ticket_of};
pub use outcome::{DisputeEvent, DisputeOutcome};
pub use settled_record::{SettledRecord, SettledRecordError};

use atoma_keys::SigningKey;
use atoma_ledger::{ExecuteError, Ledger, ReadError};
use atoma_types::{
    BlobId, ComputeUnits, DecodeError, MicroUsdc, NodeId, StackId,
    chain::{Call, Stack},
    message::{EvidenceLeaf, Receipt, Signed},
};

/// Why a dispute can't be brought before the ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisputeError {
    /// What is to be shown isn't a record of a request and its receipt.
    #[error("the evidence holds no record")]
    Record(#[source] DecodeError),
    /// No open ticket of the node's claims the unit.
    #[error("no ticket that waits to be paid claims unit {}", .unit.0)]
    NotClaimed {
        /// The unit that was asked for.
        unit: ComputeUnits,
    },
    /// The stack's task isn't examined, so that there is no jury.
    #[error("the stack's task is not examined: nothing can be challenged, only demanded")]
    NotExamined,
    /// The ledger took a call that convicts, and told of no conviction.
    #[error("the ledger told of no conviction")]
    NoConviction,
    /// The stack can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The ledger doesn't take the call, or it isn't known whether it did.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

/// A unit that a node has settled: what is argued about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The stack that paid.
    pub stack: StackId,
    /// The node that settled.
    pub node: NodeId,
    /// The unit, counted over the whole lease from 0.
    pub unit: ComputeUnits,
}

impl Claimed {
    /// The last unit of a receipt; none if it charges nothing.
    #[must_use]
    pub fn of(receipt: &Receipt) -> Option<Self> {
        let unit = (receipt.units > ComputeUnits::ZERO)
            .then(|| receipt.cumulative_units.checked_sub(ComputeUnits(1)))??;
        Some(Self {
            stack: receipt.stack,
            node: receipt.node,
            unit,
        })
    }
}

/// One step of a dispute.
#[expect(
    clippy::large_enum_variant,
    reason = "made once for a command, never kept in numbers"
)]
#[derive(Clone, Debug)]
pub enum Dispute {
    /// The stack's owner, or its watcher, pays the fee and demands to see the unit's record.
    Demand(Claimed),
    /// Anybody shows a record that is demanded.
    Answer {
        /// What is demanded.
        claimed: Claimed,
        /// The record, with its path to the settlement's last receipt.
        record: SettledRecord,
        /// Where its bodies are stored, if they are.
        blob: Option<BlobId>,
        /// The sealed bodies, if they are not stored.
        bodies: Vec<u8>,
    },
    /// Anybody has the node convicted that didn't answer in time.
    Silence(Claimed),
    /// Anybody shows two different receipts for one request.
    Equivocation {
        /// One of them.
        first: Signed<Receipt>,
        /// The other, of the same request.
        second: Signed<Receipt>,
    },
    /// The stack's owner, or its watcher, stakes a bond on that the unit's answer is wrong.
    Challenge(Claimed),
}

impl Dispute {
    /// The ledger's call for this step.
    ///
    /// # Errors
    /// If the stack can't be read, an answer holds no record, or there is nothing to challenge.
    pub async fn call(&self, ledger: &Ledger) -> Result<Call, DisputeError> {
        match self {
            Self::Demand(claimed) => {
                let stack = ledger.stack(claimed.stack).await?;
                Ok(ledger.demand_record(&stack, claimed.node, claimed.unit))
            }
            Self::Answer {
                claimed,
                record,
                blob,
                bodies,
            } => {
                let leaf = EvidenceLeaf::from_bytes(&record.record);
                let leaf = leaf.map_err(DisputeError::Record)?;
                let lease = (claimed.stack, claimed.node);
                let shown = (&leaf, &record.path);
                Ok(ledger.answer_demand(lease, claimed.unit, shown, (*blob, bodies.clone())))
            }
            Self::Silence(claimed) => {
                let stack = ledger.stack(claimed.stack).await?;
                Ok(ledger.prove_silence(&stack, claimed.node, claimed.unit))
            }
            Self::Equivocation { first, second } => {
                let stack = ledger.stack(first.message().stack).await?;
                Ok(ledger.prove_equivocation(&stack, first, second))
            }
            Self::Challenge(claimed) => {
                let stack = ledger.stack(claimed.stack).await?;
                challenge(ledger, &stack, claimed)
            }
        }
    }

    /// Takes the step as `key`, and says what came of it.
    ///
    /// # Errors
    /// As [`call`](Self::call); if the ledger refuses, with the contract's reason.
    pub async fn submit(
        &self,
        ledger: &Ledger,
        key: &SigningKey,
    ) -> Result<DisputeOutcome, DisputeError> {
        let call = self.call(ledger).await?;
        let executed = ledger.execute(key, vec![call]).await?;
        Ok(DisputeOutcome::of(&executed))
    }
}

fn challenge(ledger: &Ledger, stack: &Stack, claimed: &Claimed) -> Result<Call, DisputeError> {
    let ticket = claiming(stack, claimed)?;
    let call = ledger.challenge_ticket(stack, claimed.node, ticket, claimed.unit);
    call.ok_or(DisputeError::NotExamined)
}

/// What a challenge about this unit stakes.
///
/// # Errors
/// If no open ticket claims the unit, or the stack's task isn't examined.
pub fn bond_of(stack: &Stack, claimed: &Claimed) -> Result<MicroUsdc, DisputeError> {
    let (_, value) = claiming(stack, claimed)?;
    let sampling = stack.terms.sampling.as_ref();
    let sampling = sampling.ok_or(DisputeError::NotExamined)?;
    Ok(sampling.bond(value))
}

/// The number and the value of the open ticket that claims a unit.
fn claiming(stack: &Stack, claimed: &Claimed) -> Result<(u64, MicroUsdc), DisputeError> {
    let unit = claimed.unit;
    let found = stack.lease(claimed.node).and_then(|lease| {
        let mut tickets = lease.tickets.iter();
        let ticket = tickets.find(|ticket| ticket.claims(unit))?;
        Some((
            ticket.to_seq,
            lease.value(ticket.from_units, ticket.to_units)?,
        ))
    });
    found.ok_or(DisputeError::NotClaimed { unit })
}
