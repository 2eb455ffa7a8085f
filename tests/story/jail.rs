//! A node that is convicted, goes on with what it has, and comes back.

use crate::{
    case::types,
    town::{HOUR, Town},
};
use atoma_types::{
    ComputeUnits, StackId,
    chain::SubscriptionState,
    message::{Receipt, Signed},
};
use serde_json::{Value, json};

impl Town {
    /// The node settles what it served, and a second receipt for the same request turns up: the fine.
    async fn convicts(&self, stack: StackId, receipt: &Signed<Receipt>) -> u64 {
        self.closes(stack).await;
        let mut dear = receipt.message().clone();
        dear.units = ComputeUnits(dear.units.0 + 1);
        let dear = Signed::new(dear, &self.response_key());
        let (receipt, dear) = (receipt.to_text(), dear.to_text());
        let words = ["dispute", "equivocation", &receipt, &dear];
        let convicted = self.does(&words).await;
        self.does(&["stack", "withdraw", &stack.to_string()]).await;
        convicted[0]["fine_micro_usdc"].as_u64().unwrap()
    }

    /// What anyone is told of the node.
    async fn shown(&self) -> Value {
        let node = self.id().await.to_string();
        self.does(&["node", "show", &node]).await.remove(0)
    }

    /// The jail is over, and the fine made good: a node below the minimum takes no lease.
    async fn comes_back(&self, fine: u64) {
        self.world.advance(HOUR).await;
        let (node, amount) = (self.id().await.to_string(), format!("0.{fine:06}"));
        self.operates(&["node", "add-collateral", &node, &amount])
            .await;
        self.waits(async || {
            let task = self.world.ledger.task(self.task()).await.unwrap();
            task.subscriptions[0].state == SubscriptionState::Active
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_convicted_node_is_paid_for_its_other_leases_and_earns_again_after_its_jail() {
    let town = Town::start().await;
    let collateral = town.on_ledger().await.collateral.0;
    let before = town.accounts(&[]).await;
    let (guilty, other) = (town.buys().await, town.buys().await);
    let idle = town.buys_ungranted().await;
    let lost = town.asks(guilty).await;
    let kept = town.asks(other).await.message().units.0;
    let fine = town.convicts(guilty, &lost).await;
    assert_eq!(fine, 10 * lost.message().units.0);
    let shown = town.shown().await;
    assert_eq!(shown["status"], "jailed");
    assert_eq!(shown["collateral_micro_usdc"], json!(collateral - fine));

    // it gets nothing new meanwhile, and serves and settles what it has
    let node = town.id().await.to_string();
    let grant = ["stack", "grant", &idle.to_string(), &node, "5000"];
    let refused = types(&town.world, &town.user, &grant).await.unwrap_err();
    assert!(refused.contains("node_not_active"), "{refused}");
    let kept = kept + town.asks(other).await.message().units.0;
    town.closes(other).await;
    town.paid(other).await;
    let fee = kept / 100;
    let earned = kept - fee;
    assert_eq!(town.on_ledger().await.earnings.0, earned);

    town.comes_back(fine).await;
    assert_eq!(town.shown().await["status"], "active");
    town.grants(idle).await;
    let again = town.asks(idle).await.message().units.0;
    town.closes(idle).await;
    town.paid(idle).await;
    let pay = again - again / 100;
    assert_eq!(town.on_ledger().await.earnings.0, earned + pay);
    town.operates(&["node", "withdraw", &node]).await;

    // a week later the fine is the protocol's
    town.world.advance(7 * 24 * HOUR).await;
    town.does(&["node", "forfeit", &node]).await;
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
