//! Settlements, disputes and convictions.

use crate::column::{table, text_enum};
use atoma_types::{
    BlobId, ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs, chain::Charge, hash::Hash32,
};
use serde::{Deserialize, Serialize};

text_enum! {
    /// What became of a settlement.
    SettlementState {
        /// Waits for the end of its dispute window.
        Open = "open",
        /// The node was paid.
        Paid = "paid",
        /// Void: the node was convicted before it was paid.
        Struck = "struck",
    }
}

text_enum! {
    /// What became of a dispute.
    DisputeState {
        /// The node may still answer.
        Open = "open",
        /// The node showed the record, and keeps the bond.
        Answered = "answered",
        /// The node was convicted, the bond went back.
        Won = "won",
    }
}

/// A dispute that is open: which record, and the dispute's number among those of its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The record's place in its lease, from 1.
    pub seq: u64,
    /// The dispute's number among those of its lease, from 1.
    pub number: u64,
}

table! {
    /// A claim: at most one for a lease.
    SettlementRow in "settlements"
    key {
        /// Id of the stack's object.
        stack: StackId,
        /// Id of the node's object.
        node: NodeId,
    }
    columns {
        /// The event that told of it.
        number: u64,
        /// Units that the settlement claims.
        claimed_units: ComputeUnits,
        /// Root over its records.
        receipts_root: Hash32,
        /// How many records: requests.
        count: u64,
        /// Where the manifest is.
        manifest_blob: Option<BlobId>,
        /// From when on it can be paid.
        deadline_ms: TimestampMs,
        /// What became of it.
        state: SettlementState,
        /// What the node got.
        paid: MicroUsdc,
        /// The protocol's share of the payment, in micro-USDC.
        fee: MicroUsdc,
        /// What went back to the owner.
        refunded: MicroUsdc,
        /// How many disputes were opened on it so far.
        disputes: u64,
        /// Those that are open; the contract allows eight.
        open_disputes: Vec<Demand>,
        /// When it was opened.
        opened_ms: TimestampMs,
        /// When it was paid or struck.
        ended_ms: Option<TimestampMs>,
    }
    index ["number"]
}

table! {
    /// A demand to see a record.
    DisputeRow in "disputes"
    key {
        /// Id of the stack's object.
        stack: StackId,
        /// The node that must answer.
        node: NodeId,
        /// Its number among those of the lease, from 1.
        number: u64,
    }
    columns {
        /// The event that told of it.
        event: u64,
        /// The record's place in its lease, from 1.
        seq: u64,
        /// Hash of the receipt that the owner showed, if any.
        receipt: Option<Hash32>,
        /// What the owner staked on the dispute, in micro-USDC.
        bond: MicroUsdc,
        /// The last moment to answer.
        deadline_ms: TimestampMs,
        /// What became of it.
        state: DisputeState,
        /// Where the record is, as the node answered.
        blob: Option<BlobId>,
        /// When it was opened.
        opened_ms: TimestampMs,
        /// When it was answered, or its node convicted.
        ended_ms: Option<TimestampMs>,
    }
    index ["event"]
}

table! {
    /// A verdict: at most one for a lease.
    ConvictionRow in "convictions"
    key {
        /// Id of the stack's object.
        stack: StackId,
        /// Id of the node's object.
        node: NodeId,
    }
    columns {
        /// The event that told of it.
        event: u64,
        /// What it was convicted of.
        charge: Charge,
        /// What went back out of the escrow.
        refunded: MicroUsdc,
        /// Stakes that went back.
        bonds: MicroUsdc,
        /// What the owner got of the collateral.
        to_owner: MicroUsdc,
        /// What the treasury got of it.
        to_treasury: MicroUsdc,
        /// When it happened, by the ledger's clock.
        at_ms: TimestampMs,
    }
    index ["event"]
}
