//! Of tickets: claimed and paid.

use crate::{
    BlobId, ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs, hash::Hash32,
    history::LastReceipt,
};
use serde::{Deserialize, Serialize};

/// A node claims units; a ticket is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementOpened {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// Units of the lease that are then paid, earlier ones counted in.
    pub to_units: ComputeUnits,
    /// `seq` of the last receipt.
    pub to_seq: u64,
    /// Hash of the last receipt.
    pub last: Hash32,
    /// The number before the first receipt of its history.
    pub base: u64,
    /// The root over the receipts before it, which it names.
    pub history: Hash32,
    /// The last receipt's bytes. What a call is given can be put together within its transaction, so only the event
    /// shows them for sure.
    pub last_receipt: Vec<u8>,
    /// The signature of the last receipt.
    pub receipt_signature: Vec<u8>,
    /// The pack that has all of the ticket's records, or the list of their packs.
    pub manifest_blob: Option<BlobId>,
    /// What the claimed units cost, in micro-USDC.
    pub value: MicroUsdc,
    /// The last moment to demand a record of it, or to challenge it.
    pub deadline_ms: TimestampMs,
}

impl SettlementOpened {
    /// The receipt that binds the ticket's records.
    #[must_use]
    pub fn last_receipt(&self) -> LastReceipt {
        LastReceipt {
            seq: self.to_seq,
            hash: self.last,
            base: self.base,
            history: self.history,
        }
    }
}

/// A ticket was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// Units of the lease that are paid.
    pub paid_units: ComputeUnits,
    /// `seq` of the last paid receipt.
    pub paid_seq: u64,
    /// What was paid.
    pub paid: MicroUsdc,
    /// The protocol's share.
    pub fee: MicroUsdc,
    /// What was kept for the examination: the task's pool's, or the owner's if nobody examined.
    pub due: MicroUsdc,
    /// The node's reputation afterwards, 0 to 1000.
    pub reputation: u64,
}
