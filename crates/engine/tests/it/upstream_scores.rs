//! Scores through a server outside: a script that tells what vLLM tells, by numbers of an engine here.

use std::sync::Arc;

use atoma_engine::testing::{Reply, Scripted};
use atoma_engine::{
    Engine, Format, GenerateRequest, Prompt, Sampling, Score, TokenEvent, Upstream, builtin,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::common::{Answer, answer, options};
use crate::upstream::engine_at;

const MODELS: &str = r#"{"object":"list","data":[{"id":"theirs","object":"model","created":1,"owned_by":"vllm",
    "root":"theirs","parent":null,"max_model_len":1024,"permission":[]}]}"#;

/// What the script was asked.
type Asked = Arc<Mutex<Vec<Value>>>;

/// As vLLM 0.32 answers where `prompt_logprobs` is asked for.
fn told(places: &[Value]) -> String {
    let choice = json!({
        "index": 0, "text": "x", "logprobs": null, "finish_reason": "length", "stop_reason": null, "token_ids": null,
        "prompt_logprobs": places, "prompt_token_ids": null,
    });
    json!({
        "id": "cmpl-1", "object": "text_completion", "created": 1, "model": "theirs", "choices": [choice],
        "service_tier": null, "system_fingerprint": null, "kv_transfer_params": null,
        "usage": { "prompt_tokens": places.len(), "total_tokens": places.len() + 1, "completion_tokens": 1 },
    })
    .to_string()
}

/// The twenty likeliest tokens of a place, and the one that stands there.
fn place(token: &TokenEvent) -> Value {
    let mut place = serde_json::Map::new();
    for (rank, told) in (1..).zip(token.top.iter().chain(&token.logprob)) {
        let said = json!({ "logprob": told.logprob, "rank": rank, "decoded_token": told.token });
        place.entry(told.id.to_string()).or_insert(said);
    }
    place.into()
}

/// A server that has computed this answer, and knows nothing else.
async fn server(prompt: usize, answer: &Answer, asked: &Asked) -> (Scripted, Upstream) {
    // of the first token of a prompt nothing can be told
    let filler = json!({ "7": { "logprob": -0.5, "rank": 1, "decoded_token": "a" } });
    let mut places = vec![Value::Null];
    places.extend(vec![filler; prompt - 1]);
    places.extend(answer.tokens.iter().map(place));
    let (body, asked) = (told(&places), asked.clone());
    let script = move |path: &str, body_sent: &[u8]| match path {
        "/v1/models" => Reply::json(200, MODELS),
        "/v1/completions" => {
            let sent = serde_json::from_slice(body_sent).expect("JSON");
            asked.lock().push(sent);
            Reply::json(200, body.clone())
        }
        _ => Reply::json(200, "{}"),
    };
    let server = Scripted::start(script).await.expect("a free port");
    let engine = engine_at(vec![server.url()]);
    (server, engine)
}

fn short(score: &Score) -> f32 {
    score.tokens.iter().map(|token| token.shortfall).sum()
}

#[tokio::test]
async fn a_server_that_tells_the_likeliest_tokens_scores_draws_by_our_noise() {
    let engine = builtin::load_with(options()).expect("loaded");
    let prompt = engine.tokenize(&Prompt::Text("Once".to_owned()));
    let prompt = prompt.expect("tokens");
    let request = GenerateRequest {
        temperature: 2.0,
        top_p: 0.9,
        seed: 7,
        frequency_penalty: 0.2,
        logprobs: Some(20),
        ..GenerateRequest::new(Prompt::Tokens(prompt.clone()), 40)
    };
    let answer = answer(&engine, request.clone()).await;
    let asked = Asked::default();
    let (_server, upstream) = server(prompt.len(), &answer, &asked).await;
    let score =
        |sampling: Sampling| upstream.score(prompt.clone(), answer.ids.clone(), sampling, None);

    let drawn = request.sampling();
    let honest = score(drawn).await.expect("scored");
    assert_eq!(honest.tokens.len(), answer.ids.len());
    assert!(short(&honest) < 1e-3, "{honest:?}");
    assert!(honest.tokens.iter().all(|token| !token.outside));
    for (token, told) in honest.tokens.iter().zip(&answer.tokens) {
        let logprob = told.logprob.as_ref().expect("asked for");
        assert_eq!((token.id, token.logprob), (logprob.id, logprob.logprob));
    }
    let other_seed = Sampling { seed: 8, ..drawn };
    let other_seed = score(other_seed).await.expect("scored");
    assert!(short(&other_seed) > 1.0, "{}", short(&other_seed));
    let greedy = score(Sampling::GREEDY).await.expect("scored");
    assert!(short(&greedy) > 1.0, "{}", short(&greedy));

    let asked = asked.lock().clone();
    let tokens = [&prompt[..], &answer.ids].concat();
    for sent in &asked {
        assert_eq!(sent["prompt"], json!(tokens));
        assert_eq!(sent["prompt_logprobs"], 20);
        assert_eq!(
            (&sent["max_tokens"], &sent["temperature"]),
            (&json!(1), &json!(0))
        );
    }
    let salts: Vec<_> = asked
        .iter()
        .map(|sent| sent["cache_salt"].to_string())
        .collect();
    assert!(salts.len() == 3 && salts[0] != salts[1] && salts[1] != salts[2]);
}

#[tokio::test]
async fn what_a_server_cannot_tell_is_no_score() {
    let engine = builtin::load_with(options()).expect("loaded");
    let prompt = vec![5, 6];
    let request = GenerateRequest {
        logprobs: Some(20),
        ..GenerateRequest::new(Prompt::Tokens(prompt.clone()), 4)
    };
    let answer = answer(&engine, request).await;
    let (_server, upstream) = server(prompt.len(), &answer, &Asked::default()).await;
    let score = async |ids: Vec<u32>, format| {
        let score = upstream.score(prompt.clone(), ids, Sampling::GREEDY, format);
        score.await.map_err(|error| error.to_string())
    };
    let scores = score(answer.ids.clone(), None).await;
    assert_eq!(short(&scores.expect("scored")), 0.0);
    // a form forbids tokens, and the server doesn't say which
    let formed = score(answer.ids.clone(), Some(Format::JsonObject)).await;
    assert!(formed.expect_err("no score").contains("form"));
    // of a token that isn't told nothing is known
    let mut other = answer.ids.clone();
    other[1] = 1_999;
    assert!(score(other, None).await.is_err());
    assert!(score(vec![], None).await.is_err());
    assert!(score(vec![1; 50], None).await.is_err());
}
