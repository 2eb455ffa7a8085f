//! A node's response key is changed while its users ask: nothing that was served before is lost.

use crate::town::Town;
use atoma_keys::SigningKey;
use atoma_runtime::SystemRandom;
use atoma_runtime::files::write_private;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_changes_its_key_while_requests_run_and_is_paid_for_both() {
    let mut town = Town::start().await;
    let (old_key, new_key) = (town.response_key(), SigningKey::generate(&SystemRandom));
    let accounts = town.accounts(&[]).await;
    let old = town.buys().await;
    let first = town.asks(old).await;
    let (node, key) = (
        town.id().await.to_string(),
        new_key.public_key().to_string(),
    );
    let set_keys = ["node", "set-keys", &node, "--response-key", &key];
    let (during, _) = tokio::join!(town.asks(old), town.operates(&set_keys));
    let after = town.asks(old).await;
    let receipts = [first, during, after];
    let old_key = old_key.public_key();
    let mut signed = receipts.iter().map(|receipt| receipt.verify(&old_key));
    assert!(
        signed.all(|signed| signed.is_ok()),
        "the lease keeps its key"
    );

    // until the node runs with the new key it takes nothing that it could not sign for
    let new = town.buys().await;
    assert!(town.stack(new).await.leases.is_empty());
    town.stop_node().await;
    let file = town.folder().join("response.key");
    let secret = new_key.to_suiprivkey().unwrap();
    write_private(&file, secret.as_bytes()).unwrap();
    town.start_node().await;
    assert_eq!(town.id().await.to_string(), node);
    town.does(&["stack", "grant", &new.to_string(), &node, "5000"])
        .await;
    let last = town.asks(new).await;
    last.verify(&new_key.public_key()).unwrap();

    for stack in [old, new] {
        town.closes(stack).await;
    }
    for stack in [old, new] {
        town.paid(stack).await;
    }
    let pay = |units: u64| units - units / 100;
    let before: u64 = receipts
        .iter()
        .map(|receipt| receipt.message().units.0)
        .sum();
    let served = town.on_ledger().await;
    let earned = pay(before) + pay(last.message().units.0);
    assert_eq!(served.earnings.0, earned);
    assert_eq!((served.standing.paid, served.standing.convicted), (2, 0));
    let units = (before + last.message().units.0) as i64;
    let earned = earned as i64;
    assert_eq!(units, earned, "too little for a fee");
    let moved = [("user", -units), ("node's credit", earned)];
    let after = town.accounts(&[old, new]).await;
    assert_eq!(accounts.moved(&after), moved);
    // and what the user keeps is still proved by the key of its time
    for receipt in receipts.iter().chain([&last]) {
        let request = receipt.message().request_id.to_string();
        town.does(&["receipt", "show", &request]).await;
    }
}
