//! Stacks and the leases out of them.

use crate::column::{table, text_enum};
use atoma_types::{
    Address, ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, PublicKey, StackId, TaskId,
    TimestampMs,
};
use serde::{Deserialize, Serialize};

text_enum! {
    /// Where a lease stands.
    LeaseStanding {
        /// The node may serve and settle.
        Open = "open",
        /// Nothing more comes of it.
        Closed = "closed",
    }
}

/// A demand that is open: which unit's record, and the demand's number among those of its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// The unit, counted over the whole lease.
    pub unit: ComputeUnits,
    /// The demand's number among those of its lease, from 1.
    pub number: u64,
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
        /// Who may demand and challenge beside the owner.
        watcher: Option<Address>,
        /// Id of the task that it is of.
        task: TaskId,
        /// The ed25519 key by which its requests are checked.
        request_key: PublicKey,
        /// Units that no node has.
        ungranted: ComputeUnits,
        /// Those, and the units of open leases.
        live_units: ComputeUnits,
        /// Units that nodes were paid for.
        settled_units: ComputeUnits,
        /// Requests that nodes were paid for.
        requests: u64,
        /// The highest price that its owner pays, in micro-USDC for a million units.
        max_price: Price,
        /// Only grants with this number are good.
        nonce: u64,
        /// What is in its escrow now, in micro-USDC.
        escrow: MicroUsdc,
        /// What open leases were paid.
        paid_open: MicroUsdc,
        /// What was paid in.
        deposited: MicroUsdc,
        /// What nodes were paid, fees and dues not counted, in micro-USDC.
        paid: MicroUsdc,
        /// What the protocol got.
        fees: MicroUsdc,
        /// What its tickets paid for examinations.
        dues: MicroUsdc,
        /// What came out of the escrow and became the owner's credit.
        freed: MicroUsdc,
        /// What the owner has withdrawn of the credit.
        withdrawn: MicroUsdc,
        /// The nodes that were drawn when it was bought.
        candidates: Vec<NodeId>,
        /// When it ends, by the ledger's clock.
        expires_at_ms: TimestampMs,
        /// Nodes may settle for this long after it.
        settle_grace_ms: DurationMs,
        /// How many leases nodes have got on it so far.
        leases: u64,
        /// Of them, those that aren't closed.
        open_leases: u64,
        /// The owner is closing it.
        closing: bool,
        /// When it was bought.
        bought_ms: TimestampMs,
    }
    index ["number", "owner"]
}

table! {
    /// What only the stack's object tells. Object; read again after each event that changes it.
    StackTerms in "stack_terms"
    key {
        /// Id of the stack's object.
        stack: StackId,
    }
    columns {
        /// The fine for a claim is its value times this.
        fine_multiple: u64,
        /// The protocol's share, thousandths.
        fee_permille: u64,
        /// When it was bought, by the ledger's clock in the transaction.
        created_at_ms: TimestampMs,
        /// How long a ticket waits.
        dispute_window_ms: DurationMs,
        /// How long a node has to answer a demand.
        answer_window_ms: DurationMs,
        /// What a demand costs.
        demand_fee: MicroUsdc,
        /// Whether its tickets may be examined.
        sampled: bool,
        /// The owner's credit.
        free: MicroUsdc,
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
        /// Id of the task that the stack is of.
        task: TaskId,
        /// The node's response key when the lease began.
        key: PublicKey,
        /// The units that it may serve.
        units: ComputeUnits,
        /// Its price, in micro-USDC for a million units.
        price: Price,
        /// Whether the lease is open or closed.
        state: LeaseStanding,
        /// Units that were paid to the node.
        paid_units: ComputeUnits,
        /// The number of the last paid receipt.
        paid_seq: u64,
        /// Units paid or claimed.
        claimed_units: ComputeUnits,
        /// The number of the last receipt that is paid or claimed.
        claimed_seq: u64,
        /// What the node got, fees and dues not counted.
        paid: MicroUsdc,
        /// How many records were demanded so far.
        demands: u64,
        /// The demands that are open.
        open_demands: Vec<Demand>,
        /// The node was found guilty on it.
        convicted: bool,
        /// When the node got the lease, by the ledger's clock.
        leased_ms: TimestampMs,
    }
    index ["node"]
}
