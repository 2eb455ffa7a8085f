//! The objects of the package, field by field as in Move. BCS of an object is its fields in order,
//! `id` (32 bytes) first; `Balance` is a `u64`.

use crate::{
    Address, BlobId, ComputeUnits, DurationMs, EngineClass, MicroUsdc, NodeId, ObjectId, Price,
    PublicKey, Role, SealingKey, SecurityLevel, StackId, TaskId, TimestampMs, UnitWeights,
    chain::Params, hash::Hash32,
};
use serde::{Deserialize, Serialize};

/// A Move `Table`: its entries are dynamic fields of `id`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Parent of the entries.
    pub id: ObjectId,
    /// How many entries the table has.
    pub size: u64,
}

/// Who holds it may set parameters. Owned by the administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdminCap {
    /// Id of this object.
    pub id: ObjectId,
    /// The database it is for.
    pub db: ObjectId,
}

/// The singleton (shared). Only registration, parameters and the treasury change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtomaDb {
    /// Id of this object.
    pub id: ObjectId,
    /// Version of the rules that may touch it.
    pub version: u64,
    /// The rules' numbers, which the administrator sets.
    pub params: Params,
    /// Nodes by small number: `u64 -> ID`.
    pub nodes: Table,
    /// Number of live tasks by model name: `String -> u64`.
    pub models: Table,
    /// Tasks by small number: `u64 -> ID`.
    pub tasks: Table,
    /// Fees and slashes, paid out to working nodes epoch by epoch.
    pub communal_treasury: MicroUsdc,
    /// Who did how much, for the payouts.
    pub book: EpochBook,
}

/// Units that a node was paid for in one epoch. A unit sold for less than one micro-USDC counts for
/// its price, so that cheap units sold to oneself buy no share of the treasury.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsInEpoch {
    /// The epoch of the treasury: `floor(ledger time / epoch_ms)`.
    pub epoch: u64,
    /// How many compute units these are.
    pub units: ComputeUnits,
}

/// Shares of one closed epoch. In the first half of epoch `e + 1` nodes report what they were paid
/// for in `e`; from its middle on each takes its part of the pool, until the first report of a later
/// epoch opens a new book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochBook {
    /// The epoch that is being reported or paid.
    pub epoch: u64,
    /// Sum of the reported units, paid or not.
    pub units: ComputeUnits,
    /// What they share; fixed by the first payout, of the treasury as it then is.
    pub pool: Option<MicroUsdc>,
    /// Reports not yet paid.
    pub shares: Vec<EpochShare>,
}

/// What one node reported of its paid units in an epoch of the treasury.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochShare {
    /// Id of the node's object.
    pub node: NodeId,
    /// The units that it may serve.
    pub units: ComputeUnits,
}

/// How a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeStatus {
    /// It may serve and take new leases.
    Active,
    /// Found guilty; no new leases before this time.
    Jailed {
        /// When this ends, by the ledger's clock.
        until_ms: TimestampMs,
    },
    /// Leaving; the collateral stays liable until this time.
    Unbonding {
        /// When this ends, by the ledger's clock.
        until_ms: TimestampMs,
    },
    /// Gone; the collateral is paid out.
    Left,
}

impl NodeStatus {
    /// Whether a node may take new leases: a jail whose time is over counts no more.
    #[must_use]
    pub fn takes_leases(self, now: TimestampMs) -> bool {
        match self {
            Self::Active => true,
            Self::Jailed { until_ms } => until_ms <= now,
            Self::Unbonding { .. } | Self::Left => false,
        }
    }
}

