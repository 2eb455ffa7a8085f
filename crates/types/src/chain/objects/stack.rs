//! Stacks and their leases.

use super::{Terms, Ticket};
use crate::{
    Address, ComputeUnits, EngineClass, MicroUsdc, NodeId, Price, PublicKey, StackId, TaskId,
    TimestampMs, UnitWeights, hash::Hash32,
};
use serde::{Deserialize, Serialize};

/// Units of a stack that belong to one node. It stays on the stack when it is closed: a node that began anew
/// could be paid twice for the same vouchers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Id of the node's object.
    pub node: NodeId,
    /// The node's owner, who never changes.
    pub owner: Address,
    /// The node's response key when the lease began: its receipts are checked by it.
    pub key: PublicKey,
    /// The node's own price when the lease began.
    pub price: Price,
    /// The units that it may serve.
    pub units: ComputeUnits,
    /// Units of them that are paid.
    pub paid_units: ComputeUnits,
    /// The `seq` of the last paid receipt. A node without its journal goes on from here.
    pub paid_seq: u64,
    /// Hash of the last paid receipt; zero if there is none.
    pub last: Hash32,
    /// Fees of answered demands, the node's with the next payment or the end.
    pub fees: MicroUsdc,
    /// Claims that wait to be paid, at most two, the earlier one first.
    pub tickets: Vec<Ticket>,
    /// Nothing more comes of it.
    pub closed: bool,
}

/// A prepaid purchase (shared).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// Id of this object.
    pub id: StackId,
    /// Version of the rules that may touch it.
    pub version: u64,
    /// Who bought it. Never changes.
    pub owner: Address,
    /// Who may demand and challenge beside the owner, with money of its own that becomes the owner's.
    pub watcher: Option<Address>,
    /// What it is for.
    pub task: TaskId,
    /// The task's weights.
    pub weights: UnitWeights,
    /// The task's engine and model.
    pub engine: EngineClass,
    /// Signs requests and grants.
    pub request_key: PublicKey,
    /// No lease costs more.
    pub max_price: Price,
    /// What was agreed on.
    pub terms: Terms,
    /// Units that no node has.
    pub ungranted: ComputeUnits,
    /// Only grants with this number are good; revoking raises it.
    pub nonce: u64,
    /// The drawn nodes; if there are any, only they may take leases.
    pub candidates: Vec<NodeId>,
    /// Units given to nodes.
    pub leases: Vec<Lease>,
    /// What open leases and ungranted units may cost.
    pub escrow: MicroUsdc,
    /// The owner's credit.
    pub free: MicroUsdc,
    /// When it was bought.
    pub created_at_ms: TimestampMs,
    /// No request or new lease from here on.
    pub expires_at_ms: TimestampMs,
}

impl Lease {
    /// What its units cost that are not paid; `None` past `u64::MAX`.
    #[must_use]
    pub fn unpaid(&self) -> Option<MicroUsdc> {
        self.value(self.paid_units, self.units)
    }

    /// What the units between cost; `None` if they are less than none, or past `u64::MAX`.
    #[must_use]
    pub fn value(&self, from: ComputeUnits, to: ComputeUnits) -> Option<MicroUsdc> {
        let before = self.price.cost(from)?;
        self.price.cost(to)?.checked_sub(before)
    }

    /// Units that are paid or claimed.
    #[must_use]
    pub fn claimed_units(&self) -> ComputeUnits {
        self.tickets
            .last()
            .map_or(self.paid_units, |ticket| ticket.to_units)
    }

    /// The `seq` of the last receipt that is paid or claimed.
    #[must_use]
    pub fn claimed_seq(&self) -> u64 {
        self.tickets
            .last()
            .map_or(self.paid_seq, |ticket| ticket.to_seq)
    }
}

impl Stack {
    /// The lease of a node.
    #[must_use]
    pub fn lease(&self, node: NodeId) -> Option<&Lease> {
        self.leases.iter().find(|lease| lease.node == node)
    }

    /// The leases that aren't closed.
    pub fn open_leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.iter().filter(|lease| !lease.closed)
    }

    /// Units that the escrow is for.
    #[must_use]
    pub fn live_units(&self) -> ComputeUnits {
        self.open_leases()
            .fold(self.ungranted, |sum, lease| sum.saturating_add(lease.units))
    }

    /// What the escrow must be, were there so many live units; `None` past `u64::MAX`.
    #[must_use]
    pub fn escrow_for(&self, live: ComputeUnits) -> Option<MicroUsdc> {
        self.open_leases()
            .try_fold(self.max_price.cost(live)?, |rest, lease| {
                rest.checked_sub(lease.price.cost(lease.paid_units)?)
            })
    }

    /// The last moment to settle.
    #[must_use]
    pub fn settle_deadline(&self) -> TimestampMs {
        self.expires_at_ms
            .saturating_add(self.terms.settle_grace_ms)
    }

    /// Whether nothing more comes of it: what is left is the owner's credit.
    #[must_use]
    pub fn is_over(&self, now: TimestampMs) -> bool {
        now >= self.expires_at_ms
            && self.ungranted == ComputeUnits::ZERO
            && self.open_leases().next().is_none()
    }
}
