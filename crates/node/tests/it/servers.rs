//! A node in front of a real server: what users get, and that they pay for just that.

use crate::common::{
    Answer, Backend, World, earned, eventually,
    real_server::{RealServer, engine},
    signed_request,
};
use atoma_evidence::receipt::receipt_path;
use atoma_types::{
    ComputeUnits, NodeId, RequestId, StackId,
    message::{Endpoint, Receipt, RequestHeader, Signed},
};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};

/// A node, its servers, and somebody with a stack.
struct Scene {
    servers: Vec<RealServer>,
    world: World,
    node: atoma_node::RunningNode,
    id: NodeId,
    stack: StackId,
    /// Units of all receipts so far.
    receipts: Cell<u64>,
}

impl Scene {
    /// With one server.
    async fn start(options: &[&str]) -> Self {
        Self::before(vec![RealServer::start(options)]).await
    }

    async fn before(servers: Vec<RealServer>) -> Self {
        let world = World::start(Backend::Given(engine(&servers))).await;
        let node = world.node().await;
        let stack = world.buy(100_000).await;
        Self {
            id: node.node_id(),
            servers,
            world,
            node,
            stack,
            receipts: Cell::new(0),
        }
    }

    fn header(&self, endpoint: Endpoint, body: &str) -> RequestHeader {
        RequestHeader {
            endpoint,
            ..self.world.header(self.id, self.stack, body.as_bytes())
        }
    }

    async fn send(&self, endpoint: Endpoint, body: &Value) -> Answer {
        let body = body.to_string();
        self.send_with(self.header(endpoint, &body), &body).await
    }

    /// Sends with a header of the test's own, and notes what the receipt says.
    async fn send_with(&self, header: RequestHeader, body: &str) -> Answer {
        let answer = self.world.send(&self.node.url(), header, body).await;
        if answer.status == StatusCode::OK {
            self.note(&answer.receipt().0);
        }
        answer
    }

    fn note(&self, receipt: &Signed<Receipt>) {
        let units = receipt.message().units.0;
        self.receipts.set(self.receipts.get() + units);
    }

    /// Asks for the receipt of an answer that was left, and notes it.
    async fn left(&self, id: RequestId) {
        let receipt = RefCell::new(None);
        eventually("it is signed", async || {
            let url = self.node.url() + &receipt_path(self.stack, id);
            let (_, found) = self.world.get(url).await;
            let text = found["receipt"].as_str().map(str::to_owned);
            text.inspect(|text| *receipt.borrow_mut() = Some(Signed::from_text(text).unwrap()))
                .is_some()
        })
        .await;
        self.note(&receipt.into_inner().unwrap());
    }

    /// The end of every test: what the receipts say is what the lease has used, what the node claims and what it
    /// is paid, and no money is lost.
    async fn end(self) {
        let receipts = self.receipts.get();
        assert_eq!(self.committed().await, receipts);
        self.world.begin_close(self.stack).await;
        if receipts > 0 {
            let (units, paid, _) = self.world.paid(self.stack, self.id).await;
            assert_eq!((units.0, paid), (receipts, earned(units)));
        }
        self.world.audit();
        self.node.drain_and_stop().await;
    }

    /// A chat with these fields beside its one message.
    async fn chat(&self, fields: &Value) -> Answer {
        self.send(Endpoint::ChatCompletions, &asked(fields)).await
    }