/// A registered node (shared).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Id of this object.
    pub id: NodeId,
    /// The number that the package gave it, from 1 in order of creation.
    pub number: u64,
    /// Who may act for it and is paid.
    pub owner: Address,
    /// What it stands to lose.
    pub collateral: MicroUsdc,
    /// Whether it is active, jailed, leaving or gone.
    pub status: NodeStatus,
    /// Where it serves, `http(s)://…`.
    pub url: String,
    /// The public key by which its receipts are checked.
    pub response_key: PublicKey,
    /// X25519 key that requests are sealed to, where it has one.
    pub sealing_key: Option<SealingKey>,
    /// From 0 to 1000: rises with settlements, falls with expired leases and convictions.
    pub reputation: u64,
    /// Settlements that were paid.
    pub settled: u64,
    /// Leases left to expire.
    pub failed: u64,
    /// Tasks it is subscribed to (leaving ones included); zero before it can unbond.
    pub subscriptions: u64,
    /// Units paid in the running epoch.
    pub current: UnitsInEpoch,
    /// Units paid in the last epoch it worked in, for the treasury's report.
    pub previous: UnitsInEpoch,
}

/// Whether a subscription takes new leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubscriptionState {
    /// It takes new stacks.
    Active,
    /// The node is jailed or unbonding; copied from it by `sync`.
    Suspended,
    /// The node left the task; the entry goes when its last lease closes.
    Leaving,
}

/// A node's offer in a task. Collateral and reputation are copies, so that drawing loads no node;
/// every settlement refreshes them, and `task::sync` does for anyone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Id of the node's object.
    pub node: NodeId,
    /// Its price, in micro-USDC for a million units.
    pub price: Price,
    /// Units it is willing to have under lease at once.
    pub capacity: ComputeUnits,
    /// Units under lease now.
    pub leased: ComputeUnits,
    /// Leases not yet closed.
    pub open_leases: u64,
    /// Copy of the node's.
    pub collateral: MicroUsdc,
    /// Copy of the node's.
    pub reputation: u64,
    /// Whether it takes new leases.
    pub state: SubscriptionState,
}

/// One model under one set of rules (shared).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Id of this object.
    pub id: TaskId,
    /// The number that the package gave it, from 1 in order of creation.
    pub number: u64,
    /// Who may deprecate it and change its allow-list.
    pub owner: Address,
    /// The kind of work, such as chat completion.
    pub role: Role,
    /// The model's name, as requests give it.
    pub model_name: String,
    /// How it is secured.
    pub security_level: SecurityLevel,
    /// No subscription and no stack may be above this price.
    pub price_ceiling: Price,
    /// What things cost in units.
    pub weights: UnitWeights,
    /// What a verifier must run.
    pub engine: EngineClass,
    /// Nodes below it get no new leases.
    pub min_reputation: u64,
    /// Nodes below it get no new leases.
    pub min_collateral: MicroUsdc,
    /// Nodes that may subscribe; everyone if absent.
    pub allow_list: Option<Vec<NodeId>>,
    /// No new stacks, subscriptions or leases.
    pub deprecated: bool,
    /// Protocol fees not yet swept into the treasury.
    pub fees: MicroUsdc,
    /// The offers of the nodes that serve it.
    pub subscriptions: Vec<Subscription>,
}

/// Who may serve a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Selection {
    /// One node drawn at purchase; it has all units.
    Single,
    /// This many distinct nodes drawn at purchase; the owner grants units among them.
    Limited {
        /// How many nodes are drawn.
        nodes: u8,
    },
    /// Any subscribed node that the owner grants units to.
    Any,
}

/// A demand to show one record of a settlement; it waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Which receipt's record: its `seq`.
    pub seq: u64,
    /// Hash of the receipt that the owner holds, if they showed it: the record must have just that one.
    pub receipt: Option<Hash32>,
    /// The owner's stake: the node's if it answers, else returned.
    pub bond: MicroUsdc,
    /// When it was opened.
    pub opened_at_ms: TimestampMs,
    /// The last moment to answer.
    pub deadline_ms: TimestampMs,
}

/// A claim waiting for its dispute window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Units that the settlement claims.
    pub claimed_units: ComputeUnits,
    /// When it was opened.
    pub opened_at_ms: TimestampMs,
    /// From when on it can be paid.
    pub deadline_ms: TimestampMs,
    /// Merkle root over the lease's records, in order of `seq`
    /// (see [`EvidenceLeaf`](crate::message::EvidenceLeaf)).
    pub receipts_root: Hash32,
    /// How many receipts the settlement is over.
    pub count: u64,
    /// Where the manifest of the evidence is stored, if it is.
    pub manifest_blob: Option<BlobId>,
    /// Open disputes, at most eight; nothing is paid before the last has ended.
    pub disputes: Vec<Dispute>,
}

