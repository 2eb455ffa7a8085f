//! Whoever has seen a request on its way may send it again. What its node has refused, or its user has left, it serves to
//! nobody: its user takes a receipt for it for a lie, and trusts the node no more.

use crate::common::{Answer, Backend, World, eventually, signed_request};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_evidence::receipt::receipt_path;
use atoma_node::RunningNode;
use atoma_types::{
    ComputeUnits, StackId, TimestampMs,
    message::{RequestHeader, Signed},
};
use http::StatusCode;
use tokio::{io::AsyncWriteExt, net::TcpStream};

struct Replayed {
    world: World,
    node: RunningNode,
    stack: StackId,
    body: String,
}

impl Replayed {
    /// A node with a place for one request.
    async fn start() -> Self {
        let server = InstantUpstream::start(InstantOptions::default());
        let world = World::start(Backend::Upstream(server.await.unwrap())).await;
        let mut config = world.config();
        config.requests.max_concurrent = 1;
        let node = world.node_with(config).await;
        let stack = world.buy(1_000).await;
        let body = world.chat(r#","max_tokens":4"#);
        Self {
            world,
            node,
            stack,
            body,
        }
    }

    fn header(&self) -> RequestHeader {
        let body = self.body.as_bytes();
        self.world.header(self.node.node_id(), self.stack, body)
    }

    /// The same header has the same signature.
    async fn send(&self, header: &RequestHeader) -> Answer {
        let url = self.node.url();
        self.world.send(&url, header.clone(), &self.body).await
    }

    /// Sends all of a request but its last byte.
    async fn begin(&self, header: &RequestHeader) -> TcpStream {
        let url = self.node.url();
        let signed = Signed::new(header.clone(), &self.world.request_key);
        let request = signed_request(&url, "/v1/chat/completions", &signed, "");
        let mut head = "POST /v1/chat/completions HTTP/1.1\r\nhost: node\r\n".to_owned();
        for (name, value) in request.headers() {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        head += &format!("content-length: {}\r\n\r\n", self.body.len());
        head += &self.body[..self.body.len() - 1];
        let address = url.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        self.has_running(1).await;
        socket
    }

    async fn has_running(&self, requests: u64) {
        let url = format!("{}/v1/node", self.node.url());
        eventually("so many requests run", || async {
            self.world.get(url.clone()).await.1["load"]["running"] == requests
        })
        .await;
    }

    /// Sent again as it was, it isn't served; one that is signed anew is.
    async fn serves_nobody(self, header: &RequestHeader) {
        assert_eq!(self.send(header).await.code(), "request_replayed");
        let url = self.node.url() + &receipt_path(header.stack, header.request_id);
        assert_eq!(self.world.get(url).await.0, StatusCode::NOT_FOUND);
        let anew = RequestHeader {
            request_id: self.header().request_id,
            ..header.clone()
        };
        assert_eq!(self.send(&anew).await.status, StatusCode::OK);
        self.node.drain_and_stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_found_no_place_serves_nobody_who_sends_it_again() {
    let replayed = Replayed::start().await;
    let held = replayed.begin(&replayed.header()).await;
    let header = replayed.header();
    assert_eq!(replayed.send(&header).await.code(), "overloaded");
    drop(held);
    replayed.has_running(0).await;
    replayed.serves_nobody(&header).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_served_just_now_is_not_said_to_have_found_no_place() {
    let replayed = Replayed::start().await;
    let header = replayed.header();
    let mut first = replayed.begin(&header).await;
    assert_eq!(replayed.send(&header).await.code(), "request_replayed");
    first.write_all(b"}").await.unwrap();
    let url = replayed.node.url() + &receipt_path(header.stack, header.request_id);
    eventually("the first is served", || async {
        replayed.world.get(url.clone()).await.0 == StatusCode::OK
    })
    .await;
    replayed.node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_lane_did_not_cover_serves_nobody_once_the_lane_covers_more() {
    let replayed = Replayed::start().await;
    let header = RequestHeader {
        lane: 1,
        ceiling: ComputeUnits(3),
        ..replayed.header()
    };
    assert_eq!(replayed.send(&header).await.code(), "ceiling_too_low");
    let other = RequestHeader {
        lane: 1,
        ..replayed.header()
    };
    assert_eq!(replayed.send(&other).await.status, StatusCode::OK);
    replayed.serves_nobody(&header).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_before_its_time_serves_nobody_at_its_time() {
    let replayed = Replayed::start().await;
    let now = replayed.header().issued_at_ms;
    // half a second more than clocks may differ
    let header = RequestHeader {
        issued_at_ms: TimestampMs(now.0 + 30_500),
        ..replayed.header()
    };
    assert_eq!(replayed.send(&header).await.code(), "issued_in_future");
    let in_time = RequestHeader {
        issued_at_ms: TimestampMs(now.0 + 30_500),
        ..replayed.header()
    };
    // the code tells when that is
    eventually("its time has come", || async {
        let anew = RequestHeader {
            request_id: replayed.header().request_id,
            ..in_time.clone()
        };
        replayed.send(&anew).await.status == StatusCode::OK
    })
    .await;
    replayed.serves_nobody(&header).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_user_left_on_the_way_serves_nobody_who_has_all_of_it() {
    let replayed = Replayed::start().await;
    let header = replayed.header();
    drop(replayed.begin(&header).await);
    replayed.has_running(0).await;
    replayed.serves_nobody(&header).await;
}
