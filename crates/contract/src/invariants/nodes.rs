//! A node: what it has at stake is covered.

use super::{
    index::Index,
    violation::{Violation, must},
};
use crate::limits::MAX_REPUTATION;
use atoma_types::{
    MicroUsdc,
    chain::{Node, NodeStatus},
};

pub(super) fn check(index: &Index<'_>, node: &Node) -> Result<(), Violation> {
    let at_stake = index.at_stake.get(&node.id).copied().unwrap_or_default();
    must(
        at_stake == u128::from(node.at_stake.0),
        &node.id,
        "what is at stake is what open leases could cost",
    )?;
    must(
        node.at_stake <= node.collateral,
        &node.id,
        "what is at stake is there",
    )?;
    must(
        node.fresh <= node.collateral || node.status == NodeStatus::Left,
        &node.id,
        "fresh collateral is collateral",
    )?;
    let subscribed = index
        .tasks
        .values()
        .filter(|task| task.subscription(node.id).is_some())
        .count() as u64;
    must(
        subscribed == node.subscriptions,
        &node.id,
        "subscriptions are counted",
    )?;
    must(
        node.standing.reputation <= MAX_REPUTATION,
        &node.id,
        "reputation has a top",
    )?;
    let leaving = matches!(node.status, NodeStatus::Unbonding { .. } | NodeStatus::Left);
    must(
        !leaving || subscribed == 0,
        &node.id,
        "who leaves has no subscription",
    )?;
    must(
        node.status != NodeStatus::Left || node.collateral == MicroUsdc::ZERO,
        &node.id,
        "who left has no collateral",
    )
}
