//! Prompts as large as a body may be, which are refused in any case: their cost is the node's alone.

use crate::arena::{Answer, Arena, SLOW, chat, peak_kib};
use atoma_engine::{
    builtin,
    testing::{InstantOptions, InstantUpstream, Reply, Scripted, Then},
};
use atoma_node::RunningNode;
use atoma_runtime::Runtime;
use atoma_types::StackId;
use futures::future::join_all;
use http::StatusCode;
use std::time::Duration;
use tokio::time::Instant;

/// Prompts at once.
const PROMPTS: usize = 16;
/// What they may take in all, on a busy machine: tokenised whole they take 20 s of a core.
const MOST: Duration = Duration::from_secs(8);

/// In KiB, by docs/operators.md: a long body lies in a node three times; and as often in its sender, who is in
/// this process, too.
const MOST_KIB: usize = PROMPTS * 4_096 * (3 + 3);

/// A body of almost 4 MiB.
fn long(model: &str) -> String {
    let long = "all work and no play makes a dull node; ".repeat(100_000);
    let body = chat(2, false).replace(builtin::NAME, model);
    body.replace("Say hello.", &long)
}

/// Sends so many at once.
async fn send(
    arena: &Arena,
    node: &RunningNode,
    stack: StackId,
    body: &str,
    count: usize,
) -> Vec<Answer> {
    let answers = (0..count).map(async |_| {
        let now = Runtime::system().now();
        let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
        arena.send(&node.url(), header, body).await
    });
    join_all(answers).await
}

fn assert_refused(answers: &[Answer], code: &str) {
    for answer in answers {
        assert!(answer.status().is_client_error(), "{answer:?}");
        assert_eq!(answer.code(), code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_that_no_context_holds_are_refused_cheaply() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let stack = arena.buy(40_000_000).await;
    let warm = send(&arena, &node, stack, &chat(2, false), PROMPTS).await;
    assert!(warm.iter().all(|answer| answer.status() == StatusCode::OK));
    let body = long(builtin::NAME);
    let (begun, before) = (Instant::now(), peak_kib());
    let answers = send(&arena, &node, stack, &body, PROMPTS).await;
    assert_refused(&answers, "context_length_exceeded");
    let took = begun.elapsed();
    assert!(took < MOST, "{took:?}");
    let grown = peak_kib() - before;
    assert!(grown <= MOST_KIB, "{grown} KiB, {MOST_KIB} KiB at most");
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// What a server may be asked to count of a prompt that is refused: a few pieces of 32 KiB, of 4 MiB.
const COUNTED: u64 = 10 * (33 << 10);

/// A server that counts and holds so much.
async fn server(context: usize) -> InstantUpstream {
    let options = InstantOptions {
        context: Some(context),
        ..InstantOptions::default()
    };
    InstantUpstream::start(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_that_no_server_holds_are_not_sent_to_it() {
    // more than the bytes alone rule out
    let server = server(30_000).await;
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let stack = arena.buy(40_000_000).await;
    let answers = send(&arena, &node, stack, &long(SLOW), PROMPTS).await;
    assert_refused(&answers, "context_length_exceeded");
    let counted = server.counted() / PROMPTS as u64;
    assert!((1..COUNTED).contains(&counted), "{counted} bytes each");
    assert_eq!(server.requests(), 0);
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prompts_that_their_lease_can_not_pay_are_not_counted() {
    let server = server(10_000_000).await;
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    // 4 MiB are more tokens, however long each is
    let stack = arena.buy(10_000).await;
    let answers = send(&arena, &node, stack, &long(SLOW), PROMPTS).await;
    assert_refused(&answers, "lease_exhausted");
    assert_eq!((server.counted(), server.requests()), (0, 0));
    // and those that may be paid only as far as that
    let stack = arena.buy(30_000).await;
    let answers = send(&arena, &node, stack, &long(SLOW), PROMPTS).await;
    assert_refused(&answers, "lease_exhausted");
    let counted = server.counted() / PROMPTS as u64;
    assert!((1..COUNTED).contains(&counted), "{counted} bytes each");
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// What a server that never counts may cost whoever asks: the time for a few counts.
const COUNT_WAIT: Duration = Duration::from_secs(25);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_counts_keeps_nobody_waiting() {
    let server = Scripted::start(|path, _| match path {
        "/v1/models" => {
            let model = r#"{"id":"slow","owned_by":"vllm","max_model_len":30000}"#;
            Reply::json(200, format!(r#"{{"data":[{model}]}}"#))
        }
        "/tokenize" => Reply::json(200, "{").then(Then::Hang),
        "/v1/chat/completions" => Reply::stream(
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"yes\"},\
             \"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
        ),
        _ => Reply::json(200, "{}"),
    });
    let server = server.await.unwrap();
    let arena = Arena::behind(server.url()).await;
    let node = arena.node().await;
    let stack = arena.buy(40_000_000).await;
    let begun = Instant::now();
    let answers = send(&arena, &node, stack, &long(SLOW), PROMPTS).await;
    assert_refused(&answers, "context_length_exceeded");
    // whoever comes later isn't kept from anything
    let body = chat(2, false).replace(builtin::NAME, SLOW);
    let answers = send(&arena, &node, stack, &body, PROMPTS).await;
    for answer in &answers {
        assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    }
    let took = begun.elapsed();
    assert!(took < COUNT_WAIT, "{took:?}");
    node.drain_and_stop().await;
    arena.network.stop().await;
}
