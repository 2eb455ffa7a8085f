//! The whole serving path against a real ledger and real engines.

use crate::common::{Backend, World, earned, eventually, signed_request};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_keys::SigningKey;
use atoma_runtime::Runtime;
use atoma_types::{
    ComputeUnits, StackId, TaskId, TimestampMs, UnitWeights, Usage,
    hash::Hash32,
    http::OPERATOR,
    message::{Endpoint, Receipt, RequestHeader, Signed},
};
use futures::future::join_all;
use http::StatusCode;
use http_body_util::BodyExt;
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Checks what every client checks.
fn check(receipt: &Signed<Receipt>, response: Hash32, order: &RequestHeader, node: &NodeFacts) {
    let message = receipt.message();
    receipt.verify(&node.response_key).unwrap();
    assert_eq!(message.response_hash, response);
    assert_eq!(message.request_hash, Hash32::of(&bcs(order)));
    assert_eq!(
        (message.request_id, message.stack),
        (order.request_id, order.stack)
    );
    let weights = UnitWeights {
        cached_input: 1_000,
        ..UnitWeights::TEXT
    };
    assert_eq!(weights.units(&message.usage), Some(message.units));
    assert!(message.units <= order.max_units);
}

fn bcs(order: &RequestHeader) -> Vec<u8> {
    // signing encodes; the key doesn't matter for the bytes
    Signed::new(order.clone(), &SigningKey::from_seed(&[1; 32]))
        .bytes()
        .to_vec()
}

struct NodeFacts {
    response_key: atoma_types::PublicKey,
}

async fn facts(world: &World, node: atoma_types::NodeId) -> NodeFacts {
    NodeFacts {
        response_key: world.ledger.node(node).await.unwrap().response_key,
    }
}

