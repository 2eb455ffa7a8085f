//! A node whose journal is gone, but for the key that signs its receipts.

use crate::{case::types, town::Town};
use atoma_types::MicroUsdc;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_an_empty_journal_loses_what_it_had_not_claimed_and_nothing_else() {
    let mut town = Town::claiming(MicroUsdc(1)).await;
    let (node, collateral) = (town.id().await, town.on_ledger().await.collateral);
    let stack = town.buys().await;
    let claimed = town.asks(stack).await;
    town.waits(async || {
        let stack = town.stack(stack).await;
        !stack.lease(node).unwrap().tickets.is_empty()
    })
    .await;
    // the second of its two tickets is for the end
    let lost = town.asks(stack).await;
    town.drop_node();
    for entry in std::fs::read_dir(town.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else if path.file_name().unwrap() != "response.key" {
            std::fs::remove_file(path).unwrap();
        }
    }
    town.start_node().await;
    assert_eq!(town.id().await, node, "it finds itself on the ledger");

    let (first, second) = (claimed.to_text(), lost.to_text());
    let both = ["dispute", "equivocation", &first, &second];
    let refused = types(&town.world, &town.user, &both).await.unwrap_err();
    assert!(refused.contains("receipts_agree"), "{refused}");
    let closed = town.closes(stack).await;
    let units = claimed.message().units.0;
    assert_eq!(closed["withdrawn_micro_usdc"], 5_000 - units);
    town.paid(stack).await;
    let restored = town.on_ledger().await;
    assert_eq!(restored.earnings.0, units - units / 100);
    assert_eq!(
        (restored.collateral, restored.standing.convicted),
        (collateral, 0)
    );
    town.world.audit();
}
