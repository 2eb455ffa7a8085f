//! Requests whose answer is one JSON document: embeddings, and what scores are made of.

use std::sync::Arc;

use atoma_http::client::AnswerLimits;
use bytes::Bytes;
use futures::FutureExt;
use serde::Deserialize;
use serde_json::json;

use super::dialect::Dialect;
use super::prefix::Prefix;
use super::reader::broken;
use super::refusal::of_frame;
use super::servers::{Busy, Server};
use super::{EMBEDDINGS, SILENCE_TIMEOUT, Upstream};
use crate::unit::finite;
use crate::{ChatMessage, Embeddings, Engine, EngineError, Prompt, Unavailable, Usage};

/// Largest answer that isn't streamed: 2,048 embeddings of 4,096 numbers each.
const MAX_ANSWER_BYTES: usize = 128 << 20;

/// The body of a request, in the words of each server.
pub(super) type BodyOf = Arc<dyn Fn(Dialect) -> Bytes + Send + Sync>;

impl Upstream {
    /// Sends a request whose answer is one JSON document.
    pub(super) async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        path: &'static str,
        body: BodyOf,
    ) -> Result<T, EngineError> {
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
        body: BodyOf,
    ) -> Result<(Bytes, Option<usize>), EngineError> {
        let body = body(self.identity(&server).await.dialect);
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
        let body = Bytes::from(embeddings_body(&self.model, &prompts).to_string());
        let body: BodyOf = Arc::new(move |_| body.clone());
        let mut reply: Reply = self.ask(EMBEDDINGS, body).await?;
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
