//! A node that another takes the place of, at work: what it has leased goes on, whether it starts again or not.

use crate::{case::types, town::Town};
use atoma_keys::SigningKey;
use atoma_network::testing::World;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, TaskId,
    chain::{Call, Clock, Event, Payment, calls},
};
use serde_json::json;

/// As many as a task holds.
const SUBSCRIPTIONS: usize = 256;
/// Calls in one transaction.
const AT_ONCE: usize = 32;

/// Nodes with twice the collateral that is usual, which nobody can reach.
async fn rivals(world: &World, owner: &SigningKey, count: usize) -> Vec<NodeId> {
    let collateral = MicroUsdc(2 * world.collateral.0);
    let all = MicroUsdc(collateral.0 * count as u64);
    world.give_usdc(owner.public_key().address(), all).await;
    let register = || -> Call {
        calls::RegisterNode {
            db: world.ledger.deployment().db.into(),
            collateral: Payment(collateral),
            url: "http://127.0.0.1:1".to_owned(),
            response_key: owner.public_key(),
            sealing_key: None,
            clock: Clock,
        }
        .into()
    };
    let mut nodes = Vec::new();
    while nodes.len() < count {
        let now = AT_ONCE.min(count - nodes.len());
        let calls = std::iter::repeat_with(register).take(now).collect();
        let done = world.ledger.execute(owner, calls).await.unwrap();
        nodes.extend(done.events.iter().filter_map(|event| match event {
            Event::NodeRegistered(e) => Some(e.node),
            _ => None,
        }));
    }
    nodes
}

async fn fill(world: &World, owner: &SigningKey, task: TaskId, nodes: &[NodeId]) {
    for some in nodes.chunks(AT_ONCE) {
        let calls = some.iter().map(|node| world.subscribe(task, *node));
        world.ledger.execute(owner, calls.collect()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_evicted_at_work_serves_what_it_has_leased_and_is_paid() {
    let mut town = Town::start().await;
    let (node, task) = (town.id().await, town.task());
    let before = town.accounts(&[]).await;
    let stack = town.buys().await;
    let first = town.asks(stack).await;

    let rival = town.world.party().await;
    let rivals = rivals(&town.world, &rival, SUBSCRIPTIONS).await;
    // what is put up counts once it has matured
    town.world.advance(10).await;
    let (newest, others) = rivals.split_last().unwrap();
    fill(&town.world, &rival, task, others).await;
    let (newest, named, evicted) = (newest.to_string(), task.to_string(), node.to_string());
    let evict = [
        "node",
        "evict",
        &newest,
        &named,
        "--evicted",
        &evicted,
        "--price",
        "1",
    ];
    types(&town.world, &rival, &evict).await.unwrap();
    let offers = town.world.ledger.task(task).await.unwrap();
    assert!(offers.subscription(node).is_none());
    assert_eq!(offers.subscriptions.len(), SUBSCRIPTIONS);

    // its users see nothing of it
    let second = town.asks(stack).await;
    // nor does a node that starts again find its place taken and stay away: it did, with all that it had leased
    town.stop_node().await;
    town.start_node().await;
    let third = town.asks(stack).await;
    let units: u64 = [first, second, third]
        .iter()
        .map(|receipt| receipt.message().units.0)
        .sum();
    let closed = town.closes(stack).await;
    let rest = town.price().cost(ComputeUnits(5_000 - units)).unwrap();
    assert_eq!(closed["withdrawn_micro_usdc"], json!(rest.0));
    town.paid(stack).await;
    let served = town.on_ledger().await;
    assert_eq!(served.earnings.0, units - units / 100);
    assert_eq!(served.collateral, town.world.collateral);
    assert_eq!((served.subscriptions, served.standing.convicted), (0, 0));
    let (units, earned) = (units as i64, served.earnings.0 as i64);
    assert_eq!(units, earned, "too little for a fee");
    let moved = [("user", -units), ("node's credit", earned)];
    assert_eq!(before.moved(&town.accounts(&[stack]).await), moved);

    // once there is a place it offers itself again
    let leave = ["node", "unsubscribe", &newest, &named];
    types(&town.world, &rival, &leave).await.unwrap();
    town.waits(async || {
        let task = town.world.ledger.task(task).await.unwrap();
        task.subscription(node).is_some()
    })
    .await;
}
