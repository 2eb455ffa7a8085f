//! Servers that no node should stand before, and what their users pay: for tokens that came, whoever counts
//! them, and for nothing that broke.

use crate::common::{Answer, Backend, World, eventually, signed_request};
use atoma_engine::{
    Engine, Prompt, Upstream, UpstreamOptions, builtin,
    testing::{Reply, Scripted, Then},
};
use atoma_types::{
    StackId,
    message::{RequestHeader, Signed},
};
use http::StatusCode;
use http_body_util::BodyExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Tokens of the one prompt: the server is asked for them.
const PROMPT: u64 = 9;

/// A node before a server that says what it is told to.
struct Scene {
    reply: Arc<Mutex<Reply>>,
    world: World,
    node: atoma_node::RunningNode,
    stack: StackId,
    _server: Scripted,
}

impl Scene {
    async fn start() -> Self {
        Self::with(None).await
    }

    /// A node that has the model's folder, if there is one.
    async fn with(tokenizer: Option<PathBuf>) -> Self {
        let reply = Arc::new(Mutex::new(Reply::json(200, "{}")));
        let told = reply.clone();
        let server = Scripted::start(move |path, _| match path {
            "/v1/chat/completions" => told.lock().clone(),
            "/v1/models" => Reply::json(
                200,
                r#"{"data":[{"id":"odd","owned_by":"vllm","max_model_len":9000}]}"#,
            ),
            "/tokenize" => Reply::json(200, format!(r#"{{"count":{PROMPT}}}"#)),
            _ => Reply::json(200, "{}"),
        });
        let server = server.await.unwrap();
        let engine = Upstream::connect(UpstreamOptions {
            tokenizer,
            ..UpstreamOptions::new("odd", vec![server.url()])
        });
        let world = World::start(Backend::Given(engine.unwrap())).await;
        let node = world.node().await;
        let stack = world.buy(100_000).await;
        Self {
            reply,
            world,
            node,
            stack,
            _server: server,
        }
    }

    fn header(&self, body: &str) -> RequestHeader {
        self.world
            .header(self.node.node_id(), self.stack, body.as_bytes())
    }

    /// What a user gets of a server that says this.
    async fn told(&self, reply: Reply, stream: bool) -> Answer {
        *self.reply.lock() = reply;
        let body = self
            .world
            .chat(&format!(r#","max_tokens":2000,"stream":{stream}"#));
        let header = self.header(&body);
        self.world.send(&self.node.url(), header, &body).await
    }

    /// Units that the lease has paid, once nothing is held any more.
    async fn committed(&self) -> u64 {
        let (url, id) = (self.node.url(), self.node.node_id());
        let status = async || self.world.lease(&url, id, self.stack).await;
        eventually("nothing is held", async || status().await["reserved"] == 0).await;
        status().await["committed"].as_u64().unwrap()
    }
}

fn delta(delta: &str, more: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]{more}}}\n\n")
}

fn said(text: &str) -> String {
    delta(&format!("{{\"content\":\"{text}\"}}"), "")
}

const END: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_ends_in_one_error_without_the_servers_words_and_costs_nothing() {
    let scene = Scene::start().await;
    let abort = END.replace("stop", "abort");
    for reply in [
        Reply::json(200, r#"{"error":{"message":"/secret"}}"#),
        Reply::json(200, r#"{"object":"error","message":"/secret","code":500}"#),
        Reply::json(200, r#"{"choices":[]}"#),
        Reply::json(200, r#"{"choices":null}"#),
        Reply::json(200, "nonsense"),
        Reply::json(500, r#"{"detail":"/secret"}"#),
        Reply::stream(""),
        Reply::stream(DONE),
        Reply::stream(format!("data: {{\"choices\":[]}}\n\n{DONE}")),
        Reply::stream(said("a")),
        Reply::stream(said("a")).then(Then::Break),
        Reply::stream(format!("{}{abort}{DONE}", said("a"))),
        Reply::stream(format!("{}data: {{\"error\":\"/secret\"}}\n\n", said("a"))),
        Reply::stream(format!(
            "{}data: {{\"object\":\"error\",\"message\":\"/secret\"}}\n\n{DONE}",
            said("a")
        )),
        Reply::stream(format!("{}data: {{\"choices\":[{{\n\n{DONE}", said("a"))),
    ] {
        for stream in [false, true] {
            let answer = scene.told(reply.clone(), stream).await;
            let text = std::str::from_utf8(&answer.body).unwrap();
            assert!(!text.contains("secret"), "{text}");
            assert!(!text.contains("atoma-receipt"), "{text}");
            let error: Value = if answer.status == StatusCode::OK {
                // it had begun: the error is the stream's last word
                assert!(stream);
                let last = text.lines().rfind(|line| !line.is_empty()).unwrap();
                serde_json::from_str(last.strip_prefix("data: ").unwrap()).unwrap()
            } else {
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
                answer.json()
            };
            assert_eq!(error["error"]["code"], "unavailable", "{reply:?}");
        }
    }
    assert_eq!(scene.committed().await, 0);
    scene.node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_request_are_the_users() {
    let scene = Scene::start().await;
    let long = r#"{"error":{"message":"This model's maximum context length is 1024 tokens. However, your request has 3009 input tokens.","code":400}}"#;
    for (status, body, code) in [
        (400, long, "context_length_exceeded"),
        (400, r#"{"detail":"secret"}"#, "invalid_body"),
        (
            422,
            r#"{"detail":[{"loc":["body","stop"],"msg":"secret"}]}"#,
            "invalid_body",
        ),
        (501, r#"{"error":{"message":"secret"}}"#, "invalid_body"),
        (
            500,
            r#"{"error":{"message":"image input is not supported"}}"#,
            "invalid_body",
        ),
    ] {
        for stream in [false, true] {
            let answer = scene.told(Reply::json(status, body), stream).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {answer:?}");
            assert_eq!(answer.code(), code, "{body}");
            assert!(!answer.json().to_string().contains("secret"));
        }
    }
    let full = scene.told(Reply::json(429, "{}"), false).await;
    assert_eq!(full.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(scene.committed().await, 0);
    scene.node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_paid_however_they_are_framed() {
    let scene = Scene::start().await;
    let words = "word ".repeat(801);
    let usage =
        |n: u32| format!(",\"usage\":{{\"prompt_tokens\":{PROMPT},\"completion_tokens\":{n}}}");
    let counted = |text: &str, n| delta(&format!("{{\"content\":\"{text}\"}}"), &usage(n));
    let total = |n| format!("data: {{\"choices\":[]{}}}\n\n", usage(n));
    let call =
        r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\":1}"}}]}"#;
    for (frames, tokens) in [
        // many in one frame: by the server's count, in the frame or at the end, and by bytes
        (counted(&words, 801), 801),
        (format!("{}{}", said("word "), total(801)), 801),
        (said(&words), 801),
        // frames that say nothing
        (
            format!(
                "{}{}{}{}",
                delta(r#"{"role":"assistant","content":""}"#, ""),
                delta(r#"{"tool_calls":[]}"#, ""),
                delta("{}", ""),
                said("a")
            ),
            1,
        ),
        // calls and thoughts have more tokens than frames
        (delta(call, &usage(60)), 60),
        (delta(r#"{"reasoning_content":"thought"}"#, &usage(7)), 7),
        (
            delta(
                r#"{"reasoning":"12345678901","reasoning_content":"12345678901"}"#,
                "",
            ),
            3,
        ),
    ] {
        for stream in [false, true] {
            let before = scene.committed().await;
            let reply = Reply::stream(format!("{frames}{END}{DONE}"));
            let answer = scene.told(reply, stream).await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
            let receipt = answer.receipt().0;
            let usage = receipt.message().usage;
            assert_eq!(
                (usage.prompt_tokens(), usage.output),
                (PROMPT, tokens),
                "{frames}"
            );
            let paid = scene.committed().await - before;
            assert_eq!(
                (paid, receipt.message().units.0),
                (PROMPT + tokens, PROMPT + tokens)
            );
        }
    }
    scene.node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_no_server_counts_are_counted_by_the_models_own_tokenizer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/atoma-tiny");
    let scene = Scene::with(Some(folder)).await;
    let model = builtin::load().unwrap();
    // few bytes to a token, and many: by bytes these would be others
    for text in [
        "9 8 7 6 5 4 3 2 1 0",
        "the sun is a star of our solar system",
    ] {
        let tokens = model.count_tokens(&Prompt::Text(text.to_owned())).unwrap() as u64;
        assert_ne!(tokens, (text.len() as u64).div_ceil(5), "{text}");
        for delta_of in [
            |text: &str| json!({ "content": text }),
            |text: &str| json!({ "reasoning_content": text }),
            |text: &str| json!({ "tool_calls": [{ "index": 0, "function": { "arguments": text } }] }),
        ] {
            let frame = delta(&delta_of(text).to_string(), "");
            for stream in [false, true] {
                let reply = Reply::stream(format!("{frame}{END}{DONE}"));
                let answer = scene.told(reply, stream).await;
                assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
                let usage = answer.receipt().0.message().usage;
                assert_eq!(usage.output, tokens, "{frame}");
            }
        }
    }
    scene.node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_after_one_frame_pays_for_all_that_was_in_it() {
    let scene = Scene::start().await;
    let words = "word ".repeat(801);
    let call = json!({ "tool_calls": [{ "index": 0, "function": { "arguments": words } }] });
    // text, thoughts and calls
    for said in [
        json!({ "content": words }),
        json!({ "reasoning_content": words }),
        call,
    ] {
        let before = scene.committed().await;
        let frame = delta(&said.to_string(), "");
        *scene.reply.lock() = Reply::stream(frame).then(Then::Hang);
        let body = scene.world.chat(r#","max_tokens":2000,"stream":true"#);
        let signed = Signed::new(scene.header(&body), &scene.world.request_key);
        let request = signed_request(&scene.node.url(), "/v1/chat/completions", &signed, body);
        let mut stream = scene.world.http.request(request).await.unwrap().into_body();
        let mut got = 0;
        while got < words.len() {
            let frame = stream.frame().await.unwrap().unwrap();
            got += frame.into_data().unwrap().len();
        }
        drop(stream);
        let paid = scene.committed().await - before;
        assert_eq!(paid, PROMPT + 801, "{said}");
    }
    scene.node.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_lies_about_counts_moves_no_more_money_than_was_reserved() {
    let scene = Scene::start().await;
    let usage = |prompt: &str, output: &str| {
        let usage = format!(
            ",\"usage\":{{\"prompt_tokens\":{prompt},\"completion_tokens\":{output},\"prompt_tokens_details\":{{\"cached_tokens\":{prompt}}}}}"
        );
        format!("data: {{\"choices\":[]{usage}}}\n\n")
    };
    for (prompt, output) in [
        ("4000000000", "4000000000"),
        ("1e300", "1e300"),
        ("-5", "-5"),
        ("0", "0"),
        ("null", "null"),
    ] {
        let before = scene.committed().await;
        let stream = format!(
            "{}{END}{}{DONE}",
            said("hello there"),
            usage(prompt, output)
        );
        let answer = scene.told(Reply::stream(stream), true).await;
        let receipt = answer.receipt().0;
        let usage = receipt.message().usage;
        assert!(
            usage.prompt_tokens() <= PROMPT && usage.output <= 2_000,
            "{usage:?}"
        );
        assert!(usage.output >= 1, "there was text: {usage:?}");
        let paid = scene.committed().await - before;
        assert_eq!(paid, receipt.message().units.0);
        assert!(paid <= PROMPT + 2_000);
    }
    scene.node.drain_and_stop().await;
}
