//! Connections that want nothing but to be there.

use crate::arena::{Arena, chat, eventually};
use atoma_runtime::Runtime;
use http::StatusCode;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
};

/// More than any address needs, fewer than the system's open files.
const SOCKETS: usize = 1_005;
/// Another machine, as far as the node sees.
pub(crate) const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// What a connection says before it falls silent: nothing, half of HTTP/2's preface, all of it, half a head; all
/// that HTTP/2 needs and no request; and a request whose answer has a window of 0 bytes.
const SAID: [&[u8]; 6] = [
    b"",
    b"PRI * HTTP/2.0\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: ",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    // SETTINGS: INITIAL_WINDOW_SIZE 0; HEADERS of stream 1: GET http://node/healthz
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x04\0\0\0\0\
      \0\0\x12\x01\x05\0\0\0\x01\x82\x86\x04\x08/healthz\x01\x04node",
];

pub(crate) fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

pub(crate) async fn silent(to: SocketAddr, from: Ipv4Addr, number: usize) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(to).await.ok()?;
    let said = SAID[number % SAID.len()];
    // the node may have closed it already
    let _ = stream.write_all(said).await;
    Some(stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_sockets_of_one_address_leave_room_for_others() {
    let arena = Arena::start().await;
    let mut config = arena.config();
    config.limits.first_byte_timeout_ms = 2_000;
    config.limits.header_timeout_ms = 2_000;
    config.limits.max_connections = SOCKETS;
    config.limits.max_connections_per_address = SOCKETS / 4;
    let node = arena.node_with(config).await;
    let stack = arena.buy(100_000).await;
    let mut held = Vec::new();
    for to in [address(&node.url()), address(&node.admin_url())] {
        for number in 0..SOCKETS {
            held.extend(silent(to, STRANGER, number).await);
        }
    }
    let body = chat(2, false);
    let now = Runtime::system().now();
    let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
    let served = arena.send(&node.url(), header, &body).await;
    assert_eq!(served.status(), StatusCode::OK, "{served:?}");
    // the operator's port is nobody else's; who is silent there is gone soon
    eventually("the operator reads metrics", async || {
        let metrics = post_or_get(&arena, &format!("{}/metrics", node.admin_url())).await;
        metrics == Some(StatusCode::OK)
    })
    .await;
    drop(held);
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// The status of an answer, if there is one.
async fn post_or_get(arena: &Arena, url: &str) -> Option<StatusCode> {
    use atoma_http::client::{AnswerLimits, get};
    let limits = AnswerLimits::within(crate::arena::PATIENCE, 1 << 20);
    let answer = arena.http.ask(get(url), limits).await.ok()?;
    Some(answer.status())
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_grants_take_no_place_from_those_who_pay() {
    let arena = Arena::start().await;
    let mut config = arena.config();
    config.requests.max_concurrent = 2;
    let node = arena.node_with(config).await;
    let stack = arena.buy(100_000).await;
    let mut slow = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(address(&node.url())).await.unwrap();
        let head = "POST /v1/leases HTTP/1.1\r\nhost: node\r\ncontent-length: 60000\r\n\r\n{";
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let body = chat(2, false);
    let now = Runtime::system().now();
    let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
    let served = arena.send(&node.url(), header, &body).await;
    assert_eq!(served.status(), StatusCode::OK, "{served:?}");
    // and one of 4 MiB is refused before it is read
    let mut large = TcpStream::connect(address(&node.url())).await.unwrap();
    let head = "POST /v1/leases HTTP/1.1\r\nhost: node\r\ncontent-length: 4194304\r\n\r\n";
    large.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64];
    let read = tokio::io::AsyncReadExt::read(&mut large, &mut answer)
        .await
        .unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    drop(slow);
    node.drain_and_stop().await;
    arena.network.stop().await;
}
