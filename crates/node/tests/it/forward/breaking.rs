//! The other node breaks off, says nothing, or isn't there.

use super::pair::{Behind, Pair, always, exact};
use crate::common::eventually;
use atoma_client::RequestOptions;
use atoma_node::ForwardConfig;
use atoma_types::{
    ComputeUnits,
    message::{Endpoint, RequestHeader},
};
use bytes::Bytes;
use http::StatusCode;
use std::time::Duration;

/// Between two tokens of an answer that is to be broken off.
const PAUSE: Duration = Duration::from_millis(20);
/// No answer begins within it.
const NEVER: Duration = Duration::from_secs(3_600);

/// A user reads a stream to its end, while `breaks` breaks the other node's answer once it has begun: what the
/// user got, and the units that they have paid.
async fn broken(pair: &Pair, breaks: impl Future<Output = ()>) -> (String, u64) {
    let (url, node) = (pair.first().url(), pair.first().node_id());
    let stack = pair.world.lease_of(node, 20_000).await;
    let body = pair.world.chat(r#","max_tokens":400,"stream":true"#);
    let header = pair.world.header(node, stack, body.as_bytes());
    let header = RequestHeader {
        max_units: ComputeUnits(5_000),
        ..header
    };
    let (answer, ()) = tokio::join!(pair.world.send(&url, header, &body), breaks);
    assert_eq!(answer.status, StatusCode::OK);
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    (text, pair.committed(stack).await)
}

/// Its words, then one error, no receipt and no end.
fn check_broken(text: &str) {
    assert!(text.contains("tok"), "{text}");
    assert_eq!(text.matches(r#""error""#).count(), 1, "{text}");
    assert!(!text.contains("atoma-receipt"), "{text}");
    assert!(!text.contains("[DONE]"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_breaks_behind_the_other_node_ends_in_one_error_and_costs_nobody_anything() {
    let (own, other) = (Behind::quick().await, Behind::slow(PAUSE).await);
    let Behind { server, engine } = other;
    let pair = Pair::start([own.engine.clone(), engine], always()).await;
    let breaks = async {
        eventually("it has begun", || async { server.frames() > 3 }).await;
        drop(server);
    };
    let (text, units) = broken(&pair, breaks).await;
    check_broken(&text);
    assert_eq!(units, 0);
    assert_eq!(pair.forwarded("broken").await, 1);
    assert_eq!(pair.signed_by_second().await, 0);
    assert_eq!(own.server.requests(), 0, "nothing is asked twice");
    let nothing = ComputeUnits::ZERO;
    assert_eq!(pair.paid().await, (nothing, nothing));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_in_the_middle_ends_the_stream_with_one_error_and_its_user_pays_nothing() {
    let (own, other) = (Behind::quick().await, Behind::slow(PAUSE).await);
    let engines = [own.engine.clone(), other.engine.clone()];
    let mut pair = Pair::start(engines, always()).await;
    let kill = pair.kill_second();
    let breaks = async {
        eventually("it has begun", || async { other.server.frames() > 3 }).await;
        kill();
    };
    let (text, units) = broken(&pair, breaks).await;
    check_broken(&text);
    assert_eq!(units, 0);
    assert_eq!(pair.forwarded("broken").await, 1);
    // the next one is served here
    let next = pair.whole("").await;
    assert!(next.receipt.unwrap().second().is_none());
    pair.world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_before_its_first_word_is_made_up_for() {
    let (own, other) = (Behind::quick().await, Behind::slow(NEVER).await);
    let engines = [own.engine.clone(), other.engine.clone()];
    let mut pair = Pair::start(engines, always()).await;
    let kill = pair.kill_second();
    let breaks = async {
        eventually("it was asked", || async { other.server.requests() == 1 }).await;
        kill();
    };
    let (whole, ()) = tokio::join!(pair.whole(r#","stream":true"#), breaks);
    let receipt = whole.receipt.expect("answered by itself");
    assert!(receipt.second().is_none());
    assert_eq!(own.server.requests(), 1);
    assert_eq!(pair.forwarded("nobody").await, 1);
    let stack = pair.stack.id();
    assert_eq!(
        pair.stack.room(pair.first().node_id()).0,
        20_000 - receipt.units.0
    );
    pair.stack.begin_close().await.unwrap();
    let (paid, ..) = pair.world.paid(stack, pair.first().node_id()).await;
    assert_eq!(paid, receipt.units, "once");
    pair.world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_says_nothing_is_not_waited_for_and_gets_nothing() {
    let (own, other) = (Behind::quick().await, Behind::slow(NEVER).await);
    let engines = [own.engine.clone(), other.engine.clone()];
    let impatient = ForwardConfig {
        answer_begins_timeout_ms: 300,
        ..always()
    };
    let pair = Pair::start(engines, impatient).await;
    let receipt = pair.whole(r#","stream":true"#).await.receipt.unwrap();
    assert!(receipt.second().is_none());
    assert_eq!(other.server.requests(), 1, "it was asked");
    assert_eq!(pair.forwarded("nobody").await, 1);
    // it may still say something for ten minutes, which is the first node's alone to pay
    pair.stack.begin_close().await.unwrap();
    let (stack, first) = (pair.stack.id(), pair.first().node_id());
    let (paid, ..) = pair.world.paid(stack, first).await;
    assert_eq!(paid, receipt.units);
    assert_eq!(pair.signed_by_second().await, 0);
    pair.world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_nobody_helps_answers_by_itself_where_it_can() {
    let mut pair = Pair::start([exact(), exact()], always()).await;
    pair.kill_second()();
    let ask = async |more: &str, max_units| {
        let body = Bytes::from(pair.world.chat(more));
        let options = RequestOptions {
            max_units: Some(ComputeUnits(max_units)),
            ..RequestOptions::default()
        };
        let (node, endpoint) = (pair.first().node_id(), Endpoint::ChatCompletions);
        let asked = pair.stack.request(node, endpoint, body, options);
        asked.await.unwrap()
    };
    let answer = ask(r#","max_tokens":8,"stream":true"#, 1_000).await;
    let receipt = answer.whole().await.unwrap().receipt.unwrap();
    assert!(receipt.second().is_none());
    assert_eq!((receipt.seq, receipt.cumulative_units), (1, receipt.units));
    assert_eq!(pair.forwarded("nobody").await, 1);

    // what is wrong with the request itself is said by whoever sees it
    let wrong = ask(r#","max_tokens":"many""#, 100).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    pair.world.audit();
}
