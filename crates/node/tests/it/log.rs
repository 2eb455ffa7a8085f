//! What the log says of a request stands under its id, and what is done with a lease in the background under
//! the lease's stack.

use crate::common::{Backend, World, eventually, post};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_runtime::KeptLog;
use atoma_types::http::OPERATOR;
use http::StatusCode;

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_leases_have_their_spans() {
    let log = KeptLog::of_program();
    let server = InstantUpstream::start(InstantOptions::default())
        .await
        .unwrap();
    let world = World::start(Backend::Upstream(server)).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(1_000).await;
    let body = world.chat(r#","max_tokens":4"#);
    let header = world.header(id, stack, body.as_bytes());
    world.send(&url, header.clone(), &body).await.receipt();
    let request = format!("request{{id={} stack={stack}", header.request_id);
    assert!(
        log.has_line_with(&[&request, ":server{url=", "the answer begins"]),
        "{}",
        log.text()
    );

    let settle = format!("{}/admin/settle/{stack}", node.admin_url());
    let settle = http::Request::post(settle)
        .header(OPERATOR, "yes")
        .body(http_body_util::Full::default())
        .unwrap();
    let settled = post(&world.http, settle).await;
    assert_eq!(settled.status, StatusCode::ACCEPTED);
    // claimed as soon as the window is over
    for step in ["Settle", "Claim"] {
        let lease = format!("lease{{stack={stack} step={step}}}");
        eventually(step, || {
            std::future::ready(log.has_line_with(&[&lease, "done", "transaction="]))
        })
        .await;
    }
    node.drain_and_stop().await;
}
