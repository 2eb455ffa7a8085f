//! A node that stops and starts again.

use crate::{
    common::{Backend, World, post},
    receipts::chain,
};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_runtime::Runtime;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{Clock, Event, calls},
    http::OPERATOR,
    message::{Receipt, RequestHeader, Signed},
};
use futures::StreamExt;
use http::StatusCode;

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_node_goes_on_where_it_was() {
    let server = InstantUpstream::start(InstantOptions::default())
        .await
        .unwrap();
    let world = World::start(Backend::Upstream(server)).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(1_000).await;
    let body = world.chat(r#","max_tokens":4"#);
    let old = world.header(id, stack, body.as_bytes());
    let first = world.send(&url, old.clone(), &body).await.receipt().0;
    // signed before the restart by a clock that is ahead: still not served twice
    let early = RequestHeader {
        issued_at_ms: TimestampMs(Runtime::system().now().0 + 25_000),
        ..world.header(id, stack, body.as_bytes())
    };
    let second = world.send(&url, early.clone(), &body).await.receipt().0;
    let unsent = world.header(id, stack, body.as_bytes());
    node.drain_and_stop().await;

    let node = world.node().await;
    assert_eq!(node.node_id(), id, "it registers once");
    let url = node.url();
    assert_eq!(world.ledger.node(id).await.unwrap().url, url, "and moves");
    assert_eq!(
        world.send(&url, unsent, &body).await.code(),
        "issued_before_restart"
    );
    assert_eq!(
        world.send(&url, old, &body).await.code(),
        "request_replayed"
    );
    assert_eq!(
        world.send(&url, early, &body).await.code(),
        "request_replayed"
    );
    let third = world
        .send(&url, world.header(id, stack, body.as_bytes()), &body)
        .await;
    let units = chain(vec![first, second, third.receipt().0]);

    // settled by the operator's word
    let settle = format!("{}/admin/settle/{stack}", node.admin_url());
    let request = http::Request::post(settle)
        .header(OPERATOR, "yes")
        .body(http_body_util::Full::default())
        .unwrap();
    assert_eq!(
        post(&world.http, request).await.status,
        StatusCode::ACCEPTED
    );
    let refused = world
        .send(&url, world.header(id, stack, body.as_bytes()), &body)
        .await;
    assert!(["lease_exhausted", "unknown_stack"].contains(&&*refused.code()));
    world.begin_close(stack).await;
    let (paid, _, _) = world.paid(stack, id).await;
    assert_eq!(paid, units);
    world.audit();
    node.drain_and_stop().await;
}

type Served = Vec<(Signed<RequestHeader>, Signed<Receipt>)>;

async fn serve(world: &World, url: &str, (id, stack): (NodeId, StackId), count: usize) -> Served {
    let body = world.chat(r#","max_tokens":4"#);
    let mut served = Vec::new();
    for _ in 0..count {
        let header = world.header(id, stack, body.as_bytes());
        let header = Signed::new(header, &world.request_key);
        let answer = world.send_signed(url, &header, &body).await;
        served.push((header, answer.receipt().0));
    }
    served
}

/// The call by which the node settles what it served, its first.
fn settle(served: &Served, (id, stack): (NodeId, StackId)) -> calls::Settle {
    let (header, last) = served.last().unwrap();
    calls::Settle {
        stack: stack.into(),
        holder: id,
        from_seq: 0,
        to_units: last.message().cumulative_units,
        to_seq: last.message().seq,
        headers: vec![header.bytes().to_vec()],
        header_signatures: vec![header.signature().to_bytes()],
        last_receipt: last.bytes().to_vec(),
        receipt_signature: last.signature().to_bytes(),
        manifest_blob: None,
        clock: Clock,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_node_had_settled_is_not_claimed_again() {
    let server = InstantUpstream::start(InstantOptions::default())
        .await
        .unwrap();
    let world = World::start(Backend::Upstream(server)).await;
    let mut config = world.config();
    config.settlement.worth = MicroUsdc(u64::MAX);
    let node = world.node_with(config.clone()).await;
    let id = node.node_id();
    let stack = world.buy(1_000).await;
    let mut served = serve(&world, &node.url(), (id, stack), 3).await;
    node.drain_and_stop().await;

    // the ledger took its settlement, and it was killed before its journal knew
    let call = settle(&served, (id, stack));
    let taken = world
        .ledger
        .execute(&world.operator, vec![call.clone().into()]);
    taken.await.unwrap();
    let again = world.ledger.execute(&world.operator, vec![call.into()]);
    assert!(again.await.is_err(), "the ledger takes none twice");

    let node = world.node_with(config).await;
    served.extend(serve(&world, &node.url(), (id, stack), 2).await);
    let units = chain(served.iter().map(|(_, receipt)| receipt.clone()).collect());
    world.begin_close(stack).await;
    let (paid, _, _) = world.paid(stack, id).await;
    assert_eq!(paid, units, "each receipt once");
    let mut claims = Vec::new();
    let mut events = world.ledger.events(None);
    while let Some(event) = events.next().await {
        match event.unwrap().event {
            Event::SettlementOpened(claim) => claims.push((claim.to_seq, claim.to_units)),
            Event::LeaseClosed(closed) if closed.stack == stack => break,
            _ => {}
        }
    }
    let sum = |place: usize| served[place].1.message().cumulative_units;
    assert_eq!(claims, [(3, sum(2)), (5, sum(4))]);
    assert_eq!(sum(4), units);
    assert!(units > ComputeUnits::ZERO);
    world.audit();
    node.drain_and_stop().await;
}