    /// A stream that has begun, and would go on for long; its request's id with it.
    async fn long_stream(
        &self,
    ) -> (
        RequestId,
        impl BodyExt<Data = Bytes, Error: std::fmt::Debug> + Unpin + use<>,
    ) {
        // the end token is forbidden
        let fields = json!({ "stream": true, "max_tokens": 900, "temperature": 1,
            "logit_bias": { "2": -100 } });
        let body = asked(&fields).to_string();
        let header = self.header(Endpoint::ChatCompletions, &body);
        let id = header.request_id;
        let signed = Signed::new(header, &self.world.request_key);
        let path = Endpoint::ChatCompletions.as_str();
        let request = signed_request(&self.node.url(), path, &signed, body);
        let answer = self.world.http.request(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        (id, answer.into_body())
    }

    /// Units that the lease has paid, once nothing is held any more.
    async fn committed(&self) -> u64 {
        let (url, id) = (self.node.url(), self.node.node_id());
        let status = async || self.world.lease(&url, id, self.stack).await;
        eventually("nothing is held", async || status().await["reserved"] == 0).await;
        status().await["committed"].as_u64().unwrap()
    }

    /// Requests that the server itself says it works on.
    async fn running(&self) -> f64 {
        let url = format!("{}/metrics", self.servers[0].url())
            .parse()
            .unwrap();
        let answer = self.world.http.get(url).await.unwrap();
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(text.to_vec()).unwrap();
        let names = ["llamacpp:requests_processing", "vllm:num_requests_running"];
        let is_running = |line: &&str| names.iter().any(|name| line.starts_with(name));
        let line = text.lines().find(is_running).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

fn asked(fields: &Value) -> Value {
    let mut body = json!({
        "model": "ours", "temperature": 0, "max_tokens": 12,
        "messages": [{ "role": "user", "content": "What is the sun?" }],
    });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// The frames of a stream, without its receipt and its end.
fn frames(answer: &Answer) -> Vec<Value> {
    let text = std::str::from_utf8(&answer.body).unwrap();
    let payloads = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let frames = payloads.filter(|payload| *payload != "[DONE]");
    frames
        .map(|frame| serde_json::from_str(frame).unwrap())
        .collect()
}

fn streamed(answer: &Answer) -> String {
    let frames = frames(answer);
    let deltas = frames
        .iter()
        .flat_map(|frame| frame["choices"].as_array().unwrap());
    deltas
        .filter_map(|choice| choice["delta"]["content"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_and_streamed_answers_are_the_same_and_cost_what_the_server_counted() {
    let scene = Scene::start(&[]).await;
    let whole = scene.chat(&json!({})).await;
    assert_eq!(whole.status, StatusCode::OK, "{whole:?}");
    let answer = whole.json();
    let said = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(
        said,
        "The sun is the star at the centre of our solar system"
    );
    assert_eq!(
        (answer["model"].as_str(), answer["timings"].is_null()),
        (Some("ours"), true)
    );
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    let (receipt, _) = whole.receipt();
    let usage = receipt.message().usage;
    assert_eq!((usage.prompt_tokens(), usage.output), (12, 12));
    assert_eq!(answer["usage"]["completion_tokens"], 12);

    let stream = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let stream = scene.chat(&stream).await;
    assert_eq!(streamed(&stream), said);
    let (receipt, _) = stream.receipt();
    let usage = receipt.message().usage;
    assert_eq!((usage.prompt_tokens(), usage.output), (12, 12));
    let frames = frames(&stream);
    assert_eq!(frames[0]["choices"][0]["delta"]["role"], "assistant");
    assert!(
        frames
            .iter()
            .all(|frame| frame["model"] == "ours" && frame["id"] == frames[0]["id"])
    );
    let cached = &frames.last().unwrap()["usage"]["prompt_tokens_details"]["cached_tokens"];
    assert_eq!(*cached, usage.cached_input);

    // the end token is forbidden
    let text = json!({ "model": "ours", "prompt": "Once upon a", "max_tokens": 4, "logprobs": 2,
        "temperature": 0, "logit_bias": { "2": -100 } });
    let text = scene.send(Endpoint::Completions, &text).await;
    assert_eq!(text.status, StatusCode::OK, "{text:?}");
    let answer = text.json();
    let tokens = answer["choices"][0]["logprobs"]["tokens"].as_array();
    assert_eq!(tokens.map(Vec::len), Some(4), "{answer}");
    let (receipt, _) = text.receipt();
    assert_eq!(receipt.message().usage.output, 4);

    assert_eq!(scene.committed().await, 24 + 24 + receipt.message().units.0);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_limit_ends_where_its_money_does() {
    let scene = Scene::start(&[]).await;
    let body =
        asked(&json!({ "max_tokens": null, "temperature": 1.9, "logit_bias": { "2": -100 } }));
    let body = body.to_string();
    let header = RequestHeader {
        max_units: ComputeUnits(60),
        ..scene.header(Endpoint::ChatCompletions, &body)
    };
    let answer = scene.send_with(header, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["usage"]["completion_tokens"], 48);
    let (receipt, _) = answer.receipt();
    assert_eq!(receipt.message().units, ComputeUnits(60));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_has_beyond_chats_reaches_it_and_is_counted() {
    let scene = Scene::start(&[]).await;
    // two answers: the server's last word counts only one of them
    let two = scene
        .chat(&json!({ "n": 2, "max_tokens": 5, "temperature": 1 }))
        .await;
    let answer = two.json();
    assert_eq!(answer["choices"].as_array().unwrap().len(), 2, "{answer}");
    let (receipt, _) = two.receipt();
    assert_eq!(receipt.message().usage.output, 10);
    let two = scene
        .chat(&json!({ "n": 2, "max_tokens": 5, "temperature": 1, "stream": true }))
        .await;
    let (receipt, _) = two.receipt();
    assert_eq!(receipt.message().usage.output, 10);

    let schema = json!({ "type": "object", "properties": { "a": { "type": "boolean" } },
        "required": ["a"], "additionalProperties": false });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": schema } });
    let constrained = json!({ "response_format": format, "max_tokens": 200 });
    let constrained = scene.chat(&constrained).await.json();
    let said = constrained["choices"][0]["message"]["content"]
        .as_str()
        .unwrap();
    let said: Value = serde_json::from_str(said).unwrap_or_else(|_| panic!("{constrained}"));
    assert!(said["a"].is_boolean());

    let tools = json!([{ "type": "function", "function": { "name": "f", "parameters": {} } }]);
    let parts = json!([{ "role": "user", "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }] }]);
    for fields in [
        json!({ "tools": tools, "tool_choice": "none" }),
        json!({ "chat_template_kwargs": { "enable_thinking": false } }),
        json!({ "messages": parts, "repetition_penalty": 1.1, "seed": -1, "user": "u", "unknown": 1 }),
    ] {
        let answer = scene.chat(&fields).await;
        assert_eq!(answer.status, StatusCode::OK, "{fields}: {answer:?}");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_refused_and_costs_nothing() {
    let scene = Scene::start(&[]).await;
    let image = json!([{ "role": "user", "content": [{ "type": "image_url",
        "image_url": { "url": "data:image/png;base64,AAAA" } }] }]);
    let fetched = json!([{ "role": "user", "content": [{ "type": "image_url",
        "image_url": { "url": "http://127.0.0.1/x.png" } }] }]);
    let long = json!([{ "role": "user", "content": "word ".repeat(3_000) }]);
    for (fields, code) in [
        (json!({ "messages": image }), "invalid_body"),
        (json!({ "messages": fetched }), "invalid_body"),
        (json!({ "messages": long }), "context_length_exceeded"),
        (json!({ "max_tokens": 2_000 }), "context_length_exceeded"),
        (json!({ "n": 5 }), "invalid_body"),
        (json!({ "n_predict": -1 }), "invalid_body"),
        (
            json!({ "kv_transfer_params": { "do_remote_decode": true } }),
            "invalid_body",
        ),
    ] {
        let answer = scene.chat(&fields).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{fields}: {answer:?}"
        );
        assert_eq!(answer.code(), code, "{fields}");
    }
    let vectors = json!({ "model": "ours", "input": "x" });
    let vectors = scene.send(Endpoint::Embeddings, &vectors).await;
    assert_eq!(
        (vectors.status, &*vectors.code()),
        (StatusCode::BAD_REQUEST, "invalid_body")
    );
    assert_eq!(scene.committed().await, 0);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_prompt_within_the_context_is_served() {
    let scene = Scene::start(&["slots=1", "context=8192"]).await;
    // 35 kB, whose bytes alone would be four contexts
    let long = json!([{ "role": "user", "content": "word ".repeat(7_000) }]);
    let answer = scene
        .chat(&json!({ "messages": long, "max_tokens": 1 }))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let (receipt, _) = answer.receipt();
    assert_eq!(receipt.message().usage.prompt_tokens(), 7_009);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_pays_for_the_tokens_that_were_sent_and_the_server_stops() {
    let scene = Scene::start(&[]).await;
    let (id, mut stream) = scene.long_stream().await;
    let mut got = Vec::new();
    while got.windows(7).filter(|w| w == b"content").count() < 8 {
        let frame = stream.frame().await.unwrap().unwrap();
        got.extend_from_slice(&frame.into_data().unwrap());
    }
    drop(stream);
    let charged = scene.committed().await;
    assert!(
        (12 + 7..12 + 300).contains(&charged),
        "{charged} units for 12 and some tokens"
    );
    eventually("the server stops", async || scene.running().await == 0.0).await;
    scene.left(id).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_whole_answer_that_is_left_the_server_computes_no_more() {
    let scene = Scene::start(&[]).await;
    // the end token is forbidden
    let fields = json!({ "max_tokens": 900, "temperature": 1, "logit_bias": { "2": -100 } });
    let body = asked(&fields).to_string();
    let header = scene.header(Endpoint::ChatCompletions, &body);
    let id = header.request_id;
    let signed = Signed::new(header, &scene.world.request_key);
    let path = Endpoint::ChatCompletions.as_str();
    let request = signed_request(&scene.node.url(), path, &signed, body);
    let begun = eventually("it is computed", async || scene.running().await > 0.0);
    tokio::select! {
        biased;
        answer = scene.world.http.request(request) => panic!("{:?} came first", answer.unwrap().status()),
        () = begun => {}
    }
    let charged = scene.committed().await;
    assert!((13..12 + 900).contains(&charged), "{charged} units");
    eventually("the server stops", async || scene.running().await == 0.0).await;
    scene.left(id).await;
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_or_hangs_costs_nothing_and_is_used_again_when_it_is_back() {
    let mut scene = Scene::start(&[]).await;
    assert_eq!(scene.chat(&json!({})).await.status, StatusCode::OK);
    let before = scene.committed().await;
    for dies in [true, false] {
        let (_, stream) = scene.long_stream().await;
        if dies {
            scene.servers[0].kill();
        } else {
            scene.servers[0].signal("STOP");
        }
        let rest = stream.collect().await.unwrap().to_bytes();
        let rest = String::from_utf8(rest.to_vec()).unwrap();
        let last = rest.lines().rfind(|line| !line.is_empty()).unwrap();
        let error = last.strip_prefix("data: ").unwrap();
        let error: Value = serde_json::from_str(error).unwrap();
        assert_eq!(error["error"]["code"], "unavailable", "{rest}");
        assert!(!rest.contains("atoma-receipt"));
        let refused = scene.chat(&json!({})).await;
        assert_eq!(
            (refused.status, &*refused.code()),
            (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        );
        assert_eq!(
            scene.committed().await,
            before,
            "a broken answer costs nothing"
        );
        if dies {
            scene.servers[0].restart();
        } else {
            scene.servers[0].signal("CONT");
        }
        eventually("it is used again", async || {
            let load = scene.world.engine.load();
            load.healthy
        })
        .await;
    }
    let again = scene.chat(&json!({})).await;
    assert_eq!(again.status, StatusCode::OK);
    scene.end().await;
}

/// A conversation of so many questions, long enough to be worth keeping.
fn conversation(name: &str, questions: usize) -> Value {
    let texts = (0..questions).map(|n| format!("{name} asks again, {n} times by now. ").repeat(16));
    let turns = texts.map(|text| json!({ "role": "user", "content": text }));
    json!({ "messages": turns.collect::<Vec<_>>(), "max_tokens": 2 })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_stays_with_one_of_two_servers_and_goes_on_with_the_other() {
    let options = ["context=4096"];
    let servers = vec![RealServer::start(&options), RealServer::start(&options)];
    let mut scene = Scene::before(servers).await;
    let engine = scene.world.engine.clone();
    let names = ["Anna", "Bernard"];
    let mut before = [0; 2];
    for questions in 1..4 {
        for (name, before) in names.iter().zip(&mut before) {
            let answer = scene.chat(&conversation(name, questions)).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            let usage = answer.receipt().0.message().usage;
            // vLLM keeps whole blocks of 128 tokens
            let kept = usage.cached_input + 128 >= *before;
            assert!(kept, "{usage:?}: {before} tokens were asked before");
            *before = usage.prompt_tokens();
        }
    }
    let placed = engine.load().prefixes;
    assert_eq!((placed.new, placed.kept, placed.moved), (2, 4, 0));

    // one of them dies: what it had goes on with the other, what the other had stays
    let failures = |at: usize| engine.load().upstreams[at].failures;
    scene.servers[0].kill();
    eventually("it is missed", async || failures(0) > 0).await;
    for name in names {
        let answer = scene.chat(&conversation(name, 4)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    scene.servers[0].restart();
    eventually("it is back", async || failures(0) == 0).await;
    let placed = engine.load().prefixes;
    for name in names {
        let answer = scene.chat(&conversation(name, 5)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(answer.receipt().0.message().usage.cached_input > 0);
    }
    assert_eq!(engine.load().prefixes.kept, placed.kept + 2);
    scene.end().await;
}
