//! The rows of the read model. Those whose head says "object" hold what no event tells; everything
//! else follows from the events alone.

use super::column::{table, text_enum};
use atoma_types::{
    Address, BlobId, ComputeUnits, DurationMs, EngineClass, MicroUsdc, NetworkId, NodeId, ObjectId,
    Price, PublicKey, Role, SecurityLevel, StackId, TaskId, TimestampMs, UnitWeights,
    chain::{Charge, NodeStatus, Selection},
    hash::Hash32,
};
use serde::{Deserialize, Serialize};

text_enum! {
    /// Where a lease stands.
    LeaseStanding {
        /// The node may serve.
        Open = "open",
        /// Settled, not yet paid.
        Settling = "settling",
        /// Paid, expired, or struck by a conviction.
        Closed = "closed",
    }
}

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

text_enum! {
    /// A kind of object that is read because events don't tell all of it.
    ObjectName {
        /// The object of a node.
        Node = "node",
        /// The object of a task.
        Task = "task",
        /// The object of a stack.
        Stack = "stack",
        /// The object of the database, `AtomaDb`.
        Db = "db",
    }
}

/// A dispute that is open: which record, and the dispute's number among those of its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The record's place in its lease, from 1.
    pub seq: u64,
    /// The dispute's number.
    pub number: u64,
}

table! {
    /// How far the read model is, and of which network. One row, with key 0.
    ProgressRow in "progress"
    key {
        /// Always 0, as there is one row.
        id: u64,
    }
    columns {
        /// The ledger's network id.
        network: NetworkId,
        /// The package as first published: another one has another history.
        package: ObjectId,
        /// Resume after this.
        cursor: Option<Vec<u8>>,
        /// Everything up to the end of this checkpoint is in it.
        covered: Option<u64>,
        /// The last checkpoint that is known to it.
        anchor: Option<u64>,
        /// That checkpoint's digest: a ledger with another one has another history.
        anchor_digest: Option<[u8; 32]>,
        /// When it was sealed.
        anchor_ms: TimestampMs,
        /// The history begins with this checkpoint; not 0 where the ledger had no more.
        since: u64,
        /// Events so far.
        events: u64,
        /// Events about objects from before the history's begin; what they change can't be told.
        gaps: u64,
    }
    index []
}

table! {
    /// An event as it came.
    EventRow in "events"
    key {
        /// Its place in the history, from 1.
        number: u64,
    }
    columns {
        /// The transaction's digest.
        digest: [u8; 32],
        /// Its place in the transaction.
        place: u64,
        /// Number of the checkpoint that it is in.
        checkpoint: u64,
        /// When the checkpoint was sealed.
        at_ms: TimestampMs,
        /// Module of its type.
        module: String,
        /// Name of its type.
        name: String,
        /// Its fields as JSON.
        body: String,
    }
    index ["digest, place"]
}

table! {
    /// A row for each node that was ever registered.
    NodeRow in "nodes"
    key {
        /// Id of the node's object.
        node: NodeId,
    }
    columns {
        /// Its small number.
        number: u64,
        /// Address of its owner.
        owner: Address,
        /// What it stands to lose.
        collateral: MicroUsdc,
        /// Whether it is active, jailed, leaving or gone.
        status: NodeStatus,
        /// Where it serves.
        url: String,
        /// Signs its receipts.
        response_key: PublicKey,
        /// Settlements that were paid.
        settled: u64,
        /// Leases left to expire, and convictions.
        failed: u64,
        /// What it was paid for settlements, fees not counted.
        earned: MicroUsdc,
        /// What it got from the treasury.
        from_treasury: MicroUsdc,
        /// Stakes of disputes that it answered.
        bonds: MicroUsdc,
        /// What convictions took.
        slashed: MicroUsdc,
        /// When it joined.
        joined_ms: TimestampMs,
    }
    index []
}

table! {
    /// What only the node's object tells. Object; read again after each event that changes it.
    NodeStanding in "node_standing"
    key {
        /// Id of the node's object.
        node: NodeId,
    }
    columns {
        /// 0 to 1000.
        reputation: u64,
        /// X25519 key that requests are sealed to.
        sealing_key: Option<[u8; 32]>,
        /// The epoch it was last paid in.
        current_epoch: u64,
        /// Units paid in it.
        current_units: ComputeUnits,
        /// The epoch before that it worked in.
        previous_epoch: u64,
        /// Units paid in that.
        previous_units: ComputeUnits,
    }
    index []
}

