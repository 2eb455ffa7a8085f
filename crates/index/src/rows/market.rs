//! Nodes, tasks, and the offers of the one to the other.

use crate::column::table;
use atoma_types::{
    Address, ComputeUnits, EngineClass, MicroUsdc, NodeId, Price, PublicKey, Role, SealingKey,
    SecurityLevel, TaskId, TimestampMs, UnitWeights, chain::NodeStatus,
};

table! {
    /// A row for each node that was ever registered.
    NodeRow in "nodes"
    key {
        /// Id of the node's object.
        node: NodeId,
    }
    columns {
        /// The number that the package gave it, from 1 in order of creation.
        number: u64,
        /// Address of its owner.
        owner: Address,
        /// What it stands to lose.
        collateral: MicroUsdc,
        /// Whether it is active, jailed, leaving or gone.
        status: NodeStatus,
        /// The URL at which users reach it.
        url: String,
        /// The ed25519 key by which its receipts are checked.
        response_key: PublicKey,
        /// X25519 key that requests are sealed to.
        sealing_key: Option<SealingKey>,
        /// Tickets that were paid.
        settled: u64,
        /// How often it was convicted.
        convicted: u64,
        /// What it was paid for tickets, fees and dues not counted.
        earned: MicroUsdc,
        /// What it got from the treasury.
        from_treasury: MicroUsdc,
        /// What its owner has withdrawn of its credit.
        withdrawn: MicroUsdc,
        /// Collateral that convictions took, in micro-USDC.
        fined: MicroUsdc,
        /// What of it went back.
        pardoned: MicroUsdc,
        /// When it registered, by the ledger's clock.
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
        /// From 0 to 1000: rises with fees paid, and a conviction takes it all.
        reputation: u64,
        /// What its open leases could cost it.
        at_stake: MicroUsdc,
        /// Its owner's credit.
        earnings: MicroUsdc,
        /// Fines that can still be pardoned, or wait to become the treasury's.
        pending_fines: MicroUsdc,
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
        /// The number that the package gave it, from 1 in order of creation.
        number: u64,
        /// Address of its owner.
        owner: Address,
        /// The kind of work, such as chat completion.
        role: Role,
        /// The model's name, as requests give it.
        model_name: String,
        /// How it is secured.
        security_level: SecurityLevel,
        /// The highest price that its nodes may ask, in micro-USDC for a million units.
        price_ceiling: Price,
        /// Whether its owner has ended it: no new stacks or subscriptions.
        deprecated: bool,
        /// The protocol's share of what its nodes were paid.
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
