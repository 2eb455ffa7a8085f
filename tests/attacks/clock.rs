//! A node's clock is a day ahead for a moment: set by hand, by a bad time server, by a machine that woke
//! up. When it is put right again, the node must serve again.

use crate::arena::{Arena, WallClock, chat, eventually};
use atoma_runtime::Runtime;
use http::StatusCode;

const DAY_MS: i64 = 24 * 3_600 * 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_a_day_and_back_stops_nobody_for_long() {
    let arena = Arena::start().await;
    let clock = WallClock::default();
    let mut config = arena.config();
    config.runtime = clock.runtime();
    // while it runs
    let node = arena.node_with(config.clone()).await;
    let stack = arena.buy(100_000).await;
    let id = node.node_id();
    let ask = async |url: String| {
        let body = chat(2, false);
        let now = Runtime::system().now();
        let header = arena.header(id, stack, body.as_bytes(), now);
        arena.send(&url, header, &body).await
    };
    assert_eq!(ask(node.url()).await.status(), StatusCode::OK);
    clock.set_ahead(DAY_MS);
    assert_eq!(ask(node.url()).await.code(), "request_expired");
    clock.set_ahead(0);
    // a request of the very millisecond of the one that was refused is signed anew, as clients do
    eventually("the node serves again", async || {
        ask(node.url()).await.status() == StatusCode::OK
    })
    .await;
    node.drain_and_stop().await;

    // and when it starts
    clock.set_ahead(DAY_MS);
    let node = arena.node_with(config).await;
    clock.set_ahead(0);
    // so is one of the very millisecond of the start
    eventually("the node serves", async || {
        ask(node.url()).await.status() == StatusCode::OK
    })
    .await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}
