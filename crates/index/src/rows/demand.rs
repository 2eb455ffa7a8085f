//! Stacks and the leases out of them.

use crate::column::{table, text_enum};
use atoma_types::{
    Address, ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, PublicKey, StackId, TaskId,
    TimestampMs, chain::Selection,
};

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
        /// The ed25519 key by which its requests are checked.
        request_key: PublicKey,
        /// Units bought, less those revoked.
        total_units: ComputeUnits,
        /// Units of leases that are closed.
        closed_units: ComputeUnits,
        /// Units that nodes were paid for.
        settled_units: ComputeUnits,
        /// Requests that nodes were paid for.
        requests: u64,
        /// The highest price that its owner pays, in micro-USDC for a million units.
        max_price: Price,
        /// What is in its escrow now, in micro-USDC.
        escrow: MicroUsdc,
        /// What was paid in.
        deposited: MicroUsdc,
        /// What nodes were paid, fees not counted, in micro-USDC.
        paid: MicroUsdc,
        /// What the protocol got.
        fees: MicroUsdc,
        /// What came back out of the escrow.
        refunded: MicroUsdc,
        /// What the owner got of convicted nodes' collateral.
        damages: MicroUsdc,
        /// How its nodes are chosen: drawn when it is bought, or by the owner's grants.
        selection: Selection,
        /// The nodes that were drawn when it was bought.
        candidates: Vec<NodeId>,
        /// When it ends, by the ledger's clock.
        expires_at_ms: TimestampMs,
        /// Nodes may settle for this long after it.
        settle_grace_ms: DurationMs,
        /// How many leases nodes have got on it so far.
        leases: u64,
        /// The owner is closing it.
        closing: bool,
        /// Whether all its leases are closed and its escrow is paid out.
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
        /// Id of the task that the stack is of.
        task: TaskId,
        /// The units that it may serve.
        units: ComputeUnits,
        /// Its price, in micro-USDC for a million units.
        price: Price,
        /// Whether the lease is open, being settled, or closed.
        state: LeaseStanding,
        /// Units paid, once closed.
        paid_units: ComputeUnits,
        /// What the node got, once closed.
        paid: MicroUsdc,
        /// The node was found guilty on it.
        convicted: bool,
        /// When the node got the lease, by the ledger's clock.
        leased_ms: TimestampMs,
    }
    index ["node"]
}
