//! The upstream engine against a real HTTP server on loopback.

use std::time::Duration;

use atoma_engine::testing::{InstantOptions, InstantUpstream, RandomModel};
use atoma_engine::{
    ChatMessage, Completion, Conversation, Embedded, Engine, Event, Finish, GenerateRequest,
    Prompt, Sampling, Upstream, UpstreamOptions, Usage,
};
use bytes::Bytes;
use futures::StreamExt;

async fn server(options: InstantOptions) -> InstantUpstream {
    InstantUpstream::start(options).await.expect("a free port")
}

fn engine(servers: &[&InstantUpstream]) -> Upstream {
    let urls = servers.iter().map(|s| s.url()).collect();
    let options = UpstreamOptions {
        model: Some("theirs".into()),
        probe_interval: Duration::from_millis(10),
        ..UpstreamOptions::new("ours", urls)
    };
    Upstream::new(options).expect("set up")
}

fn chat() -> Prompt {
    Prompt::Chat(Conversation::new(vec![ChatMessage::new(
        "user",
        "three words here",
    )]))
}

fn relayed(body: &str, max_tokens: u32) -> GenerateRequest {
    let raw_body = Some(Bytes::copy_from_slice(body.as_bytes()));
    GenerateRequest {
        raw_body,
        seed: 5,
        ..GenerateRequest::new(chat(), max_tokens)
    }
}

const STREAMED: &str =
    r#"{"model":"ours","messages":[{"role":"user","content":"three words here"}],"stream":true}"#;

/// Raw frames and the account at the end.
async fn relay(engine: &Upstream, request: GenerateRequest) -> (Vec<String>, Completion) {
    let mut stream = engine.generate(request).await.expect("accepted");
    let mut frames = Vec::new();
    loop {
        match stream
            .next()
            .await
            .expect("ends with Done")
            .expect("no error")
        {
            Event::Raw { payload, .. } => {
                frames.push(String::from_utf8(payload.to_vec()).expect("text"));
            }
            Event::Done(done) => return (frames, done),
            Event::Started { .. } => {}
            Event::Token(_) => panic!("frames are relayed"),
        }
    }
}

