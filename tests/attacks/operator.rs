//! A page in the operator's browser, or a service that fetches strangers' URLs, reaches the operator's
//! port.

use crate::arena::{Arena, PATIENCE, chat, eventually};
use atoma_http::client::{AnswerLimits, get, post_json};
use atoma_runtime::Runtime;
use atoma_types::http::OPERATOR;
use http::{HeaderValue, StatusCode, header::HOST};

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_port_does_not_obey_a_foreign_page() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let (id, admin) = (node.node_id(), node.admin_url());
    let stack = arena.buy(100_000).await;
    let limits = AnswerLimits::within(PATIENCE, 1 << 20);
    let body = chat(2, false);
    let served = async || {
        let header = arena.header(id, stack, body.as_bytes(), Runtime::system().now());
        arena.send(&node.url(), header, &body).await.status() == StatusCode::OK
    };
    assert!(served().await);

    // what a form of another site sends, and what a gateway would
    let settle = format!("{admin}/admin/settle/{stack}");
    let request = || post_json(&settle, "{}");
    let answer = arena.http.ask(request(), limits).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{answer:?}");
    // and what a page sends whose name leads to this machine
    let mut rebound = request();
    let yes = HeaderValue::from_static("yes");
    rebound.headers_mut().insert(OPERATOR, yes.clone());
    let name = HeaderValue::from_static("evil.example");
    rebound.headers_mut().insert(HOST, name);
    let answer = arena.http.ask(rebound, limits).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{answer:?}");
    let leases = arena
        .http
        .ask(get(&format!("{admin}/admin/leases")), limits);
    assert_eq!(leases.await.unwrap().status(), StatusCode::NOT_FOUND);
    assert!(served().await, "the lease is still open");

    let mut own = request();
    own.headers_mut().insert(OPERATOR, yes);
    let answer = arena.http.ask(own, limits).await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "{answer:?}");
    eventually("it is settled", async || !served().await).await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}
