//! An answer whose record might not fit into a pack is refused before anything is charged.

use crate::{case::types, town::Town};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_evidence_has_no_room_for_is_refused_and_costs_nothing() {
    let town = Town::examined_in_small_packs().await;
    let stack = town.buys_ungranted().await;
    town.grants(stack).await;
    let id = stack.to_string();
    let ask = |tokens| ["chat", "Hello", "--max-tokens", tokens, "--stack", &id];
    let refused = types(&town.world, &town.user, &ask("200")).await;
    let refused = refused.unwrap_err();
    assert!(refused.contains("evidence_too_long"), "{refused}");
    // it is no fault of the node's or the stack's: a shorter answer is given, and only that is claimed
    let served = types(&town.world, &town.user, &ask("1")).await.unwrap();
    let request = served.last().unwrap()["request"].as_str().unwrap();
    let shown = ["receipt", "show", request];
    let shown = types(&town.world, &town.user, &shown).await.unwrap();
    assert_eq!(shown[0]["seq"], json!(1), "what was refused has no receipt");
    let metric = town
        .metric("atoma_node_requests_refused_total{code=\"evidence_too_long\"}")
        .await;
    assert_eq!(metric, 1);
    assert_eq!(shown[0]["cumulative_units"], shown[0]["units"]);
}
