//! What servers do that no server should: each is tolerated where a client could tolerate it, and else
//! ends in one honest error, or with another server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use atoma_engine::testing::{InstantOptions, InstantUpstream, Reply, Scripted, Then};
use atoma_engine::{
    Completion, Engine, EngineError, Finish, GenerateRequest, Piece, Prompt, ServerFields,
    Upstream, UpstreamOptions,
};

use crate::upstream::{asked, engine_at, outcome, text};

/// A server that says this to every completion, and is well.
async fn saying(reply: Reply) -> Scripted {
    Scripted::start(move |path, _| match path {
        "/v1/chat/completions" | "/v1/completions" => reply.clone(),
        "/health" => Reply::json(200, "{}"),
        _ => Reply::json(404, "{}"),
    })
    .await
    .expect("a free port")
}

/// What comes of one request to a server that says this.
async fn told(reply: Reply) -> (Vec<Piece>, Result<Completion, EngineError>) {
    let server = saying(reply).await;
    outcome(&engine_at(vec![server.url()]), asked(100)).await
}

fn said(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

const END: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

#[tokio::test]
async fn an_answer_is_complete_with_a_known_end_or_with_the_streams() {
    for (stream, finish) in [
        (format!("{}{END}{DONE}", said("a")), Finish::Stop),
        (format!("{}{END}", said("a")), Finish::Stop),
        (format!("{}{DONE}", said("a")), Finish::Stop),
        (
            format!("{}{}{DONE}", said("a"), END.replace("stop", "because")),
            Finish::Stop,
        ),
        (
            format!("{}{}{DONE}", said("a"), END.replace("stop", "max_tokens")),
            Finish::Length,
        ),
    ] {
        let (pieces, done) = told(Reply::stream(stream.clone())).await;
        assert_eq!(done.expect(&stream).finish, finish);
        assert_eq!(text(&pieces), "a");
        let last = pieces.last().expect("an end");
        assert_eq!(
            last.deltas[0].finish,
            Some(finish),
            "each answer has an end"
        );
    }
    // the end is known, and the connection is broken or never closed
    let ended = Reply::stream(format!("{}{END}", said("a"))).then(Then::Break);
    assert!(told(ended).await.1.is_ok());
}

#[tokio::test]
async fn an_answer_that_isnt_complete_is_an_error() {
    let abort = END.replace("stop", "abort");
    let usage = "data: {\"choices\":[],\"usage\":{\"completion_tokens\":3}}\n\n";
    for reply in [
        Reply::stream(""),
        Reply::stream(DONE),
        Reply::stream(said("a")),
        Reply::stream(said("a")).then(Then::Break),
        Reply::stream(format!("{}{abort}{usage}{DONE}", said("a"))),
        Reply::stream(format!("data: {{\"choices\":[]}}\n\n{DONE}")),
        Reply::stream(format!("data: {{\"choices\":null}}\n\n{DONE}")),
        Reply::stream(format!(
            "{}data: {{\"error\":{{\"message\":\"/secret\"}}}}\n\n",
            said("a")
        )),
        Reply::stream(format!("{}data: {{\"choices\":[{{\n\n{DONE}", said("a"))),
        Reply::json(200, r#"{"error":{"message":"/secret"}}"#),
        Reply::json(200, r#"{"object":"error","message":"/secret","code":500}"#),
        Reply::json(200, r#"{"choices":[]}"#),
        Reply::json(200, r#"{"choices":null}"#),
        Reply::json(200, "nonsense"),
        Reply::json(502, "<html>secret</html>"),
    ] {
        let (_, done) = told(reply.clone()).await;
        let error = done.expect_err(&format!("{reply:?}"));
        assert_eq!(error.code(), "unavailable", "{reply:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_request_goes_to_another_server_while_nothing_was_said() {
    let well = saying(Reply::stream(format!("{}{END}{DONE}", said("well")))).await;
    let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    for odd in [
        Reply::json(200, r#"{"error":"busy"}"#),
        Reply::stream(role),
        Reply::stream(format!("{role}{}", END.replace("stop", "abort"))),
        Reply::stream(DONE),
    ] {
        let first = saying(odd.clone()).await;
        let engine = engine_at(vec![first.url(), well.url()]);
        let (pieces, done) = outcome(&engine, asked(9)).await;
        assert!(done.is_ok(), "{odd:?}");
        assert_eq!(text(&pieces), "well");
    }
}

#[tokio::test]
async fn odd_ways_to_write_a_stream_are_read() {
    let plain = format!("{}{}{END}{DONE}", said("a"), said("b"));
    for stream in [
        plain.replace('\n', "\r"),
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{plain}"),
        format!("data: null\n\n: ping\n\ndata:\n\n{plain}"),
        plain.replace("\"a\"", "[{\"type\":\"text\",\"text\":\"a\"}]"),
        plain.replace(
            "\"index\":0",
            "\"index\":null,\"logprobs\":null,\"stop_reason\":7",
        ),
    ] {
        let (pieces, done) = told(Reply::stream(stream.clone())).await;
        assert!(done.is_ok(), "{stream:?}: {done:?}");
        assert_eq!(text(&pieces), "ab", "{stream:?}");
    }
    // a server that never streams
    let whole = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"ab"},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    let (pieces, done) = told(Reply::json(200, whole)).await;
    assert_eq!(text(&pieces), "ab");
    assert_eq!(done.expect("complete").usage.output, 2);
}

#[tokio::test]
async fn tokens_in_one_frame_are_paid_one_by_one() {
    let words = "word ".repeat(801);
    let counted = said(&words).replace(
        "}]}\n",
        "}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":801}}\n",
    );
    for frame in [said(&words), counted] {
        let request = GenerateRequest::new(asked(1).prompt, 2_000);
        let server = saying(Reply::stream(format!("{frame}{END}{DONE}"))).await;
        let (pieces, done) = outcome(&engine_at(vec![server.url()]), request).await;
        // whoever leaves after the first frame pays for what is in it
        assert_eq!(pieces[0].tokens, 801);
        assert_eq!(done.expect("complete").usage.output, 801);
    }
}

#[tokio::test]
async fn a_frame_beyond_the_limit_isnt_delivered() {
    let counted = |n: u32| {
        said(&"word ".repeat(8)).replace(
            "}]}\n",
            &format!("}}],\"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":{n}}}}}\n"),
        )
    };
    let stream = format!("{}{}{END}{DONE}", counted(8), counted(16));
    let server = saying(Reply::stream(stream)).await;
    let engine = engine_at(vec![server.url()]);
    let (pieces, done) = outcome(&engine, asked(10)).await;
    let done = done.expect("cut");
    assert_eq!((done.usage.output, done.finish), (8, Finish::Length));
    assert_eq!(text(&pieces), "word ".repeat(8));
}

#[tokio::test]
async fn errors_of_the_request_have_their_codes() {
    let long = r#"{"error":{"code":400,"message":"request (3009 tokens) exceeds the available context size (1024 tokens)","n_prompt_tokens":3009,"n_ctx":1024}}"#;
    let (_, refused) = told(Reply::json(400, long)).await;
    let expected = EngineError::ContextTooLong {
        limit: 1_024,
        got: 3_009,
    };
    assert_eq!(refused.expect_err("refused"), expected);
    for (status, body) in [
        (
            501,
            r#"{"error":{"message":"This server does not support embeddings"}}"#,
        ),
        (
            422,
            r#"{"detail":[{"loc":["body","stop"],"msg":"secret"}]}"#,
        ),
        (400, r#"{"detail":"secret"}"#),
    ] {
        let (_, refused) = told(Reply::json(status, body)).await;
        let refused = refused.expect_err("refused");
        assert_eq!(refused.code(), "bad_request");
        assert!(!refused.to_string().contains("secret"));
    }
}

/// A server that says that it is well, and stops working while it is told to.
async fn hanging(hangs: Arc<AtomicBool>) -> Scripted {
    Scripted::start(move |path, body| {
        let answer = format!("{}{END}{DONE}", said("a"));
        match path {
            "/v1/completions" if !hangs.load(SeqCst) => Reply::json(200, "{}"),
            "/v1/chat/completions" if !hangs.load(SeqCst) => Reply::stream(answer),
            // half of an answer, or nothing at all
            "/v1/chat/completions" if body.windows(4).any(|w| w == b"half") => {
                Reply::stream(said("a")).then(Then::Hang)
            }
            "/v1/chat/completions" | "/v1/completions" => Reply::stream("").then(Then::Hang),
            "/metrics" => Reply::json(200, "vllm:generation_tokens_total 7\n"),
            _ => Reply::json(200, "{}"),
        }
    })
    .await
    .expect("a free port")
}

fn impatient(urls: Vec<String>) -> Upstream {
    Upstream::new(UpstreamOptions {
        probe_interval: Duration::from_millis(10),
        stall: Duration::from_millis(100),
        ..UpstreamOptions::new("m", urls)
    })
    .expect("set up")
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_although_it_says_that_it_is_well() {
    let hangs = Arc::new(AtomicBool::new(true));
    let server = hanging(hangs.clone()).await;
    let engine = impatient(vec![server.url()]);
    let (_, waited) = outcome(&engine, asked(9)).await;
    assert_eq!(waited.expect_err("given up").code(), "unavailable");
    assert!(!engine.load().healthy, "nothing more is sent to it");
    // it comes back when it has shown that it computes
    hangs.store(false, SeqCst);
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    while !engine.load().healthy {
        ticks.tick().await;
    }
    let (pieces, done) = outcome(&engine, asked(9)).await;
    assert!(done.is_ok());
    assert_eq!(text(&pieces), "a");
}

#[tokio::test]
async fn whoever_waits_for_a_server_that_hangs_gets_another_or_an_end() {
    let hangs = Arc::new(AtomicBool::new(true));
    let (first, second) = (
        hanging(hangs.clone()).await,
        hanging(Arc::new(AtomicBool::new(false))).await,
    );
    let engine = impatient(vec![first.url(), second.url()]);
    let (pieces, done) = outcome(&engine, asked(9)).await;
    assert!(done.is_ok());
    assert_eq!(text(&pieces), "a");

    let engine = impatient(vec![first.url()]);
    let mut request = asked(9);
    request.stop = vec!["half".into()];
    let (pieces, broken) = outcome(&engine, request).await;
    assert_eq!(text(&pieces), "a");
    assert_eq!(broken.expect_err("broken off").code(), "unavailable");
}

#[tokio::test]
async fn a_slow_server_that_gets_on_is_waited_for() {
    // in all four times as long as one that gets nowhere is given
    let server = InstantUpstream::start(InstantOptions {
        tokens: 20,
        pause: Some(Duration::from_millis(20)),
        ..InstantOptions::default()
    });
    let server = server.await.expect("a free port");
    let engine = impatient(vec![server.url()]);
    let (pieces, done) = outcome(&engine, asked(100)).await;
    assert_eq!(done.expect("complete").usage.output, 20);
    assert_eq!(text(&pieces), "tok ".repeat(20));
}

#[tokio::test]
async fn a_server_that_comes_back_is_asked_again_what_it_is() {
    let (ill, context) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(9_000)),
    );
    let told = (ill.clone(), context.clone());
    let server = Scripted::start(move |path, _| match path {
        "/health" if told.0.load(SeqCst) => Reply::json(503, "{}"),
        "/v1/models" => {
            let context = told.1.load(SeqCst);
            Reply::json(
                200,
                format!(
                    r#"{{"data":[{{"id":"theirs","owned_by":"vllm","max_model_len":{context}}}]}}"#
                ),
            )
        }
        _ => Reply::json(200, "{}"),
    });
    let server = server.await.expect("a free port");
    let engine = engine_at(vec![server.url()]);
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    while engine.context() != 9_000 {
        ticks.tick().await;
    }
    ill.store(true, SeqCst);
    while engine.load().healthy {
        ticks.tick().await;
    }
    // started anew with less
    context.store(4_000, SeqCst);
    ill.store(false, SeqCst);
    while engine.context() != 4_000 {
        ticks.tick().await;
    }
}

#[tokio::test]
async fn as_many_requests_as_may_run_are_all_that_run() {
    let server = InstantUpstream::start(InstantOptions {
        tokens: 100_000,
        pause: Some(Duration::from_millis(10)),
        ..InstantOptions::default()
    });
    let server = server.await.expect("a free port");
    let engine = Upstream::new(UpstreamOptions {
        max_running: 1,
        ..UpstreamOptions::new("m", vec![server.url()])
    })
    .expect("set up");
    let first = engine.generate(asked(100_000)).await.expect("the one");
    let refused = engine.generate(asked(9)).await.expect_err("full");
    assert_eq!((refused.status(), refused.code()), (429, "overloaded"));
    drop(first);
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    while engine.generate(asked(9)).await.is_err() {
        ticks.tick().await;
    }
}

#[tokio::test]
async fn a_full_queue_by_the_servers_own_metrics_is_overload() {
    for name in [
        "vllm:num_requests_waiting{engine=\"0\"}",
        "llamacpp:requests_deferred",
    ] {
        a_full_queue_is_overload(name).await;
    }
}

async fn a_full_queue_is_overload(name: &'static str) {
    let waiting = Arc::new(AtomicUsize::new(64));
    let told = waiting.clone();
    let server = Scripted::start(move |path, _| match path {
        "/metrics" => {
            let waiting = told.load(SeqCst);
            Reply::json(200, format!("{name} {waiting}.0\n"))
        }
        "/v1/chat/completions" => Reply::stream(format!("{}{END}{DONE}", said("a"))),
        _ => Reply::json(200, "{}"),
    })
    .await
    .expect("a free port");
    let engine = engine_at(vec![server.url()]);
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    while engine.load().waiting < 64 {
        ticks.tick().await;
    }
    let refused = engine.generate(asked(9)).await.expect_err("full");
    assert_eq!(refused.status(), 429);
    waiting.store(0, SeqCst);
    while engine.load().waiting > 0 {
        ticks.tick().await;
    }
    assert!(outcome(&engine, asked(9)).await.1.is_ok());
}

#[tokio::test]
async fn a_server_is_asked_for_what_it_holds_and_what_a_prompt_has() {
    let server = Scripted::start(|path, _| match path {
        "/v1/models" => Reply::json(
            200,
            r#"{"data":[{"id":"theirs","owned_by":"vllm","max_model_len":9000}]}"#,
        ),
        "/tokenize" => Reply::json(200, r#"{"count":77,"max_model_len":9000,"tokens":[1]}"#),
        _ => Reply::json(200, "{}"),
    })
    .await
    .expect("a free port");
    let engine = engine_at(vec![server.url()]);
    let fields = ServerFields::default();
    let prompt = Prompt::Text("long ".repeat(7_000));
    let measured = engine.measure(&prompt, &fields).await.expect("measured");
    assert_eq!((measured.most, measured.likely), (77, 77));
    assert_eq!(engine.context(), 9_000);
}
