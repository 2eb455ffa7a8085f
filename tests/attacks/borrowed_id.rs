//! A gateway's user sees the id of their request, and signs it on a stack of their own, too.

use crate::{
    arena::{Arena, SLOW, chat, eventually, slow_server},
    gateway::Office,
};
use atoma_engine::builtin;
use atoma_runtime::Runtime;
use atoma_types::{RequestId, http::REQUEST_ID, message::RequestHeader};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Begins a stream at the gateway, up to its answer's head; the id that this names.
async fn begin(office: &Office, body: &str) -> (TcpStream, RequestId) {
    let url = office.running.url();
    let address = url.trim_start_matches("http://");
    let mut user = TcpStream::connect(address).await.unwrap();
    let request = office.request("/v1/chat/completions", body);
    user.write_all(request.as_bytes()).await.unwrap();
    let mut head = String::new();
    while !head.contains("\r\n\r\n") {
        head.push(char::from(user.read_u8().await.unwrap()));
    }
    let name = format!("{REQUEST_ID}: ");
    let id = head.lines().find_map(|line| line.strip_prefix(&name));
    (user, id.unwrap().parse().unwrap())
}

/// The node had a receipt for the id, so the gateway took the request for one that has none: its user paid nothing, however long
/// the stream was, and the gateway soon took nothing more from an honest node.
#[tokio::test(flavor = "multi_thread")]
async fn a_users_id_on_a_stack_of_their_own_makes_no_stream_free() {
    let server = slow_server(400).await;
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let office = Office::open(&arena, |_| {}).await;
    let chat = |tokens, stream| chat(tokens, stream).replace(builtin::NAME, SLOW);
    // so that a stack and a lease stand
    let first = office.ask(&arena, chat(1, false)).await;
    assert_eq!(first.status(), StatusCode::OK, "{first:?}");
    let own = arena.buy(1_000).await;

    // more of them than of answers that may be lost
    for _ in 0..6 {
        let before = office.spent();
        let (user, request_id) = begin(&office, &chat(400, true)).await;
        let word = chat(1, false);
        let now = Runtime::system().now();
        let header = RequestHeader {
            request_id,
            ..arena.header(node.node_id(), own, word.as_bytes(), now)
        };
        let answer = arena.send(&node.url(), header, &word).await;
        assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
        drop(user);
        eventually("the user has paid", async || office.spent() > before).await;
    }
    let next = office.ask(&arena, chat(1, false)).await;
    assert_eq!(next.status(), StatusCode::OK, "{next:?}");
    office.running.shutdown().await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}
