//! The whole serving path against a real ledger and real engines.

use crate::{
    common::{Backend, World, earned},
    receipts::{chain, check, facts},
};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_evidence::receipt::receipt_path;
use atoma_types::{
    ComputeUnits, MicroUsdc,
    message::{Endpoint, RequestHeader},
};
use futures::future::join_all;
use http::StatusCode;
use http_body_util::BodyExt;
use std::collections::BTreeMap;

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
        let header = world.header(id, stack, body.as_bytes());
        let answer = world.send(&url, header.clone(), &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let (receipt, hash) = answer.receipt();
        check(&receipt, hash, &header, &facts);
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
        let header = world.header(id, stack, body.as_bytes());
        let answer = world.send(&url, header, &body).await;
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
    let header = world.header(id, stack, body.as_bytes());
    let answer = world.send(&url, header.clone(), &body).await;
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
    check(&receipt, hash, &header, &facts);
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
    let header = world.header(id, stack, body.as_bytes());
    let answer = world.send(&url, header.clone(), &body).await;
    let (receipt, hash) = answer.receipt();
    check(&receipt, hash, &header, &facts);
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
    let header = RequestHeader {
        endpoint: Endpoint::Completions,
        max_units: ComputeUnits(12),
        ..world.header(id, stack, body.as_bytes())
    };
    let answer = world.send(&url, header.clone(), &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let (receipt, hash) = answer.receipt();
    check(&receipt, hash, &header, &facts);
    receipts.push(receipt);

    // vectors
    let body = format!(r#"{{"model":"{model}","input":["one","two words"]}}"#);
    let header = RequestHeader {
        endpoint: Endpoint::Embeddings,
        ..world.header(id, stack, body.as_bytes())
    };
    let answer = world.send(&url, header.clone(), &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2);
    let (receipt, hash) = answer.receipt();
    check(&receipt, hash, &header, &facts);
    let by_id = format!("{url}{}", receipt_path(stack, header.request_id));
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
    assert!(stack.lease(id).unwrap().closed);
    assert_eq!(stack.escrow, MicroUsdc::ZERO);
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
        let header = RequestHeader {
            lane: u16::try_from(n % 8).unwrap(),
            ..world.header(id, stack, body.as_bytes())
        };
        world.send(&url, header, &body)
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
    world.withdraw(stack).await;
    let after = world
        .ledger
        .usdc(world.user.public_key().address())
        .await
        .unwrap();
    assert_eq!(before, after);
    node.drain_and_stop().await;
}
