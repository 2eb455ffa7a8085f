//! Requests whose answer is one JSON document: embeddings and scores.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoma_http::client::AnswerLimits;
use bytes::Bytes;
use futures::FutureExt;
use serde::Deserialize;
use serde_json::json;

use super::prefix::Prefix;
use super::reader::broken;
use super::refusal::of_frame;
use super::servers::{Busy, Server};
use super::{EMBEDDINGS, SILENCE_TIMEOUT, Upstream};
use crate::unit::finite;
use crate::{
    ChatMessage, Embeddings, Engine, EngineError, Prompt, Score, TokenScore, Unavailable, Usage,
};

/// Largest answer that isn't streamed: 2,048 embeddings of 4,096 numbers each.
const MAX_ANSWER_BYTES: usize = 128 << 20;

impl Upstream {
    /// Sends a request whose answer is one JSON document.
    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        path: &'static str,
        body: &serde_json::Value,
    ) -> Result<T, EngineError> {
        let body = Bytes::from(body.to_string());
        let ask = |server, busy| self.ask_one(server, busy, path, body.clone()).boxed();
        let (whole, context) = self.first_of(&Prefix::default(), ask).await?;
        // an error of status 200, or nothing that can be read
        serde_json::from_slice(&whole).map_err(|_| of_frame(&whole, context))
    }

    /// The whole answer of a server, and its context.
    async fn ask_one(
        &self,
        server: Arc<Server>,
        _busy: Busy,
        path: &'static str,
        body: Bytes,
    ) -> Result<(Bytes, Option<usize>), EngineError> {
        let response = self.send_once(&server, path, body).await?;
        let limits = AnswerLimits::within(SILENCE_TIMEOUT, MAX_ANSWER_BYTES);
        let whole = response.into_body().whole(limits).await;
        let whole = whole.map_err(|error| broken(&error))?;
        Ok((whole, server.context()))
    }

    pub(super) async fn embed_all(&self, prompts: Vec<Prompt>) -> Result<Embeddings, EngineError> {
        #[derive(Deserialize)]
        struct Reply {
            data: Vec<Item>,
            usage: Option<ReplyUsage>,
        }
        #[derive(Deserialize)]
        struct Item {
            index: usize,
            embedding: Vec<f32>,
        }
        #[derive(Deserialize)]
        struct ReplyUsage {
            prompt_tokens: u32,
        }
        let bound: usize = prompts
            .iter()
            .map(|p| self.count_tokens(p).unwrap_or(0))
            .sum();
        let count = prompts.len();
        let body = embeddings_body(&self.model, &prompts);
        let mut reply: Reply = self.ask(EMBEDDINGS, &body).await?;
        reply.data.sort_by_key(|item| item.index);
        let in_order = reply
            .data
            .iter()
            .enumerate()
            .all(|(i, item)| item.index == i);
        if reply.data.len() != count || !in_order {
            return Err(Unavailable::EmbeddingsMissing.into());
        }
        let input = reply.usage.map_or(bound as u32, |u| u.prompt_tokens);
        let vectors = reply.data.into_iter().map(|item| finite(item.embedding));
        Ok((
            vectors.collect::<Result<_, _>>()?,
            Usage {
                input: input.into(),
                ..Usage::default()
            },
        ))
    }

    /// By `prompt_logprobs`, which vLLM and SGLang report.
    pub(super) async fn score_one(
        &self,
        prompt: Vec<u32>,
        output: Vec<u32>,
    ) -> Result<Score, EngineError> {
        type Position = BTreeMap<String, Reported>;
        #[derive(Deserialize)]
        struct Reported {
            logprob: f32,
            rank: Option<u32>,
        }
        #[derive(Deserialize)]
        struct Reply {
            choices: Vec<ReplyChoice>,
        }
        #[derive(Deserialize)]
        struct ReplyChoice {
            prompt_logprobs: Option<Vec<Option<Position>>>,
        }
        let tokens: Vec<u32> = prompt.iter().chain(&output).copied().collect();
        let body = json!({
            "model": self.model, "prompt": tokens, "max_tokens": 1, "temperature": 0,
            "prompt_logprobs": 1,
        });
        let reply: Reply = self.ask("/v1/completions", &body).await?;
        let cannot = || EngineError::from(Unavailable::NoScores);
        let positions = reply
            .choices
            .into_iter()
            .next()
            .and_then(|c| c.prompt_logprobs);
        let positions = positions
            .filter(|p| p.len() == tokens.len())
            .ok_or_else(cannot)?;
        let mut scores = Vec::with_capacity(output.len());
        for (id, reported) in output.iter().zip(&positions[prompt.len()..]) {
            let reported = reported.as_ref().ok_or_else(cannot)?;
            let own = reported.get(&id.to_string()).ok_or_else(cannot)?;
            let best = reported
                .iter()
                .max_by(|a, b| a.1.logprob.total_cmp(&b.1.logprob));
            let best = best.ok_or_else(cannot)?;
            scores.push(TokenScore {
                id: *id,
                logprob: own.logprob,
                // Servers count from one.
                rank: own.rank.map_or(0, |rank| rank.saturating_sub(1)),
                reference: best.0.parse().ok(),
                margin: (best.1.logprob - own.logprob).max(0.0),
                forbidden: false,
            });
        }
        Ok(Score {
            tokens: scores,
            fingerprint: [0; 32],
            commitments: Vec::new(),
        })
    }
}

/// All inputs in one request, and the vectors as numbers.
fn embeddings_body(model: &str, prompts: &[Prompt]) -> serde_json::Value {
    let input: Vec<serde_json::Value> = prompts.iter().map(embedding_input).collect();
    json!({ "model": model, "input": input, "encoding_format": "float" })
}

fn embedding_input(prompt: &Prompt) -> serde_json::Value {
    match prompt {
        Prompt::Tokens(tokens) => json!(tokens),
        Prompt::Text(text) => json!(text),
        Prompt::Chat(chat) => {
            let texts: Vec<_> = chat.messages.iter().map(ChatMessage::text).collect();
            json!(texts.join("\n"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Conversation;

    #[test]
    fn embeddings_are_asked_for_with_exactly_these_fields() {
        let turns = vec![ChatMessage::new("user", "b"), ChatMessage::new("user", "c")];
        let prompts = [
            Prompt::Text("a".to_owned()),
            Prompt::Tokens(vec![1, 2]),
            Prompt::Chat(Conversation::new(turns)),
        ];
        let expected = json!({
            "model": "theirs", "input": ["a", [1, 2], "b\nc"], "encoding_format": "float",
        });
        assert_eq!(embeddings_body("theirs", &prompts), expected);
    }
}
