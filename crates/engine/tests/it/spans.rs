//! What the engines say of a request stands in the span of whoever asks, which has the request's id.

use crate::{
    common::{answer, options},
    upstream::{engine_at, outcome},
};
use atoma_engine::{
    GenerateRequest, Prompt, builtin,
    testing::{InstantOptions, InstantUpstream},
};
use atoma_runtime::KeptLog;
use tracing::{Instrument, info_span};

#[tokio::test]
async fn what_engines_say_of_a_request_has_its_id_and_nothing_of_its_prompt() {
    let log = KeptLog::of_program();
    let asked = || GenerateRequest::new(Prompt::Text("What is a violin?".into()), 8);

    let embedded = builtin::load_with(options()).expect("loaded");
    let answer = answer(&embedded, asked()).instrument(info_span!("request", id = "first"));
    let answer = answer.await;
    assert!(answer.done.usage.output > 0);
    let server = InstantUpstream::start(InstantOptions::default()).await;
    let server = server.expect("a free port");
    let upstream = engine_at(vec![server.url()]);
    let answer = outcome(&upstream, asked()).instrument(info_span!("request", id = "second"));
    answer.await.1.expect("an answer");

    let text = log.text();
    let said = |words: &[&str]| log.has_line_with(words);
    let engine = "request{id=\"first\"}:engine{work=\"generate\"";
    assert!(said(&[engine, "computing begins"]), "{text}");
    assert!(said(&[engine, "computed"]), "{text}");
    let server = format!("request{{id=\"second\"}}:server{{url={}", server.url());
    assert!(said(&[&server, "the answer begins"]), "{text}");
    assert!(!text.contains("violin"), "{text}");
}
