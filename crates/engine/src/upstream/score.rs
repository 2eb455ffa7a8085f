//! Scores of claimed answers, by `prompt_logprobs`, which vLLM and SGLang report: the server reads prompt and answer as one
//! prompt, and tells of each place how likely its token is, and which are the likeliest.
//!
//! Those are log probabilities of the model's own numbers, before temperature, filters and penalties. The choice among them
//! is made here, by the definition that all engines share ([`loose`](crate::loose)).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::Upstream;
use super::ask::BodyOf;
use super::dialect::Dialect;
use crate::fingerprint::{digest, new_state};
use crate::loose::Row;
use crate::sample::occurrences;
use crate::{BadRequest, EngineError, Format, Sampling, Score, TokenScore, Unavailable};

/// The likeliest tokens that are asked for at each place: as many as vLLM tells, unless its operator says otherwise.
const LIKELIEST: usize = 20;
const SALT_DOMAIN: &[u8] = b"atoma/engine/score-salt/v1";

/// Scores since the start of the process.
static SCORES: AtomicU64 = AtomicU64::new(0);

/// What is told of one place, by token.
type Place = BTreeMap<String, Told>;

#[derive(Deserialize)]
struct Told {
    logprob: f32,
    rank: Option<u32>,
}

#[derive(Deserialize)]
struct Reply {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    prompt_logprobs: Option<Vec<Option<Place>>>,
}

impl Upstream {
    pub(super) async fn score_one(
        &self,
        prompt: Vec<u32>,
        output: Vec<u32>,
        sampling: Sampling,
        format: Option<Format>,
    ) -> Result<Score, EngineError> {
        sampling.validate()?;
        if prompt.is_empty() || output.is_empty() {
            return Err(BadRequest::EmptyScore.into());
        }
        // rivals that the form forbids would count
        if format.is_some() {
            return Err(Unavailable::NoScoresOfForms.into());
        }
        let tokens: Vec<u32> = prompt.iter().chain(&output).copied().collect();
        let (model, salt, asked) = (self.model.clone(), salt(&tokens), tokens.clone());
        let body: BodyOf = Arc::new(move |dialect| body(&model, &asked, &salt, dialect));
        let reply: Reply = self.ask("/v1/completions", body).await?;
        let places = reply.choices.into_iter().next();
        let places = places.and_then(|choice| choice.prompt_logprobs);
        let places = places.filter(|places| places.len() == tokens.len());
        let mut places = places.ok_or(Unavailable::NoScores)?;
        let mut scores = Vec::with_capacity(output.len());
        for (at, (id, place)) in output.iter().zip(places.drain(prompt.len()..)).enumerate() {
            let place = place.ok_or(Unavailable::NoScores)?;
            let counts = occurrences(&output[..at], &sampling);
            let token = token(&place, *id, |logprobs| {
                Row::told(logprobs, *id, &sampling, &counts).fall(&sampling, prompt.len() + at, *id)
            });
            scores.push(token.ok_or(Unavailable::NoScores)?);
        }
        Ok(Score {
            tokens: scores,
            fingerprint: [0; 32],
            commitments: Vec::new(),
        })
    }
}

/// What one place says of its token; none if it says nothing.
fn token(
    place: &Place,
    id: u32,
    fall: impl FnOnce(Vec<(u32, f32)>) -> crate::loose::Fall,
) -> Option<TokenScore> {
    let own = place.get(&id.to_string())?;
    let told: Option<Vec<(u32, f32)>> = place
        .iter()
        .map(|(id, told)| Some((id.parse().ok()?, told.logprob)).filter(|told| told.1 <= 0.01))
        .collect();
    let told = told?;
    let best = told.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (reference, margin) = (best.0, (best.1 - own.logprob).max(0.0));
    let fall = fall(told);
    Some(TokenScore {
        id,
        logprob: own.logprob,
        // Servers count from one.
        rank: own.rank.map_or(0, |rank| rank.saturating_sub(1)),
        reference: Some(reference),
        margin,
        forbidden: false,
        shortfall: fall.by,
        outside: fall.outside,
    })
}

/// One token is the least that a server computes; of the prompt's cache it uses nothing that was computed in another way.
fn body(model: &str, tokens: &[u32], salt: &str, dialect: Dialect) -> Bytes {
    let mut body = json!({
        "model": model, "prompt": tokens, "max_tokens": 1, "temperature": 0,
        "prompt_logprobs": LIKELIEST,
    });
    if dialect == Dialect::Vllm {
        body["cache_salt"] = json!(salt);
    }
    Bytes::from(body.to_string())
}

/// Another one for each score: with a cache whose parts were computed among other requests, vLLM's numbers can depend on
/// their order.
fn salt(tokens: &[u32]) -> String {
    let mut state = new_state();
    state.update(SALT_DOMAIN);
    state.update(&SCORES.fetch_add(1, Relaxed).to_le_bytes());
    for token in tokens {
        state.update(&token.to_le_bytes());
    }
    hex::encode(digest(&state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_asked_for_with_exactly_these_fields() {
        let sent = |dialect| -> serde_json::Value {
            serde_json::from_slice(&body("theirs", &[5, 6, 7], "a5", dialect)).unwrap()
        };
        let mut expected = json!({
            "model": "theirs", "prompt": [5, 6, 7], "max_tokens": 1, "temperature": 0, "prompt_logprobs": 20,
        });
        assert_eq!(sent(Dialect::Plain), expected);
        expected["cache_salt"] = json!("a5");
        assert_eq!(sent(Dialect::Vllm), expected);
        let (first, second) = (salt(&[1, 2]), salt(&[1, 2]));
        // vLLM takes 128 characters, and none that could be a path's
        assert!(first != second && first.len() == 64);
    }
}
