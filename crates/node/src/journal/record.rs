//! What goes into the journal, and what comes out of it again: plain data.

use crate::{
    account::{Phase, Position, SignedRequest},
    bodies::Bodies,
};
use atoma_types::{
    Address, ComputeUnits, DurationMs, Price, PublicKey, StackId, TaskId, TimestampMs, hash::Hash32,
};
use atoma_walrus::{BlobId, ObjectId};

/// A lease as the ledger gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeaseRecord {
    pub stack: StackId,
    pub task: TaskId,
    pub owner: Address,
    pub request_key: PublicKey,
    pub units: ComputeUnits,
    pub price: Price,
    pub expires_at: TimestampMs,
    pub settle_grace: DurationMs,
    pub closing: bool,
    pub phase: Phase,
    /// Where the journal's receipts begin: not at the lease's beginning, if the node had lost its journal.
    pub base: Position,
}

/// What must be durable beside a receipt.
#[derive(Debug)]
pub(crate) struct ReceiptRecord {
    pub stack: StackId,
    pub request: SignedRequest,
    pub lane: u16,
    pub lane_committed: ComputeUnits,
    pub voucher: SignedRequest,
    pub kept: Kept,
}

/// What is kept of a request beside its receipt and its header.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// What goes into the evidence log, where there is one.
    pub bodies: Option<Bodies>,
    /// The record of the node that the request was passed on to.
    pub second: Option<Vec<u8>>,
}

/// A change that isn't a receipt.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Inserts a lease or overwrites what the ledger says about it.
    Lease(LeaseRecord),
    /// A lease goes on from what the ledger says, beyond its receipts here.
    Rebased(StackId),
    /// The ledger has a claim for the receipts after one up to another.
    Ticket {
        stack: StackId,
        from_seq: u64,
        to_seq: u64,
    },
    /// Remembers a small text: the events' cursor, the node's id.
    Meta(&'static str, String),
    /// Inserts a stored pack or overwrites what is known of it.
    Pack {
        pack: PackRow,
        /// The first and the last record that leave the log for it.
        stored: Option<(i64, i64)>,
    },
}

/// A stored pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PackRow {
    /// The numbers of its first and its last receipt.
    pub first: i64,
    pub last: i64,
    pub blob: BlobId,
    pub root: Hash32,
    /// The certified object, as far as the publisher told.
    pub object: Option<ObjectId>,
    pub end_epoch: u32,
    /// No open lease needs it any more; its file is gone.
    pub released: bool,
}
