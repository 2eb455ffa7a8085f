//! The upstream engine against an instant server on loopback.

use std::time::Duration;

use atoma_engine::testing::{InstantOptions, InstantUpstream, RandomModel};
use atoma_engine::{
    ChatMessage, Completion, ConnectError, Conversation, Embedded, Engine, EngineError, Event,
    Finish, GenerateRequest, Piece, Prompt, Sampling, ServerFields, Upstream, UpstreamOptions,
    Usage,
};
use futures::StreamExt;

async fn server(options: InstantOptions) -> InstantUpstream {
    InstantUpstream::start(options).await.expect("a free port")
}

pub(crate) fn engine_at(urls: Vec<String>) -> Upstream {
    let options = UpstreamOptions {
        model: Some("theirs".into()),
        probe_interval: Duration::from_millis(10),
        ..UpstreamOptions::new("ours", urls)
    };
    Upstream::new(options).expect("set up")
}

fn engine(servers: &[&InstantUpstream]) -> Upstream {
    engine_at(servers.iter().map(|s| s.url()).collect())
}

fn chat() -> Prompt {
    let turns = vec![ChatMessage::new("user", "three words here")];
    Prompt::Chat(Conversation::new(turns))
}

pub(crate) fn asked(max_tokens: u32) -> GenerateRequest {
    GenerateRequest {
        seed: 5,
        ..GenerateRequest::new(chat(), max_tokens)
    }
}

/// What came of a request: pieces, and the account or an error.
pub(crate) async fn outcome(
    engine: &Upstream,
    request: GenerateRequest,
) -> (Vec<Piece>, Result<Completion, EngineError>) {
    let mut pieces = Vec::new();
    let mut stream = match engine.generate(request).await {
        Ok(stream) => stream,
        Err(error) => return (pieces, Err(error)),
    };
    loop {
        match stream.next().await.expect("ends with Done or an error") {
            Err(error) => return (pieces, Err(error)),
            Ok(Event::Piece(piece)) => pieces.push(piece),
            Ok(Event::Done(done)) => return (pieces, Ok(done)),
            Ok(Event::Started { .. }) => {}
            Ok(Event::Token(_)) => panic!("servers outside say pieces"),
        }
    }
}

async fn ask(engine: &Upstream, request: GenerateRequest) -> (Vec<Piece>, Completion) {
    let (pieces, done) = outcome(engine, request).await;
    (pieces, done.expect("answered"))
}

pub(crate) fn text(pieces: &[Piece]) -> String {
    let deltas = pieces.iter().flat_map(|piece| &piece.deltas);
    deltas.map(|delta| delta.text.as_str()).collect()
}

fn usage(prompt: u64, output: u64) -> Usage {
    Usage::of_text(prompt, 0, output)
}

#[tokio::test]
async fn an_answer_comes_in_pieces_and_is_counted() {
    let server = server(InstantOptions {
        tokens: 5,
        ..InstantOptions::default()
    })
    .await;
    let engine = engine(&[&server]);
    let (pieces, done) = ask(&engine, asked(100)).await;
    // five tokens and the end
    assert_eq!((pieces.len(), text(&pieces)), (6, "tok ".repeat(5)));
    assert!(pieces[..5].iter().all(|piece| piece.tokens == 1));
    assert_eq!(pieces[5].deltas[0].finish, Some(Finish::Stop));
    assert_eq!(done.usage, usage(3, 5));
    assert_eq!((done.finish, done.seed), (Finish::Stop, 5));
    let sent: serde_json::Value = serde_json::from_slice(&server.last_body()).expect("JSON");
    assert_eq!(
        (
            sent["model"].as_str(),
            sent["seed"].as_u64(),
            sent["max_tokens"].as_u64()
        ),
        (Some("theirs"), Some(5), Some(100))
    );

    let text_prompt = GenerateRequest::new(Prompt::Text("two words".into()), 2);
    let (pieces, done) = ask(&engine, text_prompt).await;
    assert_eq!(
        (text(&pieces).as_str(), done.finish),
        ("tok tok ", Finish::Length)
    );
    assert_eq!(done.usage, usage(2, 2));
}

#[tokio::test]
async fn a_streams_connection_serves_the_next_one() {
    const STREAMS: u64 = 16;
    let server = server(InstantOptions::default()).await;
    let engine = engine(&[&server]);
    for _ in 0..STREAMS {
        ask(&engine, asked(100)).await;
    }
    // one for the streams, one for probes beside them, and a few for ends that came late
    let connections = server.connections();
    assert!(connections < STREAMS / 2, "{connections} connections");
}

