//! A lease that nobody uses: its units go back to the stack, the node's collateral is free for others, and whoever
//! asks again gets them again.

use crate::town::Town;
use atoma_types::{ComputeUnits, MicroUsdc};
use std::time::Duration;

/// Long enough for a command, short enough to wait for.
const IDLE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_lease_gives_its_units_back_and_has_them_again_when_it_is_asked() {
    let town = Town::giving_back(IDLE).await;
    let node = town.id().await;
    let before = town.accounts(&[]).await;
    let stack = town.buys().await;
    let first = town.asks(stack).await;
    let used = first.message().cumulative_units;
    let held = async || town.stack(stack).await.lease(node).unwrap().units;
    assert!(held().await > used, "it was leased more");
    let free = async |free: ComputeUnits| {
        let on_ledger = town.stack(stack).await;
        let lease = on_ledger.lease(node).unwrap();
        lease.units == free && !lease.closed
    };
    town.waits(async || free(used).await).await;
    let at_stake = town.on_ledger().await.at_stake;
    let multiple = town.stack(stack).await.terms.fine_multiple;
    assert_eq!(
        at_stake,
        MicroUsdc(used.0 * multiple),
        "for what was served"
    );

    let second = town.asks(stack).await;
    assert_eq!(second.message().seq, 2);
    let served = second.message().cumulative_units;
    town.waits(async || free(served).await).await;
    let closed = town.closes(stack).await;
    assert_eq!(closed["withdrawn_micro_usdc"], 5_000 - served.0);
    town.paid(stack).await;
    let paid = town.on_ledger().await;
    assert_eq!(paid.earnings.0, served.0 - served.0 / 100);
    assert_eq!((paid.at_stake.0, paid.standing.convicted), (0, 0));
    let (units, earned) = (served.0 as i64, paid.earnings.0 as i64);
    assert_eq!(units, earned, "too little for a fee");
    let moved = [("user", -units), ("node's credit", earned)];
    assert_eq!(before.moved(&town.accounts(&[stack]).await), moved);
}
