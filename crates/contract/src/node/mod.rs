//! Nodes: registration, keys, attestation; money and fines; the way out.

mod fines;
mod money;
mod register;

pub(crate) use fines::{forfeit, pardon};
pub(crate) use money::{add_collateral, begin_unbonding, leave, withdraw};
pub(crate) use register::{attest, register, set_keys, set_url};

use crate::{Rule, Txn, ensure};
use atoma_types::{
    TimestampMs,
    chain::{AbortCode, Node, NodeStatus, events::NodeStatusChanged},
};

/// Whether a node may take new business: a jail whose time is over counts no more.
pub(crate) fn is_active(node: &Node, now: TimestampMs) -> bool {
    node.status.takes_leases(now)
}

/// Only a node that may take new business.
pub(crate) fn ensure_active(txn: &Txn<'_>, node: &Node) -> Rule {
    ensure(is_active(node, txn.now()), AbortCode::NodeNotActive)
}

/// Changes a node's standing and says so.
pub(crate) fn set_status(txn: &mut Txn<'_>, node: &mut Node, status: NodeStatus) {
    node.status = status;
    txn.emit(NodeStatusChanged {
        node: node.id,
        status,
    });
}
