//! A user asks for a whole answer and leaves while it is computed, again and again.

use crate::arena::{Arena, SLOW, chat, eventually, signed_headers, slow_server};
use atoma_engine::{
    builtin,
    testing::{InstantOptions, InstantUpstream},
};
use atoma_evidence::receipt::receipt_path;
use atoma_node::RunningNode;
use atoma_runtime::Runtime;
use atoma_types::{
    RequestId, StackId,
    message::{Endpoint, Receipt, RequestHeader, Signed},
};
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// Sends a request whole, and doesn't wait for the answer.
async fn ask(url: &str, signed: &Signed<RequestHeader>, body: &str) -> TcpStream {
    let mut user = TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .unwrap();
    let mut head = format!(
        "POST {} HTTP/1.1\r\nhost: node\r\ncontent-length: {}\r\n",
        signed.message().endpoint.as_str(),
        body.len()
    );
    for (name, value) in signed_headers(signed) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    user.write_all(format!("{head}\r\n{body}").as_bytes())
        .await
        .unwrap();
    user
}

/// The receipt of a request, once there is one.
async fn receipt_of(arena: &Arena, url: &str, of: (StackId, RequestId)) -> Receipt {
    let receipt = format!("{url}{}", receipt_path(of.0, of.1));
    eventually("there is a receipt", async || {
        arena.get(&receipt).await.json()["receipt"].is_string()
    })
    .await;
    let found = arena.get(&receipt).await.json();
    let receipt = Signed::<Receipt>::from_text(found["receipt"].as_str().unwrap()).unwrap();
    receipt.message().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_whole_answer_pays_for_what_was_computed() {
    let server = slow_server(400).await;
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = arena.buy(1_000_000).await;
    let body = chat(400, false).replace(builtin::NAME, SLOW);
    let header = arena.header(id, stack, body.as_bytes(), Runtime::system().now());
    let request = header.request_id;
    let signed = arena.sign(header);
    let user = ask(&url, &signed, &body).await;
    eventually("it is half computed", async || server.frames() > 50).await;
    drop(user);

    let receipt = receipt_of(&arena, &url, (stack, request)).await;
    let output = receipt.usage.output;
    assert!((1..400).contains(&output), "{output} tokens");
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// Asks for vectors and leaves while the server, which takes its time, has the request; its stack and its id.
async fn leave_an_embedding(
    arena: &Arena,
    server: &InstantUpstream,
    node: &RunningNode,
) -> (StackId, RequestId) {
    let stack = arena.buy(1_000_000).await;
    let inputs = vec!["some words that take their time"; 64];
    let body = serde_json::json!({ "model": SLOW, "input": inputs }).to_string();
    let now = Runtime::system().now();
    let mut header = arena.header(node.node_id(), stack, body.as_bytes(), now);
    header.endpoint = Endpoint::Embeddings;
    let request = header.request_id;
    let user = ask(&node.url(), &arena.sign(header), &body).await;
    eventually("it is computed", async || server.embeddings() == 1).await;
    drop(user);
    (stack, request)
}

async fn embedding_server(pause: Duration) -> InstantUpstream {
    let options = InstantOptions {
        pause: Some(pause),
        ..InstantOptions::default()
    };
    InstantUpstream::start(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_an_embedding_pays_once_it_is_computed() {
    let server = embedding_server(Duration::from_secs(1)).await;
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let request = leave_an_embedding(&arena, &server, &node).await;
    let receipt = receipt_of(&arena, &node.url(), request).await;
    assert_eq!(receipt.usage.input, 64 * 6, "{:?}", receipt.usage);
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_an_embedding_that_a_hung_server_has_pays_nothing() {
    // the answer never comes while anybody looks
    let server = embedding_server(Duration::from_secs(3_600)).await;
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let request = leave_an_embedding(&arena, &server, &node).await;
    // nor does it hold up a node that stops
    node.drain_and_stop().await;
    let node = arena.node().await;
    let url = node.url() + &receipt_path(request.0, request.1);
    let found = arena.get(&url).await;
    assert!(!found.json()["receipt"].is_string(), "{found:?}");
    node.drain_and_stop().await;
    arena.network.stop().await;
}