#[tokio::test]
async fn the_output_limit_cuts_a_server_off() {
    let pause = Some(Duration::from_millis(1));
    let server = server(InstantOptions {
        tokens: 50,
        pause,
        ..InstantOptions::default()
    })
    .await;
    let engine = engine(&[&server]);
    // the limit may grow to 40, and nobody lets it grow
    let grows = GenerateRequest {
        most_tokens: 40,
        ..asked(10)
    };
    let (pieces, done) = ask(&engine, grows).await;
    assert_eq!((done.finish, done.usage.output), (Finish::Length, 10));
    assert_eq!(text(&pieces), "tok ".repeat(10));
    let last = pieces.last().expect("an end");
    assert_eq!(last.deltas[0].finish, Some(Finish::Length));

    // a server that keeps to the limit ends by itself
    let (pieces, done) = ask(&engine, asked(10)).await;
    assert_eq!((done.finish, done.usage), (Finish::Length, usage(3, 10)));
    assert_eq!(text(&pieces), "tok ".repeat(10));
}

#[tokio::test]
async fn a_limit_that_is_raised_in_time_cuts_nothing() {
    let server = server(InstantOptions {
        tokens: 1_000,
        ..InstantOptions::default()
    })
    .await;
    let engine = engine(&[&server]);
    let grows = GenerateRequest {
        most_tokens: 1_000,
        ..asked(10)
    };
    let mut stream = engine.generate(grows).await.expect("accepted");
    let (limit, mut seen) = (stream.limit(), 0);
    loop {
        match stream.next().await.expect("ends").expect("no error") {
            // as late as can be: all of a thousand frames lie in the queue by then
            Event::Piece(piece) => {
                seen += piece.tokens;
                if seen == limit.get() {
                    limit.raise(seen + 100);
                }
            }
            Event::Done(done) => break assert_eq!(done.usage.output, 1_000),
            Event::Started { .. } | Event::Token(_) => {}
        }
    }
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
    let mut stream = engine.generate(asked(200_000)).await.expect("accepted");
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
async fn requests_fail_over_before_the_first_words() {
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
        let (_, done) = ask(&engine, asked(100)).await;
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
    let refused = engine.generate(asked(9)).await.expect_err("refused");
    assert_eq!((refused.code(), refused.status()), ("unavailable", 503));
    server.set_ill(false);
    while !engine.load().healthy {
        ticks.tick().await;
    }
    ask(&engine, asked(9)).await;
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
        let refused = engine.generate(asked(9)).await.expect_err("refused");
        assert_eq!(refused.code(), code);
    }
    let server = server(InstantOptions::default()).await;
    let hot = GenerateRequest {
        temperature: 101.0,
        ..asked(9)
    };
    let refused = engine(&[&server]).generate(hot).await.expect_err("refused");
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
    ask(&engine, asked(9)).await;
}

#[tokio::test]
async fn embeddings_and_scores() {
    let server = server(InstantOptions::default()).await;
    let engine = engine(&[&server]);
    let prompts = vec![Prompt::Text("a b".into()), Prompt::Text("c".into())];
    let (vectors, usage) = engine.embed(prompts).await.expect("embedded");
    assert_eq!((vectors, usage.input), (vec![vec![0.6, 0.8]; 2], 3));
    let score = engine
        .score(vec![1, 2], vec![7, 8], Sampling::GREEDY, None)
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
    RandomModel::small().write(folder.path()).expect("written");
    let embedded = Embedded::open(folder.path(), crate::common::options()).expect("loaded");
    let options = UpstreamOptions {
        tokenizer: Some(folder.path().to_owned()),
        ..UpstreamOptions::new("m", vec![server.url()])
    };
    let (plain, with_images) = (
        ServerFields::default(),
        ServerFields {
            media: 2,
            ..ServerFields::default()
        },
    );
    let counted = embedded.count_tokens(&chat()).expect("counted");
    let exact = Upstream::new(options).expect("set up");
    let measured = exact.measure(&chat(), &plain).await.expect("measured");
    assert_eq!((measured.most, measured.likely), (counted, counted));
    let measured = exact
        .measure(&chat(), &with_images)
        .await
        .expect("measured");
    assert_eq!(measured.most, counted + 2 * 4_096);
    // nobody who could count: the bytes bound it, and a quarter of them is likely
    let bound = engine(&[&server])
        .measure(&chat(), &plain)
        .await
        .expect("measured");
    assert!(bound.most >= counted && bound.likely < bound.most);
}

#[tokio::test]
async fn wrong_urls_are_refused_when_set_up() {
    for url in ["", "ftp://host", "/v1", "not a url"] {
        let options = UpstreamOptions::new("m", vec![url.to_owned()]);
        let refused = Upstream::new(options).expect_err("refused");
        assert!(matches!(refused, ConnectError::Url(said) if said == url));
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
        let (pieces, _) = ask(&engine, asked(100)).await;
        assert!(!pieces.is_empty());
    }
}
