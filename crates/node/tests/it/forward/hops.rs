//! What is never passed on: what was passed on before, and what its user wants kept.

use super::pair::{Behind, Pair, always, exact, metric, when_full};
use crate::common::{World, eventually, signed_request};
use atoma_client::RequestOptions;
use atoma_node::{NodeConfig, RunningNode};
use atoma_types::{
    ComputeUnits, StackId,
    hash::Hash32,
    message::{Origin, RequestHeader, Signed},
};
use http::StatusCode;
use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SECOND_HOP: &str = r#"atoma_node_requests_refused_total{code="second_hop"}"#;

fn one_place(config: &mut NodeConfig) {
    config.requests.max_concurrent = 1;
}

/// Takes a place of a node: a request whose body doesn't come. The node asks for the body once the request has
/// its place; until then it may refuse, since another node's request for a lease needs a place, too.
async fn take_place(world: &World, node: &RunningNode, stack: StackId) -> TcpStream {
    let held = Mutex::new(None);
    eventually("the node gives a place", || async {
        let mut socket = send_head(world, node, stack).await;
        let mut line = [0; FIRST_LINE];
        socket.read_exact(&mut line).await.unwrap();
        let has_place = line.starts_with(b"HTTP/1.1 100 ");
        assert!(has_place || line.starts_with(b"HTTP/1.1 429 "), "{line:?}");
        *held.lock() = has_place.then_some(socket);
        has_place
    })
    .await;
    held.into_inner().expect("it has a place")
}

/// As much of an answer as tells what became of the request.
const FIRST_LINE: usize = "HTTP/1.1 100 ".len();

/// The head of a request that waits for the node to ask for its body.
async fn send_head(world: &World, node: &RunningNode, stack: StackId) -> TcpStream {
    let header = world.header(node.node_id(), stack, b"body");
    let signed = Signed::new(header, &world.request_key);
    let request = signed_request(&node.url(), "/v1/chat/completions", &signed, "");
    let host = node.url().trim_start_matches("http://").to_owned();
    let mut head = "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 1000\r\n".to_owned();
    head += &format!("expect: 100-continue\r\nhost: {host}\r\n");
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head += "\r\n";
    let mut socket = TcpStream::connect(&host).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

async fn has_running(world: &World, node: &RunningNode, requests: u64) {
    let url = format!("{}/v1/node", node.url());
    eventually("so many requests run", || async {
        world.get(url.clone()).await.1["load"]["running"] == requests
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_full_nodes_ask_each_other_once() {
    let pass_on: fn(&mut NodeConfig) = |config| {
        one_place(config);
        config.forward = Some(when_full());
    };
    let pair = Pair::with([exact(), exact()], when_full(), [one_place, pass_on]).await;
    let world = &pair.world;
    let mut places = Vec::new();
    for node in [pair.first(), pair.second()] {
        let held = world.lease_of(node.node_id(), 1_000).await;
        places.push(take_place(world, node, held).await);
    }
    let refused = pair.whole("").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let said: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
    let code = &said["error"]["code"];
    assert_eq!(code, "overloaded", "as if nobody was asked");
    assert_eq!(metric(world, pair.second(), SECOND_HOP).await, 1);
    let came_back = metric(world, pair.first(), SECOND_HOP).await;
    assert_eq!(came_back, 0);

    // once the other one has a place, it answers
    places.pop();
    has_running(world, pair.second(), 0).await;
    let passed_on = || async {
        let receipt = pair.whole("").await.receipt;
        receipt.is_some_and(|receipt| receipt.second().is_some())
    };
    eventually("it is asked again after its rest", passed_on).await;
    world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_passed_on_before_is_served_or_refused_and_nobody_else_is_asked() {
    let pair = Pair::with([exact(), exact()], always(), [one_place, |_| ()]).await;
    let (world, first) = (&pair.world, pair.first());
    let stack = world.lease_of(first.node_id(), 1_000).await;
    let body = world.chat(r#","max_tokens":4"#);
    let ask = async || {
        let header = RequestHeader {
            origin: Origin::Forwarded(Hash32([7; 32])),
            max_units: ComputeUnits(200),
            ..world.header(first.node_id(), stack, body.as_bytes())
        };
        world.send(&first.url(), header, &body).await
    };
    // an own one goes on, whatever there is to do
    assert!(pair.whole("").await.receipt.unwrap().second().is_some());
    let served = ask().await;
    assert_eq!(served.status, StatusCode::OK, "{served:?}");
    served.receipt();

    let held = world.lease_of(first.node_id(), 1_000).await;
    let _place = take_place(world, first, held).await;
    let refused = ask().await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.code(), "second_hop");
    assert_eq!(pair.signed_by_second().await, 1);
    world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_user_wants_kept_is_served_here_or_refused() {
    let (own, other) = (Behind::quick().await, Behind::quick().await);
    let engines = [own.engine.clone(), other.engine.clone()];
    let pair = Pair::with(engines, always(), [one_place, |_| ()]).await;
    let kept = RequestOptions {
        no_forward: true,
        ..RequestOptions::default()
    };
    let answer = pair.ask("", kept).await.whole().await.unwrap();
    assert!(answer.receipt.unwrap().second().is_none());
    assert_eq!((own.server.requests(), other.server.requests()), (1, 0));
    // others go on
    let passed_on = pair.whole("").await.receipt.unwrap();
    assert!(passed_on.second().is_some());

    let stack = pair.world.lease_of(pair.first().node_id(), 1_000).await;
    let _place = take_place(&pair.world, pair.first(), stack).await;
    let full = pair.ask("", kept).await.whole().await.unwrap();
    assert_eq!(full.status, StatusCode::TOO_MANY_REQUESTS);
    let said: serde_json::Value = serde_json::from_slice(&full.body).unwrap();
    assert_eq!(said["error"]["code"], "overloaded");
    assert_eq!(other.server.requests(), 1);
    assert!(pair.stack.room(pair.first().node_id()) > ComputeUnits::ZERO);
    pair.world.audit();
}
