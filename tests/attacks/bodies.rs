//! One user sends many long bodies and ends none: they may take their share of the room that long bodies have,
//! and nothing of others'. And bytes that no token pays for are no evidence, which the node would pay for.

use crate::{
    arena::{Answer, Arena, chat, eventually, metric, signed_headers},
    sockets::address,
};
use atoma_client::request_key;
use atoma_keys::SigningKey;
use atoma_node::RunningNode;
use atoma_runtime::{Runtime, SystemRandom};
use atoma_types::StackId;
use http::StatusCode;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// The longest body that is taken.
const LONGEST: usize = 4 << 20;
/// More than a quarter of 256 MiB holds.
const BODIES: usize = 20;
/// Of these one share holds no more.
const TAKEN: usize = 16;

/// A good request of this length: white space behind JSON is nothing.
fn padded(length: usize) -> String {
    let body = chat(2, false);
    let rest = " ".repeat(length - body.len());
    body + &rest
}

#[tokio::test(flavor = "multi_thread")]
async fn long_bodies_of_one_user_leave_room_for_anothers() {
    let mut arena = Arena::start().await;
    let mut config = arena.config();
    // nobody is told off for being slow while the test looks
    config.limits.body_idle_timeout_ms = 120_000;
    config.limits.body_timeout_ms = 120_000;
    let node = arena.node_with(config).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = arena.buy(1_000_000).await;
    let body = Arc::new(padded(LONGEST));
    let refused = Arc::new(AtomicUsize::new(0));
    let mut attackers = JoinSet::new();
    for _ in 0..BODIES {
        let header = arena.header(id, stack, body.as_bytes(), Runtime::system().now());
        let mut head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: node\r\ncontent-length: {LONGEST}\r\n"
        );
        for (name, value) in signed_headers(&arena.sign(header)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let (body, refused) = (body.clone(), refused.clone());
        let to = address(&url);
        attackers.spawn(async move {
            let stream = TcpStream::connect(to).await.unwrap();
            let (mut read, mut write) = stream.into_split();
            let send = async {
                write.write_all(format!("{head}\r\n").as_bytes()).await?;
                // all but the last byte, which never comes
                write.write_all(&body.as_bytes()[..LONGEST - 1]).await
            };
            let answer = async {
                let mut answer = Vec::new();
                let _ = read.read_to_end(&mut answer).await;
                answer
            };
            tokio::pin!(answer);
            let answer = tokio::select! {
                biased;
                answer = &mut answer => answer,
                _ = send => answer.await,
            };
            let answer = String::from_utf8_lossy(&answer).into_owned();
            // the connection may break before it is read
            let told = answer.contains(" 429 ") && answer.contains("overloaded");
            assert!(told || answer.is_empty(), "{answer}");
            refused.fetch_add(1, SeqCst);
        });
    }
    eventually("the share is full", async || {
        // a body may lie in the sockets' buffers before it is refused
        refused.load(SeqCst) + TAKEN + 1 >= BODIES
    })
    .await;
    while let Some(ended) = attackers.try_join_next() {
        ended.unwrap();
    }

    // somebody else, with a body that is as long
    let other = Arc::new(SigningKey::generate(&SystemRandom));
    let owner = other.public_key().address();
    arena.ledger.faucet(owner).await.unwrap();
    arena.request_key = request_key(&other);
    arena.user = other;
    let stack = arena.buy(1_000_000).await;
    let header = arena.header(id, stack, body.as_bytes(), Runtime::system().now());
    let served = arena.send(&url, header, &body).await;
    assert_eq!(served.status(), StatusCode::OK, "{served:?}");
    attackers.shutdown().await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// Sends a body with so many bytes that are no prompt.
async fn send_with_noise(
    arena: &Arena,
    node: &RunningNode,
    stack: StackId,
    noise: usize,
) -> Answer {
    let noise = format!(r#","metadata":{{"noise":"{}"}}}}"#, "x".repeat(noise));
    let body = chat(1, false).strip_suffix('}').unwrap().to_owned() + &noise;
    let now = Runtime::system().now();
    let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
    arena.send(&node.url(), header, &body).await
}

/// Evidence that is never packed, and its room.
async fn node_with_log(arena: &Arena, room: u64) -> RunningNode {
    let mut config = arena.config_with_evidence(3_600_000);
    config.evidence.as_mut().unwrap().max_backlog_bytes = room;
    arena.node_with(config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_no_token_pays_for_are_no_evidence() {
    let arena = Arena::start_with_walrus().await;
    let node = node_with_log(&arena, 64 << 20).await;
    let stack = arena.buy(100_000).await;
    let backlog = async || metric(&arena, &node, "atoma_node_evidence_backlog_bytes").await;
    for noise in [80_000, 3 << 20] {
        let refused = send_with_noise(&arena, &node, stack, noise).await;
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(refused.code(), "body_too_large", "{refused:?}");
    }
    assert_eq!(backlog().await, 0, "nothing is kept of it");
    // as much as OpenAI takes
    let served = send_with_noise(&arena, &node, stack, 16 * (64 + 512)).await;
    assert_eq!(served.status(), StatusCode::OK, "{served:?}");
    assert!(backlog().await > 9_000);
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_users_evidence_leaves_room_for_anothers() {
    let mut arena = Arena::start_with_walrus().await;
    let node = node_with_log(&arena, 400_000).await;
    let stack = arena.buy(100_000).await;
    let mut served = 0;
    let full = loop {
        let answer = send_with_noise(&arena, &node, stack, 50_000).await;
        if answer.status() != StatusCode::OK {
            break answer;
        }
        served += 1;
        assert!(served < 8, "one wallet fills the log");
    };
    assert_eq!((served, full.code().as_str()), (2, "evidence_full"));
    // a short one is no better, and another stack is the same wallet's
    let stack = arena.buy(100_000).await;
    let full = send_with_noise(&arena, &node, stack, 1).await;
    assert_eq!(full.code(), "evidence_full");

    let other = Arc::new(SigningKey::generate(&SystemRandom));
    arena
        .ledger
        .faucet(other.public_key().address())
        .await
        .unwrap();
    arena.request_key = request_key(&other);
    arena.user = other;
    let stack = arena.buy(100_000).await;
    let answer = send_with_noise(&arena, &node, stack, 50_000).await;
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    node.drain_and_stop().await;
    arena.network.stop().await;
}