table! {
    /// A row for each task that was ever made.
    TaskRow in "tasks"
    key {
        /// Id of the task's object.
        task: TaskId,
    }
    columns {
        /// Its small number.
        number: u64,
        /// Address of its owner.
        owner: Address,
        /// What it computes.
        role: Role,
        /// The model's name.
        model_name: String,
        /// How it is secured.
        security_level: SecurityLevel,
        /// Its highest price.
        price_ceiling: Price,
        /// No new business.
        deprecated: bool,
        /// Fees not yet swept into the treasury.
        fees: MicroUsdc,
        /// How many stacks were bought.
        stacks: u64,
        /// Units of the stacks that were bought, top-ups included.
        units_bought: ComputeUnits,
        /// Units that nodes were paid for.
        units_settled: ComputeUnits,
        /// Requests that nodes were paid for.
        requests: u64,
        /// What its users paid, fees counted.
        revenue: MicroUsdc,
        /// When it was created.
        created_ms: TimestampMs,
    }
    index []
}

table! {
    /// What only the task's object tells; it never changes. Object.
    TaskTerms in "task_terms"
    key {
        /// Id of the task's object.
        task: TaskId,
    }
    columns {
        /// What things cost in units.
        weights: UnitWeights,
        /// What a verifier must run.
        engine: EngineClass,
        /// Nodes below it get no new leases.
        min_reputation: u64,
        /// Nodes below it get no new leases.
        min_collateral: MicroUsdc,
        /// Nodes that may subscribe; everyone if absent.
        allow_list: Option<Vec<NodeId>>,
    }
    index []
}

table! {
    /// A node's subscription to a task. Whether it is suspended is the node's own standing.
    OfferRow in "offers"
    key {
        /// Id of the task's object.
        task: TaskId,
        /// Id of the node's object.
        node: NodeId,
    }
    columns {
        /// Its price, in micro-USDC for a million units.
        price: Price,
        /// Units it is willing to have under lease at once.
        capacity: ComputeUnits,
        /// Units under lease now.
        leased: ComputeUnits,
        /// Leases not yet closed.
        open_leases: u64,
        /// It goes with its last lease.
        leaving: bool,
        /// When it was last set.
        since_ms: TimestampMs,
    }
    index ["node"]
}

table! {
    /// A price over time: what a node asked from then on.
    PriceRow in "prices"
    key {
        /// The event that said so.
        number: u64,
    }
    columns {
        /// Id of the task's object.
        task: TaskId,
        /// Id of the node's object.
        node: NodeId,
        /// Its price; none from when it left.
        price: Option<Price>,
        /// When it happened, by the ledger's clock.
        at_ms: TimestampMs,
    }
    index ["task, number"]
}

table! {
    /// A row for each stack that was ever bought.
    StackRow in "stacks"
    key {
        /// Id of the stack's object.
        stack: StackId,
    }
    columns {
        /// The event that told of it: later stacks have larger ones.
        number: u64,
        /// Address of its owner.
        owner: Address,
        /// Id of the task that it is of.
        task: TaskId,
        /// Signs its requests.
        request_key: PublicKey,
        /// Units bought, less those revoked.
        total_units: ComputeUnits,
        /// Units of leases that are closed.
        closed_units: ComputeUnits,
        /// Units that nodes were paid for.
        settled_units: ComputeUnits,
        /// Requests that nodes were paid for.
        requests: u64,
        /// The highest price.
        max_price: Price,
        /// What it holds.
        escrow: MicroUsdc,
        /// What was paid in.
        deposited: MicroUsdc,
        /// What nodes got.
        paid: MicroUsdc,
        /// What the protocol got.
        fees: MicroUsdc,
        /// What came back out of the escrow.
        refunded: MicroUsdc,
        /// What the owner got of convicted nodes' collateral.
        damages: MicroUsdc,
        /// Who may serve.
        selection: Selection,
        /// The drawn nodes.
        candidates: Vec<NodeId>,
        /// When it ends, by the ledger's clock.
        expires_at_ms: TimestampMs,
        /// Nodes may settle for this long after it.
        settle_grace_ms: DurationMs,
        /// Leases so far.
        leases: u64,
        /// The owner is closing it.
        closing: bool,
        /// Everything is paid.
        closed: bool,
        /// When it was bought.
        bought_ms: TimestampMs,
    }
    index ["number", "owner"]
}

table! {
    /// What only the stack's object tells; it never changes. Object.
    StackTerms in "stack_terms"
    key {
        /// Id of the stack's object.
        stack: StackId,
    }
    columns {
        /// Escrowed on top for audits, thousandths.
        surcharge_permille: u64,
        /// The protocol's share, thousandths.
        fee_permille: u64,
        /// When it was bought, by the ledger's clock in the transaction.
        created_at_ms: TimestampMs,
        /// How long a ticket waits.
        dispute_window_ms: DurationMs,
        /// How long a node has to answer a dispute.
        answer_window_ms: DurationMs,
        /// What the owner stakes on a dispute.
        dispute_bond: MicroUsdc,
    }
    index []
}

