//! Of the communal treasury.

use crate::{MicroUsdc, NodeId, TaskId};
use serde::{Deserialize, Serialize};

/// A task's fees are the treasury's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeesCollected {
    /// Id of the task.
    pub task: TaskId,
    /// What was moved, fines of attesters and lost bonds counted in; zero where there was nothing.
    pub amount: MicroUsdc,
}

/// A node's fees of an epoch are in the treasury's book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeesReported {
    /// Id of the node.
    pub node: NodeId,
    /// The epoch in which the fees were paid: whole days since 1970.
    pub epoch: u64,
    /// Fees that the node paid in it.
    pub fees: MicroUsdc,
}

/// A node was credited with its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreasuryPaid {
    /// Id of the node.
    pub node: NodeId,
    /// The epoch whose fees were shared: whole days since 1970.
    pub epoch: u64,
    /// The node's share of the epoch's pool, which is its earnings now.
    pub amount: MicroUsdc,
}
