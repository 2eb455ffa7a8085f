//! A node that stops and starts again.

use crate::{
    common::{Backend, World, post},
    receipts::chain,
};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_runtime::Runtime;
use atoma_types::{TimestampMs, http::OPERATOR, message::RequestHeader};
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
    node.drain_and_stop().await;

    let node = world.node().await;
    assert_eq!(node.node_id(), id, "it registers once");
    let url = node.url();
    assert_eq!(world.ledger.node(id).await.unwrap().url, url, "and moves");
    assert_eq!(
        world.send(&url, old, &body).await.code(),
        "issued_before_restart"
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
