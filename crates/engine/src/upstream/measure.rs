//! How many tokens a prompt has: by a tokenizer here, by a server that can count, or by its bytes.

use std::time::Duration;

use atoma_http::client::AnswerLimits;
use atoma_runtime::Threads;
use atoma_types::estimate::TEMPLATE_TOKENS;
use serde::Deserialize;
use tokio::time::Instant;

use super::prefix::Prefix;
use super::{Upstream, body};
use crate::{EngineError, EngineFault, Measured, Prompt, ServerFields};

/// A server that counts for longer isn't waited for: the bytes bound the prompt, too.
const COUNT_TIMEOUT: Duration = Duration::from_secs(5);
/// A text of so few bytes takes no server that long: one that lets it wait can't count, and isn't asked for a
/// while.
const SHORT_BYTES: usize = 64 << 10;
/// vLLM gives all tokens back, at most ten bytes each.
const MAX_COUNT_BYTES: usize = 64 << 20;
/// What English has, rounded down.
const USUAL_BYTES_PER_TOKEN: usize = 4;

/// The ways in which servers say a number of tokens.
#[derive(Deserialize)]
struct Counted {
    /// As vLLM says it.
    count: Option<usize>,
    /// llama.cpp, of a chat.
    input_tokens: Option<usize>,
    /// llama.cpp, of a text.
    tokens: Option<Vec<serde::de::IgnoredAny>>,
}

impl Upstream {
    /// An upper bound: no tokenizer makes more tokens than there are bytes.
    pub(super) fn bound(prompt: &Prompt) -> usize {
        /// Around each turn, generously.
        const PER_TURN: usize = 16;
        match prompt {
            Prompt::Tokens(tokens) => tokens.len(),
            Prompt::Text(text) => text.len() + 1,
            Prompt::Chat(chat) => {
                let turns = chat.messages.iter().map(|m| {
                    let others = m.others.iter().map(|(_, json)| json.text().len());
                    m.text().len() + m.role.len() + others.sum::<usize>() + PER_TURN
                });
                let tools = chat.tools.as_ref().map_or(0, |t| t.text().len());
                turns.sum::<usize>() + tools + TEMPLATE_TOKENS as usize
            }
        }
    }

    /// What a prompt has at most and probably, by its bytes; its images and sounds included.
    pub(super) fn bounded(&self, prompt: &Prompt, server: &ServerFields) -> Measured {
        let bound = Self::bound(prompt);
        Measured {
            most: bound.saturating_add(self.media(server)),
            likely: bound / USUAL_BYTES_PER_TOKEN,
        }
    }

    /// Tokens that stand for images and sounds.
    fn media(&self, server: &ServerFields) -> usize {
        self.media_tokens.saturating_mul(server.media as usize)
    }

    /// Counts a prompt, its images and sounds included.
    pub(super) async fn measured(
        &self,
        prompt: &Prompt,
        server: &ServerFields,
    ) -> Result<Measured, EngineError> {
        let counted = match (&self.text, prompt) {
            (_, Prompt::Tokens(tokens)) => Some(tokens.len()),
            (Some(text), _) => {
                let (text, prompt) = (text.clone(), prompt.clone());
                let counting = Threads::Real.blocking(move || text.count(&prompt));
                let counted = counting.await.map_err(EngineFault::from)??;
                Some(counted)
            }
            // a server may say any number: no prompt has more than its bytes and what stands for images
            (None, _) => {
                let most = self.bounded(prompt, server).most;
                let counted = self.ask_count(prompt, server).await;
                counted.map(|tokens| tokens.min(most))
            }
        };
        Ok(match counted {
            // whether images and sounds fit is for the server to say
            Some(tokens) => Measured {
                most: tokens.saturating_add(self.media(server)),
                likely: tokens,
            },
            None => self.bounded(prompt, server),
        })
    }

    /// Asks the best server that counts; nothing where none does, or not now.
    async fn ask_count(&self, prompt: &Prompt, fields: &ServerFields) -> Option<usize> {
        let mut servers = self.candidates(&Prefix::default()).0.into_iter();
        let server = servers.find(|server| server.counts())?;
        let identity = self.identity(&server).await;
        let (path, body) = body::count(prompt, fields, &self.model, identity.dialect)?;
        let is_short = body.len() <= SHORT_BYTES;
        let url = format!("{}{path}", server.base);
        let asking = async {
            let answer = self.http.post(&url, body).await.ok()?;
            let answer = Some(answer).filter(|answer| answer.status().is_success())?;
            let limits = AnswerLimits::within(COUNT_TIMEOUT, MAX_COUNT_BYTES);
            answer.into_body().whole(limits).await.ok()
        };
        let asked_at = Instant::now();
        let body = tokio::time::timeout(COUNT_TIMEOUT, asking).await;
        if is_short && asked_at.elapsed() >= COUNT_TIMEOUT {
            server.lets_counts_wait();
        }
        let counted: Counted = serde_json::from_slice(&body.ok()??).ok()?;
        let tokens = counted.tokens.map(|tokens| tokens.len());
        // a prompt of no tokens is one that the server didn't understand
        counted
            .count
            .or(counted.input_tokens)
            .or(tokens)
            .filter(|n| *n > 0)
    }
}
