//! One request, two copies, one of them slow: its body arrives when the header has expired and the node
//! has forgotten the id. Served twice, the node would sign two receipts for one request, which convict it.

use crate::arena::{Arena, WallClock, chat, eventually, metric, signed_headers};
use atoma_types::TimestampMs;
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_whose_body_comes_late_is_not_served_again() {
    let arena = Arena::start().await;
    let clock = WallClock::default();
    let mut config = arena.config();
    config.runtime = clock.runtime();
    let node = arena.node_with(config).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = arena.buy(100_000).await;
    let body = chat(2, false);
    let header = || arena.header(id, stack, body.as_bytes(), clock.runtime().now());
    let signed = arena.sign(header());

    // the slow copy: everything but the last byte of its body
    let mut slow = TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .unwrap();
    let mut head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: node\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in signed_headers(&signed) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let (most, last) = body.split_at(body.len() - 1);
    slow.write_all(format!("{head}{most}").as_bytes())
        .await
        .unwrap();
    eventually("the node has read the slow head", async || {
        arena.get(&format!("{url}/v1/node")).await.json()["load"]["running"] == 1
    })
    .await;
    // the head that came first has used the id up
    let second = arena.send_signed(&url, &signed, &body).await;
    assert_eq!(second.code(), "request_replayed", "{second:?}");

    // a minute later the header has expired, and others have come since
    clock.set_ahead(61_000);
    let other = arena.send(&url, header(), &body).await;
    assert_eq!(other.status(), StatusCode::OK, "{other:?}");
    slow.write_all(last.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(r#""code":"request_expired""#), "{answer}");

    // nor is a fast one
    let again = arena.send_signed(&url, &signed, &body).await;
    assert_eq!(again.code(), "request_expired");
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// A stranger fills a node's memory with ids of requests that are refused for being of another time, on a lease that
/// then asks no more.
#[tokio::test(flavor = "multi_thread")]
async fn ids_that_nobody_asks_with_any_more_take_no_memory() {
    const REFUSED: u64 = 40;
    let arena = Arena::start().await;
    let clock = WallClock::default();
    let mut config = arena.config();
    config.runtime = clock.runtime();
    let node = arena.node_with(config).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = arena.buy(100_000).await;
    let body = chat(2, false);
    let ids = async || metric(&arena, &node, "atoma_node_request_ids").await;
    for number in 0..REFUSED {
        let now = clock.runtime().now();
        let header = arena.header(id, stack, body.as_bytes(), TimestampMs(now.0 + 3_000_000));
        let answer = arena.send(&url, header, &body).await;
        assert_eq!(answer.code(), "issued_in_future", "{answer:?}");
        assert_eq!(ids().await, number + 1);
    }
    // nobody asks, and an hour goes by
    clock.set_ahead(3_600_000);
    eventually("they are forgotten", async || ids().await == 0).await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}
