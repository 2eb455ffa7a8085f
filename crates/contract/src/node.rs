//! Nodes: collateral, standing, and the way out.

use crate::{
    Rule, Txn, db, ensure,
    limits::{MAX_REPUTATION, MAX_URL},
};
use atoma_types::{
    DurationMs, MicroUsdc, TimestampMs,
    chain::{
        AbortCode, Node, NodeStatus, UnitsInEpoch,
        calls::{AddCollateral, BeginUnbonding, RegisterNode, SetNodeUrl, WithdrawCollateral},
        events::{CollateralAdded, NodeLeft, NodeMoved, NodeRegistered, NodeStatusChanged},
    },
};

/// Registers a node of the sender's.
pub(crate) fn register(txn: &mut Txn<'_>, call: &RegisterNode) -> Rule {
    let mut db = txn.db(call.db.id())?;
    db::ensure_open(&db)?;
    let collateral = call.collateral.0;
    ensure(
        collateral.0 >= db.params.min_collateral,
        AbortCode::CollateralTooLow,
    )?;
    ensure(is_url(&call.url), AbortCode::UrlInvalid)?;
    ensure(
        call.response_key.decode().is_ok(),
        AbortCode::ResponseKeyInvalid,
    )?;

    txn.take(collateral)?;
    let id = txn.new_node_id();
    let number = txn.add_numbered(&mut db.nodes, id.0);
    let node = Node {
        id,
        number,
        owner: txn.sender(),
        collateral,
        status: NodeStatus::Active,
        url: call.url.clone(),
        response_key: call.response_key,
        sealing_key: call.sealing_key,
        reputation: db.params.reputation_initial.min(MAX_REPUTATION),
        settled: 0,
        failed: 0,
        subscriptions: 0,
        current: UnitsInEpoch::default(),
        previous: UnitsInEpoch::default(),
    };
    txn.emit(NodeRegistered {
        node: id,
        number,
        owner: node.owner,
        collateral,
        url: node.url.clone(),
        response_key: node.response_key,
    });
    txn.put_db(db);
    txn.put_node(node);
    Ok(())
}

/// Moves a node to another URL.
pub(crate) fn set_url(txn: &mut Txn<'_>, call: &SetNodeUrl) -> Rule {
    let mut node = txn.own_node(call.node.id())?;
    ensure(is_url(&call.url), AbortCode::UrlInvalid)?;
    node.url.clone_from(&call.url);
    txn.emit(NodeMoved {
        node: node.id,
        url: call.url.clone(),
    });
    txn.put_node(node);
    Ok(())
}

/// Adds collateral. Not to a node that is leaving: money put there would only wait.
pub(crate) fn add_collateral(txn: &mut Txn<'_>, call: &AddCollateral) -> Rule {
    let mut node = txn.own_node(call.node.id())?;
    let stays = matches!(node.status, NodeStatus::Active | NodeStatus::Jailed { .. });
    ensure(stays, AbortCode::NodeNotActive)?;
    let added = call.collateral.0;
    ensure(added > MicroUsdc::ZERO, AbortCode::NothingAdded)?;
    txn.take(added)?;
    node.collateral = node
        .collateral
        .checked_add(added)
        .ok_or(AbortCode::AmountOverflow)?;
    txn.emit(CollateralAdded {
        node: node.id,
        collateral: node.collateral,
    });
    txn.put_node(node);
    Ok(())
}

/// Begins to leave. A node with a subscription may still have leases, so it can't.
pub(crate) fn begin_unbonding(txn: &mut Txn<'_>, call: &BeginUnbonding) -> Rule {
    let db = txn.db(call.db.id())?;
    let mut node = txn.own_node(call.node.id())?;
    ensure(is_active(&node, txn.now()), AbortCode::NodeNotActive)?;
    ensure(node.subscriptions == 0, AbortCode::NodeHasSubscriptions)?;
    let wait = DurationMs(db.params.unbonding_ms);
    set_status(
        txn,
        &mut node,
        NodeStatus::Unbonding {
            until_ms: txn.now().saturating_add(wait),
        },
    );
    txn.put_node(node);
    Ok(())
}

/// Pays the collateral out after the wait.
pub(crate) fn withdraw_collateral(txn: &mut Txn<'_>, call: &WithdrawCollateral) -> Rule {
    let mut node = txn.own_node(call.node.id())?;
    let NodeStatus::Unbonding { until_ms } = node.status else {
        return Err(AbortCode::NotUnbonding);
    };
    ensure(txn.now() >= until_ms, AbortCode::UnbondingNotOver)?;
    let collateral = std::mem::take(&mut node.collateral);
    txn.pay(node.owner, collateral);
    set_status(txn, &mut node, NodeStatus::Left);
    txn.emit(NodeLeft {
        node: node.id,
        collateral,
    });
    txn.put_node(node);
    Ok(())
}

/// Whether a node may take new business: a jail whose time is over counts no more.
pub(crate) fn is_active(node: &Node, now: TimestampMs) -> bool {
    node.status.takes_leases(now)
}

/// Changes a node's standing and says so.
pub(crate) fn set_status(txn: &mut Txn<'_>, node: &mut Node, status: NodeStatus) {
    node.status = status;
    txn.emit(NodeStatusChanged {
        node: node.id,
        status,
    });
}

/// `http://` or `https://`, then a host: visible ASCII only, so that nothing hides in it.
fn is_url(url: &str) -> bool {
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let named = host.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', '?', '#']));
    named && url.len() <= MAX_URL && url.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for good in ["http://127.0.0.1:80", "https://node.example/path?x=1"] {
            assert!(is_url(good), "{good}");
        }
        let long = format!("http://{}", "a".repeat(MAX_URL));
        for bad in [
            "",
            "http://",
            "ftp://x",
            "http:///x",
            "http://a b",
            "http://a\n",
            "http://\u{e9}",
            &long,
        ] {
            assert!(!is_url(bad), "{bad}");
        }
    }
}
