//! A node that stops passes on what still comes; one that was moved passes nothing on.

use super::pair::{Behind, Pair, exact, when_full};
use crate::common::eventually;
use atoma_node::ForwardConfig;
use atoma_types::ComputeUnits;
use http::StatusCode;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_passes_on_what_comes_until_its_own_answers_are_complete() {
    let (own, other) = (
        Behind::slow(Duration::from_millis(20)).await,
        Behind::quick().await,
    );
    let engines = [own.engine.clone(), other.engine.clone()];
    let pair = Pair::start(engines, when_full()).await;
    let Pair {
        world,
        first,
        second,
        stack,
        ..
    } = pair;
    let (node, url) = (first.node_id(), first.url());
    let body = |more| bytes::Bytes::from(world.chat(more));
    let long = stack.chat(node, body(r#","max_tokens":1000,"stream":true"#));
    let long = long.await.unwrap();
    assert_eq!(long.status, StatusCode::OK);

    let stopping = tokio::spawn(first.drain_and_stop());
    let ready = format!("{url}/readyz");
    eventually("it says that it stops", || async {
        world.get(ready.clone()).await.0 == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    for more in [r#","max_tokens":4"#, r#","max_tokens":4,"stream":true"#] {
        let passed_on = stack.chat(node, body(more)).await.unwrap();
        let receipt = passed_on.whole().await.unwrap().receipt.unwrap();
        assert!(receipt.second().is_some());
    }
    assert!(!stopping.is_finished(), "its own answer still runs");
    assert_eq!((own.server.requests(), other.server.requests()), (1, 2));

    // with that it ends
    drop(long);
    stopping.await.unwrap();
    assert!(tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.is_err());
    second.drain_and_stop().await;
    world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_passes_nothing_on_where_its_operator_does_not_want_it() {
    let (own, other) = (
        Behind::slow(Duration::from_millis(20)).await,
        Behind::quick().await,
    );
    let engines = [own.engine.clone(), other.engine.clone()];
    let not_then = ForwardConfig {
        draining: false,
        ..when_full()
    };
    let pair = Pair::start(engines, not_then).await;
    let long = pair.begun().await;
    let Pair {
        world,
        first,
        stack,
        ..
    } = pair;
    let node = first.node_id();
    let stopping = tokio::spawn(first.drain_and_stop());
    let body = world.chat(r#","max_tokens":4"#);
    eventually("the door is closed", || async {
        stack.chat(node, bytes::Bytes::from(body.clone())).await.is_err()
    })
    .await;
    assert_eq!(other.server.requests(), 0);
    drop(long);
    stopping.await.unwrap();
}

/// Whoever has moved the node signs its receipts: one more of ours, even for what another node has computed, could
/// be the second under its number.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_another_process_has_moved_passes_nothing_on() {
    let pair = Pair::start([exact(), exact()], when_full()).await;
    let world = &pair.world;
    let (node, url) = (pair.first.node_id(), pair.first.url());
    let stack = world.lease_of(node, 1_000).await;
    let elsewhere = world.config_of(&pair.wallet, world.dir.path().join("elsewhere"));
    let moved = world.node_over(elsewhere, exact()).await;
    assert_eq!(moved.node_id(), node);
    let ready = format!("{url}/readyz");
    eventually("the first one notices", || async {
        world.get(ready.clone()).await.0 == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;

    let body = world.chat(r#","max_tokens":4"#);
    let header = world.header(node, stack, body.as_bytes());
    let refused = world.send(&url, header, &body).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
    assert_eq!(refused.code(), "unavailable");
    assert_eq!(pair.signed_by_second().await, 0);
    assert_eq!(pair.stack.room(node), ComputeUnits(20_000));
}
