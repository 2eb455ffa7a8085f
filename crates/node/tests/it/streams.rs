//! Streams that end otherwise than by their model's last word.

use crate::common::{Backend, World, eventually, signed_request};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_evidence::receipt::receipt_path;
use atoma_types::{
    Usage,
    message::{Receipt, Signed},
};
use http::StatusCode;
use http_body_util::BodyExt;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_pays_for_what_was_sent_and_the_engine_stops() {
    let options = InstantOptions {
        tokens: 10_000,
        pause: Some(Duration::from_millis(5)),
        ..InstantOptions::default()
    };
    let server = InstantUpstream::start(options).await.unwrap();
    let world = World::start(Backend::Upstream(server)).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(20_000).await;

    let body = world.chat(r#","stream":true"#);
    let header = world.header(id, stack, body.as_bytes());
    let signed = Signed::new(header.clone(), &world.request_key);
    let request = signed_request(&url, "/v1/chat/completions", &signed, body);
    let mut response = world.http.request(request).await.unwrap();
    let mut got = Vec::new();
    while got.len() < 2_000 {
        got.extend_from_slice(
            &response
                .body_mut()
                .frame()
                .await
                .unwrap()
                .unwrap()
                .into_data()
                .unwrap(),
        );
    }
    let running = world.lease(&url, id, stack).await;
    let reserved = running["reserved"].as_u64().unwrap();
    assert!(
        (500..2_000).contains(&reserved),
        "a slice, not the stack: {reserved}"
    );
    drop(response);

    let Backend::Upstream(server) = &world.backend else {
        unreachable!()
    };
    eventually("the engine stops", || async { server.cancelled() == 1 }).await;
    let by_id = format!("{url}{}", receipt_path(stack, header.request_id));
    eventually("there is a receipt", || async {
        world.get(by_id.clone()).await.0 == StatusCode::OK
    })
    .await;
    let (_, found) = world.get(by_id).await;
    let receipt = Signed::<Receipt>::from_text(found["receipt"].as_str().unwrap()).unwrap();
    let Usage { output, input, .. } = receipt.message().usage;
    // nobody could count the prompt: near its tokens, not its bytes
    assert!(input < 200, "{input} prompt tokens");
    let received = got.windows(4).filter(|window| window == b"tok ").count() as u64;
    assert!(
        (received..10_000).contains(&output),
        "{received} received, {output} charged"
    );
    let after = world.lease(&url, id, stack).await;
    assert_eq!(after["committed"], receipt.message().units.0);
    assert_eq!(after["reserved"], 0);
    node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_a_limit_grows_until_the_stack_ends() {
    let options = InstantOptions {
        tokens: 5_000,
        ..InstantOptions::default()
    };
    let server = InstantUpstream::start(options).await.unwrap();
    let world = World::start(Backend::Upstream(server)).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    for (units, finish) in [(20_000, "stop"), (3_000, "length")] {
        let stack = world.buy(units).await;
        let body = world.chat(r#","stream":true"#);
        let answer = world
            .send(&url, world.header(id, stack, body.as_bytes()), &body)
            .await;
        let (receipt, hash) = answer.receipt();
        assert_eq!(receipt.message().response_hash, hash);
        assert!(receipt.message().units.0 <= units);
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(
            text.contains(&format!(r#""finish_reason":"{finish}""#)),
            "{finish}"
        );
        let tokens = text.matches("tok ").count() as u64;
        assert_eq!(tokens, receipt.message().usage.output);
    }
    node.drain_and_stop().await;
}
