//! One user sends many long bodies and ends none: they may take their share of the room that long bodies have,
//! and nothing of others'.

use crate::{
    arena::{Arena, chat, eventually, signed_headers},
    sockets::address,
};
use atoma_client::request_key;
use atoma_keys::SigningKey;
use atoma_runtime::{Runtime, SystemRandom};
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
