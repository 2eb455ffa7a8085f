//! A full node that passes a request on: its user pays it, and it pays the node that computed.

use crate::case::types_on;
use atoma_engine::builtin;
use atoma_keys::SigningKey;
use atoma_network::{Network, stored_key};
use atoma_node::ForwardConfig;
use atoma_runtime::SystemRandom;
use atoma_types::{
    MicroUsdc, Price, StackId,
    chain::{Event, Params},
};
use futures::StreamExt;
use serde_json::json;
use std::sync::Arc;

/// What the node asks that computes, and the one that is full.
const COMPUTES: Price = Price(2_000_000);
const FULL: Price = Price(5_000_000);
/// What the full node's stacks may hold.
const BUDGET: MicroUsdc = MicroUsdc(100_000);

/// The first node computes; the second has no place for any request.
async fn network(folder: &std::path::Path) -> Network {
    let full = ForwardConfig {
        above_permille: 0,
        local_nodes: true,
        tick_ms: 200,
        ..ForwardConfig::new(BUDGET)
    };
    let network = Network::builder(folder)
        .params(Params {
            dispute_window_ms: 200,
            settle_grace_ms: 5_000,
            ..Params::default()
        })
        .serving(Arc::new(builtin::load().unwrap()))
        .node(COMPUTES)
        .node(FULL)
        .passing_on(full);
    network.start().await.unwrap()
}

/// The stack that the full node has bought by itself, once the other one has units of it.
async fn stocked(network: &Network) -> StackId {
    let owner = network
        .ledger
        .node(network.nodes[1].id)
        .await
        .unwrap()
        .owner;
    let (mut events, mut bought) = (network.ledger.events(None), None);
    loop {
        match events.next().await.unwrap().unwrap().event {
            Event::StackAcquired(e) if e.owner == owner => bought = Some(e.stack),
            Event::Leased(e) if bought == Some(e.stack) => return e.stack,
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_passed_on_is_paid_on_both_legs() {
    let folder = tempfile::tempdir().unwrap();
    let mut network = network(&folder.path().join("network")).await;
    let second = stocked(&network).await;
    let ledger = network.ledger.clone();
    let user = SigningKey::generate(&SystemRandom);
    let wallet = network.folder().join("node-2").join("wallet.key");
    let wallet = stored_key(&wallet, &SystemRandom).unwrap();
    let money = async |key: &SigningKey| ledger.usdc(key.public_key().address()).await.unwrap().0;
    ledger.faucet(user.public_key().address()).await.unwrap();
    let stock = ledger.stack(second).await.unwrap().escrow.0;
    let before = (money(&user).await, money(&wallet).await + stock);

    let home = folder.path().join("user");
    let ids = [network.nodes[0].id, network.nodes[1].id];
    let [computes, full] = ids.map(|id| id.to_string());
    let does = async |words: &[&str]| types_on(&network, &home, &user, words).await;
    let buy = ["stack", "buy", builtin::NAME, "--units", "20000"];
    let buy = [&buy[..], &["--max-price", "5", "--ungranted"]].concat();
    let stack = does(&buy).await[0]["stack"].as_str().unwrap().to_owned();
    does(&["stack", "grant", &stack, &full, "20000"]).await;
    let ask = [
        "chat",
        "What is the sun?",
        "--max-tokens",
        "8",
        "--stack",
        &stack,
    ];
    let said = does(&ask).await;
    let request = said.last().unwrap()["request"].as_str().unwrap().to_owned();
    // both records stand behind one answer
    let shown = does(&["receipt", "show", &request]).await;
    assert_eq!(shown[0]["node"], json!(full));
    assert_eq!(shown[0]["second_node"], json!(computes));
    assert_eq!(shown[0]["second_stack"], json!(second));
    let of = |name: &str| shown[0][name].as_u64().unwrap();
    let (asked, passed) = (5 * of("units"), 2 * of("second_units"));
    let closed = does(&["stack", "close", &stack, "--wait"]).await;
    let (paid, fee) = (asked - asked / 100, asked / 100);
    assert_eq!(closed[0]["paid_to_nodes_micro_usdc"], json!(paid));

    // the full node's operator stops it, and has what is left of its own stack
    let stopped = network.nodes.remove(1);
    stopped.running.drain_and_stop().await;
    let home = folder.path().join("operator");
    let close = ["stack", "close", &second.to_string(), "--wait"];
    types_on(&network, &home, &wallet, &close).await;
    let after = (money(&user).await, money(&wallet).await);
    assert_eq!(before.0 - after.0, asked);
    assert_eq!(before.1 - after.1, passed);
    let credit = async |node| ledger.node(node).await.unwrap().earnings.0;
    let [computing, full] = [credit(ids[0]).await, credit(ids[1]).await];
    assert_eq!((computing, full), (passed - passed / 100, paid));
    let task = ledger.task(network.task.unwrap()).await.unwrap();
    assert_eq!(task.fees.0, fee + passed / 100);
    network.localnet.audit().unwrap();
    network.stop().await;
}
