use crate::{scripted::COST, world::World};
use atoma_client::{CloseUntil, ClosingStep};
use atoma_types::{ComputeUnits, MicroUsdc, chain::Params};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

fn quick() -> Params {
    Params {
        dispute_window_ms: 200,
        settle_grace_ms: 2_000,
        ..Params::default()
    }
}

fn chat() -> String {
    r#"{"act":"plain","max_tokens":9}"#.to_owned()
}

#[tokio::test]
async fn granted_used_settled_and_paid() {
    let world = World::with(quick()).await;
    let (client, node) = (world.client(), world.node.id);
    let before = (
        world.usdc(&world.user).await,
        world.ledger.usdc(world.owner()).await.unwrap(),
    );
    let stack = world.buy(&client).await;
    assert!(stack.nodes().is_empty());
    let terms = stack.grant(node, ComputeUnits(1_000)).await.unwrap();
    assert_eq!(terms.units, ComputeUnits(1_000));
    let terms = stack.grant(node, ComputeUnits(500)).await.unwrap();
    assert_eq!(terms.units, ComputeUnits(1_500));
    assert_eq!(stack.room(node), ComputeUnits(1_500));
    assert_eq!(stack.ungranted_units(), ComputeUnits(8_500));
    stack.top_up(ComputeUnits(500)).await.unwrap();
    assert_eq!(stack.live_units(), ComputeUnits(10_500));
    for _ in 0..2 {
        stack
            .chat(node, chat())
            .await
            .unwrap()
            .whole()
            .await
            .unwrap();
    }

    // the node settles when the owner closes and gives the rest back; nobody claims, so the client does
    let mut steps = Vec::new();
    let (settler, ledger) = (world.node.clone(), world.ledger.clone());
    let id = stack.id();
    let settle = async {
        loop {
            let calls = vec![settler.settle(id).into(), settler.release(id).into()];
            if ledger.execute(&settler.owner, calls).await.is_ok() {
                break;
            }
        }
    };
    let until = CloseUntil::Settled;
    let closing = stack.close_with(until, LONG, |step| steps.push(step.clone()));
    let (closed, ()) = tokio::join!(closing, settle);
    let closed = closed.unwrap();
    assert_eq!(steps.first(), Some(&ClosingStep::Begun));
    assert_eq!(closed.waiting.len(), 1, "the window runs");
    assert_eq!(closed.waiting[0].value.0, 2 * COST.0);
    assert_eq!(closed.withdrawn.0, 10_500 - 2 * COST.0, "all else is back");
    assert!(!stack.is_closed());
    let closed = stack.close().await.unwrap();
    assert_eq!(closed.tickets.len(), 1);
    assert_eq!(closed.tickets[0].units, ComputeUnits(2 * COST.0));
    assert!(stack.is_closed());
    assert!(client.stacks().await.unwrap().is_empty());

    // every micro is somewhere
    let user = world.usdc(&world.user).await.0;
    let owner = world.ledger.usdc(world.owner()).await.unwrap();
    assert_eq!(before.0.0 - user, closed.paid.0 + closed.fees.0);
    assert_eq!(owner, before.1, "what it earned is its credit");
    let served = world.ledger.node(node).await.unwrap();
    assert_eq!(served.earnings, closed.paid);
    assert_eq!(closed.paid.0 + closed.fees.0, 2 * COST.0);
}

#[tokio::test]
async fn a_node_that_never_settles_cannot_keep_the_money() {
    let world = World::with(quick()).await;
    let client = world.client();
    let before = world.usdc(&world.user).await;
    let stack = world.leased(&client).await;
    stack
        .chat(world.node.id, chat())
        .await
        .unwrap()
        .whole()
        .await
        .unwrap();
    let mut ended = false;
    let closed = stack
        .close_with(CloseUntil::Paid, LONG, |step| {
            ended |= matches!(step, ClosingStep::Ended { .. });
        })
        .await
        .unwrap();
    assert!(ended);
    assert_eq!(
        (closed.paid, closed.withdrawn),
        (MicroUsdc::ZERO, MicroUsdc(10_000))
    );
    assert_eq!(world.usdc(&world.user).await, before);
}

/// A proxy's 404 used to leave the money where it was.
#[tokio::test(start_paused = true)]
async fn a_stack_is_closed_though_the_ledger_refuses_its_events() {
    let world = World::simulated_with(quick()).await;
    let client = world.client();
    let before = world.usdc(&world.user).await;
    let stack = world.leased(&client).await;
    world.network.localnet.refuse_events(12);
    let closed = stack.close_with(CloseUntil::Paid, LONG, |_| {}).await;
    assert_eq!(closed.unwrap().escrow, MicroUsdc::ZERO);
    assert_eq!(world.usdc(&world.user).await, before);
}
