//! What a node serves is found to be the model's, by whoever has another copy of it.

use crate::common::{Answer, Backend, World, salt};
use atoma_audit::{Body, Exchange, Finding, Promised, Signers, Work, examine};
use atoma_engine::{EmbeddedOptions, builtin};
use atoma_types::{
    ComputeUnits, PublicKey,
    http::RECEIPT_COMMENT,
    message::{Endpoint, RequestHeader, Signed},
};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

/// The record of a request and its answer, opened.
fn work(
    (world, receipt_key): (&World, PublicKey),
    header: Signed<RequestHeader>,
    body: &str,
    answer: &Answer,
) -> Work {
    let (receipt, _) = answer.receipt();
    let all = &answer.body;
    let comment = RECEIPT_COMMENT.as_bytes();
    let end = all
        .windows(comment.len())
        .position(|bytes| bytes == comment);
    let salted = |bytes: Bytes| Body {
        salt: salt(),
        bytes,
    };
    let signers = Signers {
        request: world.request_key.public_key(),
        receipt: receipt_key,
    };
    Work {
        exchange: Exchange::checked(header, receipt, &signers).unwrap(),
        task: Promised::from(&world.task),
        bodies: Some([
            salted(Bytes::copy_from_slice(body.as_bytes())),
            salted(all.slice(..end.unwrap_or(all.len()))),
        ]),
    }
}

/// What users ask for, in all the ways that a node treats differently.
fn asked(model: &str) -> Vec<(Endpoint, Value)> {
    let chat = |text: &str, more: Value| {
        let turns = json!([{ "role": "user", "content": text }]);
        let mut body = json!({ "model": model, "messages": turns });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        (Endpoint::ChatCompletions, body)
    };
    let completion = |text: &str, more: Value| {
        let mut body = json!({ "model": model, "prompt": text });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        (Endpoint::Completions, body)
    };
    let schema = json!({ "type": "json_schema", "json_schema": { "name": "a", "schema": {
        "type": "object", "properties": { "hot": { "type": "boolean" } }, "required": ["hot"] } } });
    vec![
        chat("Hello!", json!({})),
        chat("Hello!", json!({ "stream": true })),
        chat(
            "Tell me of the sea 🙂.",
            json!({ "temperature": 1.5, "max_tokens": 30 }),
        ),
        chat(
            "Tell me of the sea.",
            json!({ "stream": true, "stream_options": { "include_usage": true },
            "stop": ["e"], "temperature": 1.0, "seed": 7 }),
        ),
        chat(
            "Is it hot?",
            json!({ "response_format": schema, "max_tokens": 40 }),
        ),
        chat(
            "Hello!",
            json!({ "logprobs": true, "top_logprobs": 3, "stream": true }),
        ),
        completion(
            "And the LORD said",
            json!({ "max_tokens": 50, "temperature": 0.9 }),
        ),
        completion(
            "And the LORD said",
            json!({ "logprobs": 2, "max_tokens": 9, "top_p": 0.5 }),
        ),
        completion(
            "The sun",
            json!({ "stream": true, "presence_penalty": 1.0, "min_p": 0.1 }),
        ),
        (
            Endpoint::Embeddings,
            json!({ "model": model, "input": ["a", "the sun"] }),
        ),
        (
            Endpoint::Embeddings,
            json!({ "model": model, "input": "b", "encoding_format": "base64" }),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_serves_is_the_models() {
    let world = World::start(Backend::Builtin).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(200_000).await;
    let receipt_key = world.ledger.node(id).await.unwrap().response_key;
    let options = EmbeddedOptions {
        threads: Some(1),
        token_budget: 17,
        ..EmbeddedOptions::default()
    };
    let engine = builtin::load_with(options).unwrap();
    // twice: the second time beginnings come from the node's cache
    for _ in 0..2 {
        let asked = asked(&world.task.model_name);
        let sent = asked
            .iter()
            .enumerate()
            .map(async |(lane, (endpoint, body))| {
                let body = body.to_string();
                let header = RequestHeader {
                    endpoint: *endpoint,
                    lane: lane as u16,
                    max_units: ComputeUnits(3_000),
                    ..world.header(id, stack, body.as_bytes())
                };
                let header = Signed::new(header, &world.request_key);
                let answer = world.send_signed(&url, &header, &body).await;
                (header, body, answer)
            });
        for (header, body, answer) in futures::future::join_all(sent).await {
            assert_eq!(answer.status, StatusCode::OK, "{body} {answer:?}");
            let work = work((&world, receipt_key), header, &body, &answer);
            let examined = examine(&engine, &work).await.unwrap();
            assert_eq!(examined.finding, Finding::Honest, "{body} {answer:?}");
        }
    }
}