#[tokio::test]
async fn frames_are_relayed_unchanged_and_counted() {
    let server = server(InstantOptions {
        tokens: 5,
        ..InstantOptions::default()
    })
    .await;
    let engine = engine(&[&server]);
    let (frames, done) = relay(&engine, relayed(STREAMED, 100)).await;
    // Five tokens and the end; the usage wasn't asked for.
    assert_eq!(frames.len(), 6);
    assert!(frames[0].contains(r#""content":"tok ""#) && frames[5].contains(r#""stop""#));
    assert_eq!(
        done.usage,
        Usage {
            input: 3,
            cached_input: 0,
            output: 5
        }
    );
    assert_eq!((done.finish, done.seed), (Finish::Stop, 5));
    let sent: serde_json::Value = serde_json::from_slice(&server.last_body()).expect("JSON");
    assert_eq!(
        (sent["model"].as_str(), sent["seed"].as_u64()),
        (Some("theirs"), Some(5))
    );

    let with_usage = STREAMED.replace("true}", r#"true,"stream_options":{"include_usage":true}}"#);
    let (frames, again) = relay(&engine, relayed(&with_usage, 100)).await;
    assert_eq!(frames.len(), 7);
    assert_eq!(again.fingerprint, done.fingerprint);
}

#[tokio::test]
async fn a_streams_connection_serves_the_next_one() {
    const STREAMS: u64 = 16;
    let server = server(InstantOptions::default()).await;
    let engine = engine(&[&server]);
    for _ in 0..STREAMS {
        relay(&engine, relayed(STREAMED, 100)).await;
    }
    // one for the streams, one for probes beside them, and a few for ends that came late
    let connections = server.connections();
    assert!(connections < STREAMS / 2, "{connections} connections");
}

#[tokio::test]
async fn whole_answers_are_relayed_whole() {
    let server = server(InstantOptions::default()).await;
    let engine = engine(&[&server]);
    let body = STREAMED.replace("true", "false");
    let (frames, done) = relay(&engine, relayed(&body, 100)).await;
    assert_eq!(frames.len(), 1);
    assert!(frames[0].contains("chat.completion"));
    assert_eq!(
        done.usage,
        Usage {
            input: 3,
            cached_input: 0,
            output: 16
        }
    );
}

#[tokio::test]
async fn the_output_limit_cuts_an_upstream_off() {
    let pause = Some(Duration::from_millis(1));
    let server = server(InstantOptions {
        tokens: 50,
        pause,
        ..InstantOptions::default()
    })
    .await;
    let engine = engine(&[&server]);
    let (frames, done) = relay(&engine, relayed(STREAMED, 10)).await;
    assert_eq!((done.finish, done.usage.output), (Finish::Length, 10));
    assert_eq!(frames.len(), 11);
    assert!(frames[10].contains(r#""finish_reason":"length""#));

    // An upstream that keeps to the limit ends by itself.
    let body = STREAMED.replace("true}", r#"true,"max_tokens":10}"#);
    let (frames, done) = relay(&engine, relayed(&body, 10)).await;
    assert_eq!(
        (done.finish, done.usage.input, frames.len()),
        (Finish::Length, 3, 11)
    );
}

#[tokio::test]
async fn without_a_body_tokens_come_back() {
    let server = server(InstantOptions {
        tokens: 3,
        ..InstantOptions::default()
    })
    .await;
    let engine = engine(&[&server]);
    let answer = crate::common::answer(&engine, GenerateRequest::new(chat(), 9)).await;
    assert_eq!(
        (answer.text.as_str(), answer.done.usage.output),
        ("tok tok tok ", 3)
    );
    let text = GenerateRequest::new(Prompt::Text("two words".into()), 2);
    let answer = crate::common::answer(&engine, text).await;
    assert_eq!(
        (answer.done.finish, answer.done.usage.input),
        (Finish::Length, 2)
    );
}

#[tokio::test]
async fn dropping_the_stream_closes_the_connection() {
    let pause = Some(Duration::from_millis(1));
    let server = server(InstantOptions {
        tokens: 100_000,
        pause,
        ..InstantOptions::default()
    })
    .await;
    let engine = engine(&[&server]);
    let mut stream = engine
        .generate(relayed(STREAMED, 200_000))
        .await
        .expect("accepted");
    for _ in 0..3 {
        stream.next().await.expect("an event").expect("no error");
    }
    assert_eq!(engine.load().running, 1);
    drop(stream);
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    while server.cancelled() == 0 || engine.load().running > 0 {
        ticks.tick().await;
    }
}

#[tokio::test]
async fn requests_fail_over_before_the_first_byte() {
    let gone = server(InstantOptions::default()).await;
    let full = server(InstantOptions {
        refuse: Some(503),
        ..InstantOptions::default()
    })
    .await;
    let well = server(InstantOptions::default()).await;
    let engine = engine(&[&gone, &full, &well]);
    drop(gone);
    for _ in 0..3 {
        let (_, done) = relay(&engine, relayed(STREAMED, 100)).await;
        assert_eq!(done.usage.output, 16);
    }
    assert_eq!(well.requests(), 3);
    let load = engine.load();
    assert!(load.healthy && !load.upstreams[0].healthy && load.upstreams[2].healthy);
}

#[tokio::test]
async fn probes_find_out_who_is_ill_and_who_is_well_again() {
    let server = server(InstantOptions::default()).await;
    let engine = engine(&[&server]);
    let mut ticks = tokio::time::interval(Duration::from_millis(2));
    server.set_ill(true);
    while engine.load().healthy {
        ticks.tick().await;
    }
    let refused = engine
        .generate(relayed(STREAMED, 9))
        .await
        .expect_err("refused");
    assert_eq!((refused.code(), refused.status()), ("unavailable", 503));
    server.set_ill(false);
    while !engine.load().healthy {
        ticks.tick().await;
    }
    relay(&engine, relayed(STREAMED, 9)).await;
}

#[tokio::test]
async fn refusals_keep_their_meaning() {
    for (status, code) in [
        (400, "bad_request"),
        (429, "overloaded"),
        (500, "unavailable"),
    ] {
        let server = server(InstantOptions {
            refuse: Some(status),
            ..InstantOptions::default()
        })
        .await;
        let engine = engine(&[&server]);
        let refused = engine
            .generate(relayed(STREAMED, 9))
            .await
            .expect_err("refused");
        assert_eq!(refused.code(), code);
    }
    let server = server(InstantOptions::default()).await;
    let refused = engine(&[&server])
        .generate(relayed("nonsense", 9))
        .await
        .expect_err("refused");
    assert_eq!(refused.code(), "bad_request");
}

#[tokio::test]
async fn the_key_is_sent_and_never_shown() {
    let api_key = Some("secret-key".to_owned());
    let server = server(InstantOptions {
        api_key: api_key.clone(),
        ..InstantOptions::default()
    })
    .await;
    let options = UpstreamOptions {
        api_key,
        ..UpstreamOptions::new("m", vec![server.url()])
    };
    assert!(!format!("{options:?}").contains("secret"));
    let engine = Upstream::new(options).expect("set up");
    assert!(!format!("{engine:?}").contains("secret"));
    relay(&engine, relayed(STREAMED, 9)).await;
}

#[tokio::test]
async fn embeddings_and_scores() {
    let server = server(InstantOptions::default()).await;
    let engine = engine(&[&server]);
    let prompts = vec![Prompt::Text("a b".into()), Prompt::Text("c".into())];
    let (vectors, usage) = engine.embed(prompts).await.expect("embedded");
    assert_eq!((vectors, usage.input), (vec![vec![0.6, 0.8]; 2], 3));
    let score = engine
        .score(vec![1, 2], vec![7, 8], Sampling::GREEDY)
        .await
        .expect("scored");
    assert_eq!(
        (score.tokens.len(), score.tokens[1].id, score.tokens[1].rank),
        (2, 8, 0)
    );
    assert_eq!(
        (score.tokens[0].reference, score.tokens[0].margin),
        (Some(7), 0.0)
    );
}

#[tokio::test]
async fn prompts_are_counted_exactly_with_a_tokenizer_and_bounded_without() {
    let server = server(InstantOptions::default()).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    atoma_engine::testing::RandomModel::small()
        .write(folder.path())
        .expect("written");
    let embedded = Embedded::open(folder.path(), crate::common::options()).expect("loaded");
    let options = UpstreamOptions {
        tokenizer: Some(folder.path().to_owned()),
        ..UpstreamOptions::new("m", vec![server.url()])
    };
    let exact = Upstream::new(options)
        .expect("set up")
        .count_tokens(&chat())
        .expect("counted");
    assert_eq!(exact, embedded.count_tokens(&chat()).expect("counted"));
    assert!(engine(&[&server]).count_tokens(&chat()).expect("counted") >= exact);
}

#[tokio::test]
async fn wrong_urls_are_refused_when_set_up() {
    for url in ["", "ftp://host", "/v1", "not a url"] {
        let options = UpstreamOptions::new("m", vec![url.to_owned()]);
        assert_eq!(
            Upstream::new(options).expect_err("refused").code(),
            "bad_request"
        );
    }
}

#[tokio::test]
async fn a_template_that_cannot_be_read_does_not_stop_an_upstream() {
    let server = server(InstantOptions::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    RandomModel::small().write(folder.path()).expect("written");
    for template in ["{% if", "{{ raise_exception('never') }}"] {
        std::fs::write(folder.path().join("chat_template.jinja"), template).expect("written");
        let engine = Upstream::new(UpstreamOptions {
            tokenizer: Some(folder.path().to_owned()),
            ..UpstreamOptions::new("ours", vec![server.url()])
        })
        .expect("starts all the same");
        let counted = engine.count_tokens(&chat()).expect("counted");
        assert!((3..100).contains(&counted), "{counted}");
        let (frames, _) = relay(&engine, relayed(STREAMED, 100)).await;
        assert!(!frames.is_empty());
    }
}
