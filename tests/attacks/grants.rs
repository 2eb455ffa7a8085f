//! Grants of one unit each: every one would cost the node a transaction, until it has no gas left to
//! settle with.

use crate::arena::{Answer, Arena, PATIENCE};
use atoma_http::client::{AnswerLimits, post_json};
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

async fn grant(arena: &Arena, url: &str, node: NodeId, stack: StackId, units: u64) -> Answer {
    let grant = arena.grant(node, stack, units).to_text();
    let body = serde_json::json!({ "grant": grant }).to_string();
    let request = post_json(&format!("{url}/v1/leases"), body);
    let limits = AnswerLimits::within(PATIENCE, 1 << 20);
    Answer(arena.http.ask(request, limits).await.unwrap())
}
