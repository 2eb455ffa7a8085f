//! Of stacks and leases.

use crate::{
    Address, ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, PublicKey, StackId, TaskId,
    TimestampMs,
};
use serde::{Deserialize, Serialize};

/// A stack was bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackAcquired {
    /// Id of the stack.
    pub stack: StackId,
    /// Who may act for it.
    pub owner: Address,
    /// Id of the task.
    pub task: TaskId,
    /// Signs its requests.
    pub request_key: PublicKey,
    /// How many compute units were bought.
    pub total_units: ComputeUnits,
    /// The highest price of a lease, in micro-USDC for a million units.
    pub max_price: Price,
    /// What was paid for the units at the highest price.
    pub escrow: MicroUsdc,
    /// The drawn nodes, which alone may lease; any node if there are none.
    pub candidates: Vec<NodeId>,
    /// When it ends.
    pub expires_at_ms: TimestampMs,
    /// How long nodes may settle after that.
    pub settle_grace_ms: DurationMs,
}

/// A node has leased units, by a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leased {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// Id of the task.
    pub task: TaskId,
    /// Who may act for it.
    pub owner: Address,
    /// Signs its requests.
    pub request_key: PublicKey,
    /// Checks the node's receipts of this lease.
    pub response_key: PublicKey,
    /// Units of the lease, afterwards.
    pub units: ComputeUnits,
    /// The node's price, which holds for the lease.
    pub price: Price,
    /// Units that no node has, afterwards.
    pub ungranted: ComputeUnits,
    /// When it ends.
    pub expires_at_ms: TimestampMs,
    /// How long nodes may settle after that.
    pub settle_grace_ms: DurationMs,
}

/// A node gave units back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitsReleased {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// Units that the lease still has.
    pub units: ComputeUnits,
    /// Units that no node has, afterwards.
    pub ungranted: ComputeUnits,
}

/// Units were added to a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToppedUp {
    /// Id of the stack.
    pub stack: StackId,
    /// Units that no node has, afterwards.
    pub ungranted: ComputeUnits,
    /// What was paid.
    pub paid: MicroUsdc,
}

/// A stack ends sooner or later than it would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiryChanged {
    /// Id of the stack.
    pub stack: StackId,
    /// When it ends.
    pub expires_at_ms: TimestampMs,
    /// Whether the owner ended it.
    pub closing: bool,
}

/// Another may demand and challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatcherSet {
    /// Id of the stack.
    pub stack: StackId,
    /// Who it is now.
    pub watcher: Option<Address>,
}

/// Units that no node had were taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UngrantedRevoked {
    /// Id of the stack.
    pub stack: StackId,
    /// How many units were taken back.
    pub units: ComputeUnits,
    /// What became the owner's credit.
    pub freed: MicroUsdc,
    /// The stack's new nonce: grants with another are void.
    pub nonce: u64,
}

/// A stack's credit was paid out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeWithdrawn {
    /// Id of the stack.
    pub stack: StackId,
    /// Who got the coin.
    pub to: Address,
    /// What was paid out: the whole credit.
    pub amount: MicroUsdc,
}

/// A lease is over: nothing more is paid from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseClosed {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// Units of the lease that are paid.
    pub paid_units: ComputeUnits,
    /// What became the owner's credit.
    pub freed: MicroUsdc,
}
