//! Reads what an upstream answers, as little as needed: usage, texts, ends.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;

use crate::fingerprint::{digest, new_state};
use crate::{Completion, Finish, Logprob, TokenEvent, Usage};

const TEXT_TAG: &[u8] = b"atoma/engine/upstream-text/v1";

/// One frame of a stream, or a whole answer.
#[derive(Deserialize)]
pub(super) struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    usage: Option<WireUsage>,
    pub(super) error: Option<serde_json::Value>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    object: Option<Cow<'a, str>>,
    created: Option<u64>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<Message<'a>>,
    #[serde(borrow)]
    message: Option<Message<'a>>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
    logprobs: Option<Logprobs>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
    /// Thoughts, as vLLM and SGLang call them; tokens like any other.
    #[serde(borrow, alias = "reasoning")]
    reasoning_content: Option<Cow<'a, str>>,
    tool_calls: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Logprobs {
    /// Completions write their log probabilities otherwise; those are relayed only.
    #[serde(default)]
    content: Option<Vec<WireLogprob>>,
}

#[derive(Deserialize)]
struct WireLogprob {
    token: String,
    logprob: f32,
    #[serde(default)]
    top_logprobs: Vec<WireLogprob>,
}

#[derive(Deserialize, Clone, Copy)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: u32,
    #[serde(default)]
    completion_tokens: u32,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize, Clone, Copy)]
struct Details {
    cached_tokens: Option<u32>,
}

impl Chunk<'_> {
    /// Whether any choice says something.
    pub(super) fn carries_token(&self) -> bool {
        self.choices.iter().any(Choice::carries_token)
    }
}

impl Choice<'_> {
    fn carries_token(&self) -> bool {
        let said = |text: &Option<Cow<'_, str>>| text.as_ref().is_some_and(|t| !t.is_empty());
        let spoken = |m: &Message<'_>| {
            said(&m.content) || said(&m.reasoning_content) || m.tool_calls.is_some()
        };
        said(&self.text)
            || self
                .delta
                .as_ref()
                .or(self.message.as_ref())
                .is_some_and(spoken)
    }
}

/// What is known of an answer so far.
pub(super) struct Account {
    text: blake2b_simd::State,
    /// Tokens counted by frames that carry something.
    frames: u32,
    usage: Option<WireUsage>,
    finish: Finish,
    /// Head of the last frame, for an end that we have to write ourselves.
    head: serde_json::Value,
}

/// What a frame is to the reader of the stream.
pub(super) struct Seen {
    /// Only usage, no choices.
    pub(super) is_usage: bool,
    pub(super) token: Option<TokenEvent>,
}

impl Account {
    pub(super) fn new() -> Self {
        let mut text = new_state();
        text.update(TEXT_TAG);
        Self {
            text,
            frames: 0,
            usage: None,
            finish: Finish::Stop,
            head: json!({}),
        }
    }

    /// Takes a frame in.
    pub(super) fn see(&mut self, chunk: Chunk<'_>) -> Seen {
        self.usage = chunk.usage.or(self.usage);
        let is_usage = chunk.choices.is_empty() && chunk.usage.is_some();
        let mut token: Option<TokenEvent> = None;
        for choice in chunk.choices {
            let carries_token = choice.carries_token();
            let (mut content, mut thought) = (choice.text, None);
            if let Some(message) = choice.delta.or(choice.message) {
                content = content.or(message.content);
                thought = message.reasoning_content;
            }
            for part in [&thought, &content].into_iter().flatten() {
                self.text.update(part.as_bytes());
            }
            if carries_token {
                self.frames += 1;
                let mut logprobs = choice
                    .logprobs
                    .map_or(Vec::new(), |l| l.content.unwrap_or_default())
                    .into_iter();
                let logprob = logprobs.next();
                let top = logprob.as_ref().map_or(&[][..], |l| &l.top_logprobs);
                token = Some(TokenEvent {
                    id: None,
                    text: content.unwrap_or_default().into_owned(),
                    top: top.iter().map(WireLogprob::to_logprob).collect(),
                    logprob: logprob.as_ref().map(WireLogprob::to_logprob),
                });
            }
            if let Some(reason) = choice.finish_reason {
                self.finish = if reason == "length" {
                    Finish::Length
                } else {
                    Finish::Stop
                };
            }
        }
        self.head = json!({
            "id": chunk.id, "object": chunk.object, "created": chunk.created, "model": chunk.model,
        });
        Seen { is_usage, token }
    }

    /// Tokens generated so far: what the upstream says, or else the frames.
    pub(super) fn output(&self) -> u32 {
        self.usage
            .map_or(0, |u| u.completion_tokens)
            .max(self.frames)
    }

    /// A last frame that says that the limit was reached.
    pub(super) fn length_frame(&self) -> String {
        let mut frame = self.head.clone();
        let choice = if frame["object"] == "text_completion" {
            json!({ "index": 0, "text": "", "finish_reason": "length" })
        } else {
            json!({ "index": 0, "delta": {}, "finish_reason": "length" })
        };
        frame["choices"] = json!([choice]);
        frame.to_string()
    }

    /// The account of the whole; `cut` when we ended it, `input` when the upstream doesn't say.
    pub(super) fn close(self, cut: bool, input: u32, seed: u64) -> Completion {
        let cached = self
            .usage
            .and_then(|u| u.prompt_tokens_details)
            .and_then(|d| d.cached_tokens);
        let usage = Usage {
            input: self.usage.map_or(input, |u| u.prompt_tokens),
            cached_input: cached.unwrap_or(0),
            output: match self.usage {
                Some(usage) if !cut => usage.completion_tokens,
                _ => self.output(),
            },
        };
        Completion {
            finish: if cut { Finish::Length } else { self.finish },
            usage,
            fingerprint: digest(&self.text),
            commitments: Vec::new(),
            seed,
        }
    }
}

impl WireLogprob {
    fn to_logprob(&self) -> Logprob {
        Logprob {
            id: 0,
            token: self.token.clone(),
            logprob: self.logprob,
        }
    }
}