/// Where a lease stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaseState {
    /// The node may serve.
    Open,
    /// Settled, not yet paid.
    Settling(Ticket),
    /// Paid for this many units, or expired with none. Final: its units are used up or refunded.
    Closed {
        /// Units that were paid for.
        paid_units: ComputeUnits,
        /// What the node got, the protocol's fee not counted.
        paid: MicroUsdc,
    },
}

/// Units of a stack that belong to one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Id of the node's object.
    pub node: NodeId,
    /// The units that it may serve.
    pub units: ComputeUnits,
    /// The node's own price when the lease began; at most the stack's.
    pub price: Price,
    /// Whether the lease is open, being settled, or closed.
    pub state: LeaseState,
    /// The node was found guilty on this lease, and punished; once is all.
    pub convicted: bool,
}

/// A prepaid purchase (shared).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Id of this object.
    pub id: StackId,
    /// Who bought it and gets the rest back.
    pub owner: Address,
    /// What it is for.
    pub task: TaskId,
    /// Signs requests and grants.
    pub request_key: PublicKey,
    /// No lease costs more.
    pub max_price: Price,
    /// Escrowed on top for audits (thousandths), as at purchase.
    pub surcharge_permille: u64,
    /// The protocol's share (thousandths), as at purchase.
    pub fee_permille: u64,
    /// Units bought, less those revoked.
    pub total_units: ComputeUnits,
    /// Units of leases that are closed.
    pub closed_units: ComputeUnits,
    /// How its nodes are chosen: drawn when it is bought, or by the owner's grants.
    pub selection: Selection,
    /// The drawn nodes (`Single`, `Limited`).
    pub candidates: Vec<NodeId>,
    /// Units given to nodes.
    pub leases: Vec<Lease>,
    /// What is left of what was paid for it, in micro-USDC.
    pub escrow: MicroUsdc,
    /// When it was bought.
    pub created_at_ms: TimestampMs,
    /// No request or new lease after this.
    pub expires_at_ms: TimestampMs,
    /// Nodes may settle for this long after the expiry, as at purchase.
    pub settle_grace_ms: DurationMs,
    /// How long a ticket waits, as at purchase.
    pub dispute_window_ms: DurationMs,
    /// How long a node has to answer a dispute, as at purchase.
    pub answer_window_ms: DurationMs,
    /// What the owner stakes on a dispute, as at purchase.
    pub dispute_bond: MicroUsdc,
    /// Everything is paid; nothing is left in escrow.
    pub closed: bool,
}

impl Ticket {
    /// The open dispute about a receipt.
    #[must_use]
    pub fn dispute(&self, seq: u64) -> Option<&Dispute> {
        self.disputes.iter().find(|dispute| dispute.seq == seq)
    }
}

impl Stack {
    /// The lease of a node.
    #[must_use]
    pub fn lease(&self, node: NodeId) -> Option<&Lease> {
        self.leases.iter().find(|lease| lease.node == node)
    }

    /// Units given to nodes so far, closed leases included.
    #[must_use]
    pub fn granted_units(&self) -> ComputeUnits {
        self.leases.iter().fold(ComputeUnits::ZERO, |sum, lease| {
            sum.saturating_add(lease.units)
        })
    }

    /// Units that the owner can still grant or take back.
    #[must_use]
    pub fn ungranted_units(&self) -> ComputeUnits {
        self.total_units.saturating_sub(self.granted_units())
    }

    /// When nodes can no longer settle.
    #[must_use]
    pub fn settle_deadline(&self) -> TimestampMs {
        self.expires_at_ms.saturating_add(self.settle_grace_ms)
    }
}

impl Task {
    /// The subscription of a node.
    #[must_use]
    pub fn subscription(&self, node: NodeId) -> Option<&Subscription> {
        self.subscriptions
            .iter()
            .find(|subscription| subscription.node == node)
    }
}
