//! What a node is and says of itself.

use crate::{Rule, Txn, db, ensure, limits::MAX_URL, standing};
use atoma_types::{
    DurationMs, MicroUsdc,
    chain::{
        AbortCode, Attestation, FeesInEpoch, Node, NodeStatus, Pending, VERSION,
        calls::{AttestNode, RegisterNode, SetNodeKeys, SetNodeUrl},
        events::{NodeAttested, NodeKeysChanged, NodeMoved, NodeRegistered},
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
    let maturity = DurationMs(db.params.maturity_ms);
    let node = Node {
        id,
        version: VERSION,
        number,
        owner: txn.sender(),
        collateral,
        fresh: collateral,
        matures_at_ms: txn.now().saturating_add(maturity),
        at_stake: MicroUsdc::ZERO,
        unbonding_ms: DurationMs(db.params.unbonding_ms),
        earnings: MicroUsdc::ZERO,
        pending: Pending::default(),
        status: NodeStatus::Active,
        url: call.url.clone(),
        response_key: call.response_key,
        sealing_key: call.sealing_key,
        attestation: None,
        standing: standing::initial(),
        subscriptions: 0,
        current: FeesInEpoch::default(),
        previous: FeesInEpoch::default(),
        reported: FeesInEpoch::default(),
    };
    txn.emit(NodeRegistered {
        node: id,
        number,
        owner: node.owner,
        collateral,
        url: node.url.clone(),
        response_key: node.response_key,
        sealing_key: node.sealing_key,
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

/// Rotates a node's keys. Open leases keep the response key that they began with, or a node that lost the
/// new one could no longer be held to the old.
pub(crate) fn set_keys(txn: &mut Txn<'_>, call: &SetNodeKeys) -> Rule {
    let mut node = txn.own_node(call.node.id())?;
    ensure(
        call.response_key.decode().is_ok(),
        AbortCode::ResponseKeyInvalid,
    )?;
    node.response_key = call.response_key;
    node.sealing_key = call.sealing_key;
    txn.emit(NodeKeysChanged {
        node: node.id,
        response_key: node.response_key,
        sealing_key: node.sealing_key,
    });
    txn.put_node(node);
    Ok(())
}

/// States what a node runs on. The ledger believes nothing of it: it asks whether the task's owner has
/// listed the release, and clients verify the evidence.
pub(crate) fn attest(txn: &mut Txn<'_>, call: &AttestNode) -> Rule {
    let mut node = txn.own_node(call.node.id())?;
    let attestation = Attestation {
        kind: call.kind,
        release: call.release,
        evidence: call.evidence,
        expires_at_ms: call.expires_at_ms,
    };
    node.attestation = Some(attestation);
    txn.emit(NodeAttested {
        node: node.id,
        attestation,
    });
    txn.put_node(node);
    Ok(())
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