/// All receipts in order, held against the chain's rules; the units in all.
fn chain(mut receipts: Vec<Signed<Receipt>>) -> ComputeUnits {
    receipts.sort_by_key(|receipt| receipt.message().seq);
    let (mut sum, mut previous) = (0, Hash32::ZERO);
    for (place, receipt) in receipts.iter().enumerate() {
        let message = receipt.message();
        sum += message.units.0;
        assert_eq!(message.seq, place as u64 + 1);
        assert_eq!(message.cumulative_units, ComputeUnits(sum));
        assert_eq!(message.previous, previous);
        previous = receipt.hash();
    }
    ComputeUnits(sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_in_the_node_gives_the_form_that_is_asked_for_or_says_that_it_cannot() {
    let world = World::start(Backend::Builtin).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let facts = facts(&world, id).await;
    let stack = world.buy(10_000).await;
    let format = r#","max_tokens":64,"response_format":{"type":"json_schema","json_schema":{"name":"n",
        "schema":{"type":"object","properties":{"warm":{"type":"boolean"},"unit":{"enum":["C","F"]}},
        "required":["warm","unit"],"additionalProperties":false}}}"#;
    for stream in [false, true] {
        let body = world.chat(&format!(r#"{format},"stream":{stream}"#));
        let order = world.header(id, stack, body.as_bytes());
        let answer = world.send(&url, order.clone(), &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let (receipt, hash) = answer.receipt();
        check(&receipt, hash, &order, &facts);
        assert!(
            receipt.message().output_fingerprint.is_some(),
            "exact as ever"
        );
        if !stream {
            let said = &answer.json()["choices"][0]["message"]["content"];
            let said: serde_json::Value = serde_json::from_str(said.as_str().unwrap()).unwrap();
            assert!(said["warm"].is_boolean() && said["unit"].is_string());
        }
    }
    let tools = r#""tools":[{"type":"function","function":{"name":"f"}}]"#;
    for (more, param) in [
        (
            r#","repetition_penalty":1.3"#.to_owned(),
            Some("repetition_penalty"),
        ),
        (r#","min_tokens":5"#.to_owned(), Some("min_tokens")),
        (
            r#","guided_json":{"type":"object"}"#.to_owned(),
            Some("guided_json"),
        ),
        (r#","logit_bias":{"5":1}"#.to_owned(), Some("logit_bias")),
        (format!(r#",{tools},"tool_choice":"required""#), None),
    ] {
        let body = world.chat(&more);
        let order = world.header(id, stack, body.as_bytes());
        let answer = world.send(&url, order, &body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{more}: {answer:?}");
        assert_eq!(answer.json()["error"]["code"], "invalid_body", "{more}");
        assert_eq!(answer.json()["error"]["param"].as_str(), param, "{more}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_purchase_to_pay() {
    let world = World::start(Backend::Builtin).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let facts = facts(&world, id).await;
    let stack = world.buy(10_000).await;
    let mut receipts = Vec::new();

    // a whole answer
    let body = world.chat(r#","max_tokens":8,"temperature":0,"logprobs":true,"top_logprobs":2"#);
    let order = world.header(id, stack, body.as_bytes());
    let answer = world.send(&url, order.clone(), &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let json = answer.json();
    assert_eq!(json["object"], "chat.completion");
    assert!(
        !json["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .is_empty()
    );
    let logprobs = json["choices"][0]["logprobs"]["content"]
        .as_array()
        .unwrap();
    let (receipt, hash) = answer.receipt();
    check(&receipt, hash, &order, &facts);
    assert!(
        receipt.message().output_fingerprint.is_some(),
        "the exact engine commits itself"
    );
    assert_eq!(
        json["usage"]["completion_tokens"],
        receipt.message().usage.output
    );
    assert!(logprobs.len() as u64 <= receipt.message().usage.output);
    receipts.push(receipt);

    // a stream with usage, and the same words as without: greedy is greedy
    let body = world.chat(
        r#","max_tokens":8,"temperature":0,"stream":true,"stream_options":{"include_usage":true}"#,
    );
    let order = world.header(id, stack, body.as_bytes());
    let answer = world.send(&url, order.clone(), &body).await;
    let (receipt, hash) = answer.receipt();
    check(&receipt, hash, &order, &facts);
    let text = std::str::from_utf8(&answer.body).unwrap();
    let frames: Vec<serde_json::Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|payload| *payload != "[DONE]")
        .map(|payload| serde_json::from_str(payload).unwrap())
        .collect();
    let said: String = frames
        .iter()
        .filter_map(|frame| frame["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(
        said,
        json["choices"][0]["message"]["content"].as_str().unwrap()
    );
    assert_eq!(frames[0]["choices"][0]["delta"]["role"], "assistant");
    let usage = &frames.last().unwrap()["usage"];
    assert_eq!(usage["completion_tokens"], receipt.message().usage.output);
    receipts.push(receipt);

    // a legacy completion without a limit, bounded by what the user will pay
    let model = &world.task.model_name;
    let body = format!(r#"{{"model":"{model}","prompt":"Once upon","stop":["."]}}"#);
    let order = RequestHeader {
        endpoint: Endpoint::Completions,
        max_units: ComputeUnits(12),
        ..world.header(id, stack, body.as_bytes())
    };
    let answer = world.send(&url, order.clone(), &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let (receipt, hash) = answer.receipt();
    check(&receipt, hash, &order, &facts);
    receipts.push(receipt);

    // vectors
    let body = format!(r#"{{"model":"{model}","input":["one","two words"]}}"#);
    let order = RequestHeader {
        endpoint: Endpoint::Embeddings,
        ..world.header(id, stack, body.as_bytes())
    };
    let answer = world.send(&url, order.clone(), &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2);
    let (receipt, hash) = answer.receipt();
    check(&receipt, hash, &order, &facts);
    let by_id = format!("{url}/v1/receipts/{}", order.request_id);
    let (status, again) = world.get(by_id).await;
    assert_eq!(
        (status, again["receipt"].as_str()),
        (StatusCode::OK, Some(&*receipt.to_text()))
    );
    receipts.push(receipt);

    let status = world.lease(&url, id, stack).await;
    let units = chain(receipts);
    assert_eq!(status["committed"], units.0);
    assert_eq!(status["reserved"], 0);
    let (_, models) = world.get(format!("{url}/v1/models")).await;
    assert_eq!(models["data"][0]["id"], **model);
    let metrics = world
        .http
        .get(format!("{}/metrics", node.admin_url()).parse().unwrap())
        .await;
    let metrics = metrics
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    let metrics = String::from_utf8(metrics.to_vec()).unwrap();
    assert!(metrics.contains("atoma_node_receipts_total 4"), "{metrics}");

    // the owner closes; the node settles and claims by itself
    world.begin_close(stack).await;
    let (paid_units, paid, stack) = world.paid(stack, id).await;
    assert_eq!((paid_units, paid), (units, earned(units)));
    assert!(stack.closed);
    world.audit();
    node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_at_once_get_exactly_what_fits() {
    let world = World::start(Backend::Builtin).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let body = world.chat(r#","max_tokens":1"#);

    // what one request costs
    let trial = world.buy(1_000).await;
    let answer = world
        .send(&url, world.header(id, trial, body.as_bytes()), &body)
        .await;
    let each = answer.receipt().0.message().units.0;

    let stack = world.buy(100 * each + each - 1).await;
    let requests = (0..1_000u32).map(|n| {
        let order = RequestHeader {
            lane: u16::try_from(n % 8).unwrap(),
            ..world.header(id, stack, body.as_bytes())
        };
        world.send(&url, order, &body)
    });
    let answers = join_all(requests).await;
    let mut outcomes = BTreeMap::new();
    for answer in &answers {
        *outcomes.entry(answer.status.as_u16()).or_insert(0) += 1;
    }
    assert_eq!(outcomes, BTreeMap::from([(200, 100), (402, 900)]));
    let receipts = answers
        .iter()
        .filter(|a| a.status == 200)
        .map(|a| a.receipt().0)
        .collect();
    let units = chain(receipts);
    assert_eq!(units.0, 100 * each);

    world.begin_close(stack).await;
    let (paid_units, paid, _) = world.paid(stack, id).await;
    assert_eq!((paid_units, paid), (units, earned(units)));
    world.audit();
    node.drain_and_stop().await;
}

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
    for (code, order, body) in cases {
        let answer = world.send(&url, order, &body).await;
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
    let foreign = Signed::new(good(), &SigningKey::generate());
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
    let head = raw_head(&signed, &url, 100_000_000);
    assert!(raw(&url, head.as_bytes()).await.starts_with("HTTP/1.1 413"));
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
    let read = tokio::time::timeout(crate::common::PATIENCE, socket.read(&mut answer)).await;
    String::from_utf8_lossy(&answer[..read.unwrap().unwrap()]).into_owned()
}

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
    let order = world.header(id, stack, body.as_bytes());
    let signed = Signed::new(order.clone(), &world.request_key);
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
    let by_id = format!("{url}/v1/receipts/{}", order.request_id);
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

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_node_goes_on_where_it_was() {
    let server = InstantUpstream::start(InstantOptions::default())
        .await
        .unwrap();
    let world = World::start(Backend::Upstream(server)).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(1_000).await;
    let body = world.chat(r#","max_tokens":4"#);
    let old = world.header(id, stack, body.as_bytes());
    let first = world.send(&url, old.clone(), &body).await.receipt().0;
    // signed before the restart by a clock that is ahead: still not served twice
    let early = RequestHeader {
        issued_at_ms: TimestampMs(Runtime::system().now().0 + 25_000),
        ..world.header(id, stack, body.as_bytes())
    };
    let second = world.send(&url, early.clone(), &body).await.receipt().0;
    node.drain_and_stop().await;

    let node = world.node().await;
    assert_eq!(node.node_id(), id, "it registers once");
    let url = node.url();
    assert_eq!(world.ledger.node(id).await.unwrap().url, url, "and moves");
    assert_eq!(
        world.send(&url, old, &body).await.code(),
        "issued_before_restart"
    );
    assert_eq!(
        world.send(&url, early, &body).await.code(),
        "request_replayed"
    );
    let third = world
        .send(&url, world.header(id, stack, body.as_bytes()), &body)
        .await;
    let units = chain(vec![first, second, third.receipt().0]);

    // settled by the operator's word
    let settle = format!("{}/admin/settle/{stack}", node.admin_url());
    let request = http::Request::post(settle)
        .header(OPERATOR, "yes")
        .body(http_body_util::Full::default())
        .unwrap();
    assert_eq!(
        crate::common::post(&world.http, request).await.status,
        StatusCode::ACCEPTED
    );
    let refused = world
        .send(&url, world.header(id, stack, body.as_bytes()), &body)
        .await;
    assert!(["lease_exhausted", "unknown_stack"].contains(&&*refused.code()));
    let (paid, _, _) = world.paid(stack, id).await;
    assert_eq!(paid, units);
    world.audit();
    node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_stack_is_given_back_whole() {
    let server = InstantUpstream::start(InstantOptions::default())
        .await
        .unwrap();
    let world = World::start(Backend::Upstream(server)).await;
    let node = world.node().await;
    let before = world
        .ledger
        .usdc(world.user.public_key().address())
        .await
        .unwrap();
    let stack = world.buy(1_000).await;
    world.begin_close(stack).await;
    let (units, _, _) = world.paid(stack, node.node_id()).await;
    assert_eq!(units, ComputeUnits::ZERO);
    let after = world
        .ledger
        .usdc(world.user.public_key().address())
        .await
        .unwrap();
    assert_eq!(before, after);
    node.drain_and_stop().await;
}
