//! Grants of one unit each: every one would cost the node a transaction, until it has no gas left to
//! settle with.

use crate::arena::{Answer, Arena, PATIENCE, chat, eventually};
use atoma_http::client::{AnswerLimits, post_json};
use atoma_runtime::Runtime;
use atoma_types::{NodeId, StackId};
use http::StatusCode;

const GRANTS: u64 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn grants_of_one_unit_cost_the_node_no_gas() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let stack = arena.buy_ungranted(1_000_000).await;
    let owner = arena.operator.public_key().address();
    let before = arena.ledger.gas(owner).await.unwrap();
    for number in 0..GRANTS {
        // each another one, and none worth a transaction
        let units = 1 + number % 249;
        let answer = grant(&arena, &node.url(), node.node_id(), stack, units).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{answer:?}");
        let needed = answer.json()["error"]["needed"].as_u64().unwrap();
        assert_eq!(needed, 250, "a twentieth of a cent at the node's price");
    }
    assert_eq!(arena.ledger.gas(owner).await.unwrap(), before);

    // a grant worth its transaction is taken
    let answer = grant(&arena, &node.url(), node.node_id(), stack, 100_000).await;
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    assert!(arena.ledger.gas(owner).await.unwrap() < before);
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// A rival leases what collateral it can and asks for a token now and then, so that its units never rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_now_and_then_keeps_no_collateral_from_others() {
    const LEASED: u64 = 20_000_000;
    let arena = Arena::start().await;
    let mut config = arena.config();
    config.settlement.release_idle_after_ms = 1_000;
    config.settlement.tick_ms = 50;
    let node = arena.node_with(config).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = arena.buy(LEASED).await;
    let at_stake = async || arena.ledger.node(id).await.unwrap().at_stake.0;
    assert_eq!(at_stake().await, 2 * LEASED);
    let body = chat(1, false);
    eventually("what it has no use for is given back", async || {
        let header = arena.header(id, stack, body.as_bytes(), Runtime::system().now());
        let answer = arena.send(&url, header, &body).await;
        assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
        at_stake().await < LEASED / 100
    })
    .await;

    // once more it gets a part of what another gets
    let refused = grant(&arena, &url, id, stack, LEASED / 2).await;
    assert_eq!(refused.code(), "grant_too_large", "{refused:?}");
    let more = refused.json()["error"]["needed"].as_u64().unwrap();
    assert!((100_000..LEASED / 2).contains(&more), "{more}");
    let header = arena.header(id, stack, body.as_bytes(), Runtime::system().now());
    assert_eq!(
        arena.send(&url, header, &body).await.status(),
        StatusCode::OK
    );
    node.drain_and_stop().await;
    arena.network.stop().await;
}

async fn grant(arena: &Arena, url: &str, node: NodeId, stack: StackId, units: u64) -> Answer {
    let grant = arena.grant(node, stack, units).to_text();
    let body = serde_json::json!({ "grant": grant }).to_string();
    let request = post_json(&format!("{url}/v1/leases"), body);
    let limits = AnswerLimits::within(PATIENCE, 1 << 20);
    Answer(arena.http.ask(request, limits).await.unwrap())
}