table! {
    /// Units of a stack that belong to one node.
    LeaseRow in "leases"
    key {
        /// Id of the stack's object.
        stack: StackId,
        /// Id of the node's object.
        node: NodeId,
    }
    columns {
        /// Its place among the stack's leases.
        place: u64,
        /// The stack's task.
        task: TaskId,
        /// The units that it may serve.
        units: ComputeUnits,
        /// Its price, in micro-USDC for a million units.
        price: Price,
        /// Where it stands.
        state: LeaseStanding,
        /// Units paid, once closed.
        paid_units: ComputeUnits,
        /// What the node got, once closed.
        paid: MicroUsdc,
        /// The node was found guilty on it.
        convicted: bool,
        /// When it began.
        leased_ms: TimestampMs,
    }
    index ["node"]
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
        /// The protocol's share.
        fee: MicroUsdc,
        /// What went back to the owner.
        refunded: MicroUsdc,
        /// Disputes so far.
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
        /// The owner's stake.
        bond: MicroUsdc,
        /// The last moment to answer.
        deadline_ms: TimestampMs,
        /// What became of it.
        state: DisputeState,
        /// Where the record is, as the node answered.
        blob: Option<BlobId>,
        /// When it was opened.
        opened_ms: TimestampMs,
        /// When it ended.
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

table! {
    /// The treasury's flows. One row, with key 0.
    TreasuryRow in "treasury"
    key {
        /// Always 0, as there is one row.
        id: u64,
    }
    columns {
        /// Fees swept into it.
        fees: MicroUsdc,
        /// What was slashed so far, in micro-USDC.
        slashes: MicroUsdc,
        /// Paid out to nodes.
        paid: MicroUsdc,
    }
    index []
}

table! {
    /// What only the database's object tells. Object; read again after each event that changes it.
    TreasuryStanding in "treasury_standing"
    key {
        /// Always 0, as there is one row.
        id: u64,
    }
    columns {
        /// What is in it.
        balance: MicroUsdc,
        /// The epoch that is being reported or paid.
        epoch: u64,
    }
    index []
}

table! {
    /// What happened on a day (UTC).
    DayRow in "days"
    key {
        /// Days since 1970.
        day: u64,
    }
    columns {
        /// How many stacks were bought.
        stacks: u64,
        /// Units of the stacks that were bought, top-ups included.
        units_bought: ComputeUnits,
        /// Money paid in for them.
        deposited: MicroUsdc,
        /// Units that nodes were paid for.
        units_settled: ComputeUnits,
        /// Requests that nodes were paid for.
        requests: u64,
        /// What nodes got.
        paid: MicroUsdc,
        /// What the protocol got.
        fees: MicroUsdc,
        /// What went back to users.
        refunded: MicroUsdc,
        /// How many disputes were opened.
        disputes: u64,
        /// How many nodes were convicted.
        convictions: u64,
        /// Collateral that they took.
        slashed: MicroUsdc,
        /// The treasury's payments.
        treasury_paid: MicroUsdc,
    }
    index []
}

table! {
    /// A parameter that was set since the history's begin.
    ParamRow in "params"
    key {
        /// The event that said so.
        number: u64,
    }
    columns {
        /// The parameter's name.
        name: String,
        /// The parameter's new value.
        value: u64,
        /// When it happened, by the ledger's clock.
        at_ms: TimestampMs,
    }
    index []
}

table! {
    /// An object to be read, noted by the transaction that made it so: a crash forgets none.
    StaleRow in "stale"
    key {
        /// Id of the object on the ledger.
        id: ObjectId,
    }
    columns {
        /// What it is.
        kind: ObjectName,
    }
    index []
}

impl DayRow {
    /// A day on which nothing has happened yet.
    pub(crate) fn new(day: u64) -> Self {
        Self {
            day,
            stacks: 0,
            units_bought: ComputeUnits::ZERO,
            deposited: MicroUsdc::ZERO,
            units_settled: ComputeUnits::ZERO,
            requests: 0,
            paid: MicroUsdc::ZERO,
            fees: MicroUsdc::ZERO,
            refunded: MicroUsdc::ZERO,
            disputes: 0,
            convictions: 0,
            slashed: MicroUsdc::ZERO,
            treasury_paid: MicroUsdc::ZERO,
        }
    }
}
