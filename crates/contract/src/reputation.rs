//! Reputation: up slowly with settlements that were paid, down fast with leases left to expire and
//! records not shown, and all of it is lost by fraud.

use crate::limits::MAX_REPUTATION;
use atoma_types::chain::{Node, Params};

/// A claim was paid.
pub(crate) fn settled(node: &mut Node, params: &Params) {
    node.settled = node.settled.saturating_add(1);
    let raised = node.reputation.saturating_add(params.reputation_gain);
    node.reputation = raised.min(MAX_REPUTATION);
}

/// A lease expired unsettled, or a record was not shown.
pub(crate) fn failed(node: &mut Node, params: &Params) {
    node.failed = node.failed.saturating_add(1);
    node.reputation = node.reputation.saturating_sub(params.reputation_loss);
}

/// Fraud was proven.
pub(crate) fn lost(node: &mut Node) {
    node.failed = node.failed.saturating_add(1);
    node.reputation = 0;
}
