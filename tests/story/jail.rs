//! A node that is convicted, goes on with what it has, and comes back.

use crate::{
    case::types,
    town::{HOUR, Town},
};
use atoma_types::{ComputeUnits, chain::SubscriptionState, message::Signed};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_convicted_node_is_paid_for_its_other_leases_and_earns_again_after_its_jail() {
    let town = Town::start().await;
    let ledger = &town.world.ledger;
    let collateral = town.on_ledger().await.collateral.0;
    let before = town.accounts(&[]).await;
    let (guilty, other) = (town.buys().await, town.buys().await);
    let idle = town.buys_ungranted().await;
    let lost = town.asks(guilty).await;
    let kept = town.asks(other).await.message().units.0;

    // it settles the one, and a second receipt for the same request turns up
    town.closes(guilty).await;
    let mut dear = lost.message().clone();
    dear.units = ComputeUnits(dear.units.0 + 1);
    let dear = Signed::new(dear, &town.response_key());
    let words = ["dispute", "equivocation", &lost.to_text(), &dear.to_text()];
    let convicted = town.does(&words).await;
    let fine = 10 * lost.message().units.0;
    assert_eq!(convicted[0]["fine_micro_usdc"], json!(fine));
    town.does(&["stack", "withdraw", &guilty.to_string()]).await;
    let node = town.id().await.to_string();
    let shown = town.does(&["node", "show", &node]).await;
    assert_eq!(shown[0]["status"], "jailed");
    assert_eq!(shown[0]["collateral_micro_usdc"], json!(collateral - fine));

    // it gets nothing new meanwhile, and serves and settles what it has
    let grant = ["stack", "grant", &idle.to_string(), &node, "5000"];
    let refused = types(&town.world, &town.user, &grant).await.unwrap_err();
    assert!(refused.contains("node_not_active"), "{refused}");
    let kept = kept + town.asks(other).await.message().units.0;
    town.closes(other).await;
    town.paid(other).await;
    let fee = kept / 100;
    let earned = kept - fee;
    assert_eq!(town.on_ledger().await.earnings.0, earned);

    // the fine must be made good: a node below the minimum takes no lease
    town.world.advance(HOUR).await;
    let amount = format!("0.{fine:06}");
    town.operates(&["node", "add-collateral", &node, &amount])
        .await;
    town.waits(async || {
        let task = ledger.task(town.stack(idle).await.task).await.unwrap();
        task.subscriptions[0].state == SubscriptionState::Active
    })
    .await;
    let shown = town.does(&["node", "show", &node]).await;
    assert_eq!(shown[0]["status"], "active");
    town.grants(idle).await;
    let again = town.asks(idle).await.message().units.0;
    town.closes(idle).await;
    town.paid(idle).await;
    let pay = again - again / 100;
    assert_eq!(town.on_ledger().await.earnings.0, earned + pay);
    town.operates(&["node", "withdraw", &node]).await;

    // a week later the fine is the protocol's
    town.world.advance(7 * 24 * HOUR).await;
    types(&town.world, &town.user, &["node", "forfeit", &node])
        .await
        .unwrap();
    town.does(&["stack", "withdraw", &idle.to_string()]).await;
    let after = town.accounts(&[guilty, other, idle]).await;
    let served = (kept + again) as i64;
    let (paid, fine) = ((earned + pay) as i64, fine as i64);
    assert_eq!(served, paid, "too little for a fee");
    // what was made good stands for what was taken
    let moved = [
        ("user", -served),
        ("operator", paid - fine),
        ("treasury", fine),
    ];
    assert_eq!(before.moved(&after), moved);
}
