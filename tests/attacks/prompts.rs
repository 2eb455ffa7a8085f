//! Prompts as large as a body may be, which are refused in any case: their cost is the node's alone.

use crate::arena::{Arena, SLOW, chat};
use atoma_engine::{
    builtin,
    testing::{InstantOptions, InstantUpstream},
};
use atoma_runtime::Runtime;
use futures::future::join_all;
use http::StatusCode;
use std::time::Duration;
use tokio::time::Instant;

/// Prompts at once.
const PROMPTS: usize = 16;
/// What they may take in all, on a busy machine: tokenised whole they take 20 s of a core.
const MOST: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn prompts_that_no_context_holds_are_refused_cheaply() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let stack = arena.buy(40_000_000).await;
    let long = "all work and no play makes a dull node; ".repeat(100_000);
    let body = chat(2, false).replace("Say hello.", &long);
    let begun = Instant::now();
    let answers = (0..PROMPTS).map(async |_| {
        let now = Runtime::system().now();
        let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
        arena.send(&node.url(), header, &body).await
    });
    for answer in join_all(answers).await {
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{answer:?}");
        assert_eq!(answer.code(), "context_length_exceeded");
    }
    let took = begun.elapsed();
    assert!(took < MOST, "{took:?}");
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// What a server may be asked to count of a prompt that is refused: a few pieces of 32 KiB, of 4 MiB.
const COUNTED: u64 = 10 * (33 << 10);

#[tokio::test(flavor = "multi_thread")]
async fn prompts_that_no_server_holds_are_not_sent_to_it() {
    let options = InstantOptions {
        // more than the bytes alone rule out
        context: Some(30_000),
        ..InstantOptions::default()
    };
    let server = InstantUpstream::start(options).await.unwrap();
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let stack = arena.buy(40_000_000).await;
    let long = "all work and no play makes a dull node; ".repeat(100_000);
    let body = chat(2, false).replace(builtin::NAME, SLOW);
    let body = body.replace("Say hello.", &long);
    let answers = (0..PROMPTS).map(async |_| {
        let now = Runtime::system().now();
        let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
        arena.send(&node.url(), header, &body).await
    });
    for answer in join_all(answers).await {
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{answer:?}");
        assert_eq!(answer.code(), "context_length_exceeded");
    }
    let counted = server.counted() / PROMPTS as u64;
    assert!((1..COUNTED).contains(&counted), "{counted} bytes each");
    assert_eq!(server.requests(), 0);
    node.drain_and_stop().await;
    arena.network.stop().await;
}
