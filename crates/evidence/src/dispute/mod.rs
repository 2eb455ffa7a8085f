//! Disputes about what a node has settled: what a user demands, what a node shows, what proves fraud.
//!
//! ```text
//! Demand ── bond ──> open ──┬── Answer: the record, shown in time ──> the bond is the node's
//!                           └── Resolve: nothing was shown ─────────> the node is convicted
//! Fraud ─────────────────────── Prove ────────────────────────────> the node is convicted at once
//! ```
//!
//! A [`Dispute`] says what is to be done, [`Dispute::call`] makes the ledger's call of it and
//! [`Dispute::submit`] executes that. The rules are the contract's; nothing is decided here.

mod outcome;
mod settled_record;

pub use outcome::{DisputeEvent, DisputeOutcome};
pub use settled_record::{SettledRecord, SettledRecordError};

use atoma_keys::SigningKey;
use atoma_ledger::{Ledger, LedgerError};
use atoma_types::{
    DecodeError, NodeId, ObjectId, StackId,
    chain::Call,
    message::{EvidenceLeaf, Receipt, RequestHeader, Signed},
};

/// Why a dispute can't be brought before the ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisputeError {
    /// What is to be shown isn't a record of a request and its receipt.
    #[error("the evidence holds no record")]
    Record(#[source] DecodeError),
    /// The ledger refused the call, or can't be reached.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// One step of a dispute.
#[expect(
    clippy::large_enum_variant,
    reason = "made once for a command, never kept in numbers"
)]
#[derive(Clone, Debug)]
pub enum Dispute {
    /// The stack's owner stakes a bond and demands to see a record that the node has settled.
    Open(Demand),
    /// The node's owner shows a record that is demanded.
    Answer {
        /// The stack that paid.
        stack: StackId,
        /// The node that settled.
        node: NodeId,
        /// The object of the certified blob that holds the record; the acting address owns it.
        blob: ObjectId,
        /// The record, with its path to the settled root.
        record: SettledRecord,
    },
    /// Anybody ends a demand that wasn't answered in time.
    Resolve {
        /// The stack that paid.
        stack: StackId,
        /// The node that settled.
        node: NodeId,
        /// The number of the demanded record in its lease.
        seq: u64,
    },
    /// Anybody proves that the node cheated.
    Prove(Fraud),
}

/// Which record is demanded.
#[expect(
    clippy::large_enum_variant,
    reason = "made once for a command, never kept in numbers"
)]
#[derive(Clone, Debug)]
pub enum Demand {
    /// The one of a receipt that the owner holds: the record must have just this receipt.
    Receipt(Signed<Receipt>),
    /// Any record of a number.
    Seq {
        /// The stack that paid.
        stack: StackId,
        /// The node that settled.
        node: NodeId,
        /// From 1 to the settlement's count.
        seq: u64,
    },
}

/// What a node did, with the proof of it.
#[derive(Clone, Debug)]
pub enum Fraud {
    /// It signed two receipts that contradict each other.
    Equivocation {
        /// One of them.
        first: Signed<Receipt>,
        /// The other, of the same lease.
        second: Signed<Receipt>,
    },
    /// It charged more than tariff, settlement or request allow.
    OverClaim {
        /// The receipt that charges too much.
        receipt: Signed<Receipt>,
        /// The request that it is for, if the charge is to be held against that too.
        header: Option<Signed<RequestHeader>>,
    },
    /// It settled a record that is no request of the owner's with its receipt.
    Forged {
        /// The stack that paid.
        stack: StackId,
        /// The node that settled.
        node: NodeId,
        /// The record, with its path to the settled root.
        record: SettledRecord,
    },
}

impl Dispute {
    /// The ledger's call for this step.
    ///
    /// # Errors
    /// If the stack can't be read, or an answer holds no record.
    pub async fn call(&self, ledger: &Ledger) -> Result<Call, DisputeError> {
        match self {
            Self::Open(demand) => demand.call(ledger).await,
            Self::Answer {
                stack,
                node,
                blob,
                record,
            } => {
                let leaf = EvidenceLeaf::from_bytes(&record.record);
                let leaf = leaf.map_err(DisputeError::Record)?;
                Ok(ledger.answer_dispute(*stack, *node, *blob, &leaf, &record.path))
            }
            Self::Resolve { stack, node, seq } => {
                let stack = ledger.stack(*stack).await?;
                Ok(ledger.resolve_dispute(&stack, *node, *seq))
            }
            Self::Prove(fraud) => fraud.call(ledger).await,
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

impl Demand {
    async fn call(&self, ledger: &Ledger) -> Result<Call, DisputeError> {
        let (stack, node, seq, receipt) = match self {
            Self::Receipt(receipt) => {
                let message = receipt.message();
                (message.stack, message.node, message.seq, Some(receipt))
            }
            Self::Seq { stack, node, seq } => (*stack, *node, *seq, None),
        };
        let stack = ledger.stack(stack).await?;
        Ok(ledger.open_dispute(&stack, node, seq, receipt))
    }
}

impl Fraud {
    async fn call(&self, ledger: &Ledger) -> Result<Call, DisputeError> {
        match self {
            Self::Equivocation { first, second } => {
                let stack = ledger.stack(first.message().stack).await?;
                Ok(ledger.prove_equivocation(&stack, first, second))
            }
            Self::OverClaim { receipt, header } => {
                let stack = ledger.stack(receipt.message().stack).await?;
                Ok(ledger.prove_over_claim(&stack, receipt, header.as_ref()))
            }
            Self::Forged {
                stack,
                node,
                record,
            } => {
                let stack = ledger.stack(*stack).await?;
                let bytes = record.record.clone();
                Ok(ledger.prove_forged_request(&stack, *node, bytes, &record.path))
            }
        }
    }
}
