//! What is signed at once for a node that has to earn it: by who pays for somebody else, and can't charge them.

use crate::{scripted::COST, world::World};
use atoma_client::{ClientError, RequestTry, StackHandle, retry::Mend};
use atoma_types::{ComputeUnits, message::Endpoint};
use futures::future::join_all;

/// What one request may cost, and the window.
const MAX: ComputeUnits = ComputeUnits(100);
const AT_ONCE: usize = 16;

/// So many are chosen before any of them is signed: what isn't signed then isn't earned.
async fn burst(world: &World, stack: &StackHandle, act: &str, many: usize) {
    let node = world.node.id;
    let asked: Vec<_> = (0..many)
        .map(|_| {
            assert!(stack.has_earned(node, MAX), "each of them alone");
            // two thirds of the lease
            let body = format!(r#"{{"act":"{act}","n_units":6600,"max_tokens":10}}"#);
            let id = stack.client().runtime().request_id();
            RequestTry::new(id, Endpoint::ChatCompletions, body.into(), MAX).earned()
        })
        .collect();
    let tried = asked.iter().map(|request| async move {
        let (_wait, tried) = stack.try_once_watched(node, request);
        match tried.await {
            Ok(answer) => answer.whole().await.map(|_| ()),
            Err(error) => Err(error),
        }
    });
    let ended = join_all(tried).await;
    assert!(ended.iter().any(Result::is_ok));
    for error in ended.into_iter().filter_map(Result::err) {
        assert!(matches!(error, ClientError::NotEarned { .. }), "{error}");
    }
}

/// All of them found nothing signed when they were chosen, and all were signed: a whole lease, which its node refused and claimed.
#[tokio::test(start_paused = true)]
async fn a_burst_has_no_more_signed_at_once_than_its_node_has_earned() {
    let world = World::simulated().await;
    let client = world.client_with(MAX);
    let stack = world.leased(&client).await;
    burst(&world, &stack, "refuse", AT_ONCE).await;
    assert_eq!(world.node.highest_ceiling(), MAX);
    // where its lease has an account already
    burst(&world, &stack, "refuse", AT_ONCE).await;
    assert_eq!(world.node.highest_ceiling(), MAX);
    // nor is it more by what a node says that it has earned
    burst(&world, &stack, "names", 1).await;
    burst(&world, &stack, "refuse", AT_ONCE).await;
    let most = ComputeUnits(COST.0 + MAX.0);
    assert_eq!(world.node.highest_ceiling(), most);
}

/// By its node's word a try had up to the window signed besides, whatever was running.
#[tokio::test(start_paused = true)]
async fn a_ceiling_that_a_node_asks_for_must_be_earned_too() {
    let world = World::simulated().await;
    let client = world.client_with(MAX);
    let stack = world.leased(&client).await;
    let node = world.node.id;
    let asked = |act: &str, max: u64| {
        let body = format!(r#"{{"act":"{act}","max_tokens":10}}"#);
        let (id, max) = (client.runtime().request_id(), ComputeUnits(max));
        RequestTry::new(id, Endpoint::ChatCompletions, body.into(), max).earned()
    };
    let long = asked("long", 60);
    let running = stack.try_once(node, &long).await.unwrap();
    assert!(stack.has_earned(node, ComputeUnits(40)));
    let mut next = asked("refuse", 40);
    let ceiling = ComputeUnits(140);
    next.mend(client.runtime().request_id(), Mend::RaiseCeiling(ceiling));
    let more = stack.try_once(node, &next).await;
    assert!(matches!(more, Err(ClientError::NotEarned { .. })));
    assert_eq!(world.node.highest_ceiling(), ComputeUnits(60));
    drop(running);
}
