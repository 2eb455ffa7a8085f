//! What a node refuses, and that a refusal costs nobody anything.

use crate::common::{Backend, PATIENCE, World, signed_request};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_keys::SigningKey;
use atoma_runtime::{Runtime, SystemRandom};
use atoma_types::{
    ComputeUnits, StackId, TaskId, TimestampMs,
    message::{RequestHeader, Signed},
};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_refused_and_change_nothing() {
    let server = InstantUpstream::start(InstantOptions::default())
        .await
        .unwrap();
    let world = World::start(Backend::Upstream(server)).await;
    let mut config = world.config();
    config.limits.max_body_bytes = 10_000;
    config.limits.body_timeout_ms = 300;
    let node = world.node_with(config).await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(1_000).await;
    let body = world.chat(r#","max_tokens":4"#);
    let good = || world.header(id, stack, body.as_bytes());
    let served = good();
    assert_eq!(
        world.send(&url, served.clone(), &body).await.status,
        StatusCode::OK
    );
    let before = world.lease(&url, id, stack).await;

    let other = atoma_types::Address::new([9; 32]);
    let now = Runtime::system().now().0;
    let wrong_model = body.replace("instant", "other");
    let cases: Vec<(&str, RequestHeader, String)> = vec![
        ("request_replayed", served, body.clone()),
        (
            "wrong_node",
            RequestHeader {
                node: other.into(),
                ..good()
            },
            body.clone(),
        ),
        (
            "wrong_task",
            RequestHeader {
                task: TaskId(other),
                ..good()
            },
            body.clone(),
        ),
        (
            "unknown_stack",
            RequestHeader {
                stack: StackId(other),
                ..good()
            },
            body.clone(),
        ),
        ("body_mismatch", good(), body.replace("France", "Spain")),
        (
            "request_expired",
            RequestHeader {
                issued_at_ms: TimestampMs(now - 9_000),
                expires_at_ms: TimestampMs(now - 1),
                ..good()
            },
            body.clone(),
        ),
        (
            "issued_in_future",
            RequestHeader {
                issued_at_ms: TimestampMs(now + 60_000),
                expires_at_ms: TimestampMs(now + 61_000),
                ..good()
            },
            body.clone(),
        ),
        (
            "issued_before_restart",
            RequestHeader {
                issued_at_ms: TimestampMs(now - 59_000),
                ..good()
            },
            body.clone(),
        ),
        (
            "max_units_too_low",
            RequestHeader {
                max_units: ComputeUnits(3),
                ..good()
            },
            body.clone(),
        ),
        (
            "ceiling_too_low",
            RequestHeader {
                lane: 1,
                ceiling: ComputeUnits(3),
                ..good()
            },
            body.clone(),
        ),
        (
            "model_not_found",
            world.header(id, stack, wrong_model.as_bytes()),
            wrong_model,
        ),
        (
            "invalid_body",
            world.header(id, stack, b"{"),
            "{".to_owned(),
        ),
    ];
    for (code, header, body) in cases {
        let answer = world.send(&url, header, &body).await;
        assert_eq!(answer.code(), code);
        assert!(answer.headers.contains_key("x-request-id"));
    }
    let expensive = world.chat(r#","max_tokens":5000"#);
    let answer = world
        .send(
            &url,
            world.header(id, stack, expensive.as_bytes()),
            &expensive,
        )
        .await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.code()),
        (402, "lease_exhausted")
    );

    // signed by somebody else; signed for another endpoint; not signed; cut and random headers
    let foreign = Signed::new(good(), &SigningKey::generate(&SystemRandom));
    assert_eq!(
        world.send_signed(&url, &foreign, &body).await.code(),
        "bad_signature"
    );
    let signed = Signed::new(good(), &world.request_key);
    let elsewhere = signed_request(&url, "/v1/completions", &signed, body.clone());
    assert_eq!(
        crate::common::post(&world.http, elsewhere).await.code(),
        "wrong_endpoint"
    );
    let mut request = signed_request(&url, "/v1/chat/completions", &signed, body.clone());
    request.headers_mut().remove("atoma-signature");
    assert_eq!(
        crate::common::post(&world.http, request).await.code(),
        "missing_header"
    );
    for text in ["", "AAAA", "not base64 at all"] {
        let mut request = signed_request(&url, "/v1/chat/completions", &signed, body.clone());
        request
            .headers_mut()
            .insert("atoma-request", text.parse().unwrap());
        assert_eq!(
            crate::common::post(&world.http, request).await.code(),
            "invalid_header"
        );
    }
    let answer =
        crate::common::post(&world.http, signed_request(&url, "/nowhere", &signed, "")).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.code()),
        (404, "not_found")
    );
    let (status, _) = world.get(format!("{url}/v1/chat/completions")).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);

    // 100 MB announced: refused before any of it comes. Sent too slowly: not waited for.
    let signed = Signed::new(good(), &world.request_key);
    let head = raw_head(&signed, &url, 100_000_000);
    assert!(raw(&url, head.as_bytes()).await.starts_with("HTTP/1.1 413"));
    let signed = Signed::new(good(), &world.request_key);
    let head = raw_head(&signed, &url, body.len());
    assert!(raw(&url, head.as_bytes()).await.starts_with("HTTP/1.1 408"));

    let after = world.lease(&url, id, stack).await;
    assert_eq!(before, after);
    node.drain_and_stop().await;
}

/// The head of a request by hand, with a body of `length` to come.
fn raw_head(signed: &Signed<RequestHeader>, url: &str, length: usize) -> String {
    let request = signed_request(url, "/v1/chat/completions", signed, "");
    let mut head = "POST /v1/chat/completions HTTP/1.1\r\nhost: node\r\n".to_owned();
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    format!("{head}content-length: {length}\r\n\r\n")
}

/// Writes to a socket and reads what comes back first.
async fn raw(url: &str, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = tokio::time::timeout(PATIENCE, socket.read(&mut answer)).await;
    String::from_utf8_lossy(&answer[..read.unwrap().unwrap()]).into_owned()
}
