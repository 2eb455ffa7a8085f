//! Settlements, demands and convictions.

use crate::column::{table, text_enum};
use atoma_types::{
    BlobId, ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs, chain::Charge, hash::Hash32,
};

text_enum! {
    /// What became of a settlement.
    SettlementState {
        /// Waits for the end of its window, or of what was brought against it.
        Open = "open",
        /// The node was paid.
        Paid = "paid",
        /// Void: the node was convicted before it was paid.
        Struck = "struck",
    }
}

text_enum! {
    /// How far something is that attesters look at: an examination or a challenge.
    AuditState {
        /// There is none, or nobody has drawn yet.
        None = "none",
        /// It was drawn, and is not examined.
        Missed = "missed",
        /// The node must show the record.
        Disclosing = "disclosing",
        /// The examiner works.
        Examining = "examining",
        /// Nothing wrong was found.
        Passed = "passed",
        /// A jury is called for.
        Accused = "accused",
        /// Nobody was there to examine it; its due went back.
        Unexamined = "unexamined",
        /// A jury found the node guilty.
        Guilty = "guilty",
        /// A jury found nothing wrong.
        Acquitted = "acquitted",
        /// A jury had too few equal verdicts.
        Hung = "hung",
        /// There were too few jurors.
        Dissolved = "dissolved",
    }
}

text_enum! {
    /// What became of a demand.
    DisputeState {
        /// The node may still answer.
        Open = "open",
        /// The node showed the record, and the fee is its own.
        Answered = "answered",
        /// The node was convicted, the fee went back.
        Won = "won",
    }
}

table! {
    /// A ticket: a claim for some requests of a lease. Several follow each other.
    SettlementRow in "settlements"
    key {
        /// Id of the stack's object.
        stack: StackId,
        /// Id of the node's object.
        node: NodeId,
        /// The number of its last receipt, which names it.
        to_seq: u64,
    }
    columns {
        /// The event that told of it.
        number: u64,
        /// The number of the last receipt before it.
        from_seq: u64,
        /// Units of the lease that were paid or claimed before it.
        from_units: ComputeUnits,
        /// Units of the lease that would then be paid, earlier ones counted in.
        to_units: ComputeUnits,
        /// Hash of its last receipt.
        last: Hash32,
        /// The number before the first one that the last one's history has.
        base: u64,
        /// The root over those from there on, which the last one names.
        history: Hash32,
        /// Where the manifest is.
        manifest_blob: Option<BlobId>,
        /// What it is worth.
        value: MicroUsdc,
        /// From when on it can be paid.
        deadline_ms: TimestampMs,
        /// What became of it.
        state: SettlementState,
        /// How its examination stands.
        exam: AuditState,
        /// Who examines it, or did.
        examiner: Option<NodeId>,
        /// How its challenge stands.
        challenge: AuditState,
        /// The event that told of the challenge.
        challenge_event: Option<u64>,
        /// When it was challenged.
        challenged_ms: Option<TimestampMs>,
        /// What the node got.
        paid: MicroUsdc,
        /// The protocol's share of the payment, in micro-USDC.
        fee: MicroUsdc,
        /// What it paid for examinations.
        due: MicroUsdc,
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
        /// The unit whose record is demanded, counted over the whole lease.
        unit: ComputeUnits,
        /// The last moment to answer.
        deadline_ms: TimestampMs,
        /// What became of it.
        state: DisputeState,
        /// The number of the record that the node showed.
        seq: Option<u64>,
        /// Where its bodies are, as the node answered.
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
        /// What the node had claimed and isn't paid.
        value: MicroUsdc,
        /// What left its collateral.
        fine: MicroUsdc,
        /// What of it jurors got.
        jurors: MicroUsdc,
        /// What became the owner's credit: its own escrow, fees and bonds.
        freed: MicroUsdc,
        /// When it happened, by the ledger's clock.
        at_ms: TimestampMs,
    }
    index ["event"]
}
