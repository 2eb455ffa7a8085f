//! Reads what an upstream answers, as little as needed: usage, texts, ends.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};

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
}

/// What all frames of a stream begin with.
#[derive(Default, Deserialize, Serialize)]
struct Head<'a> {
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
    /// Read only where somebody wants tokens: a relay carries them over as they are.
    #[serde(borrow)]
    logprobs: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
    /// Thoughts, as vLLM and SGLang call them; tokens like any other.
    #[serde(borrow, alias = "reasoning")]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
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

    /// What it says, as a token: that of the last choice that says something.
    pub(super) fn token(&self) -> Option<TokenEvent> {
        let says = self.choices.iter().rev().find(|c| c.carries_token())?;
        // completions write them in a form that isn't read
        let logprobs: Logprobs = says
            .logprobs
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default();
        let logprob = logprobs.content.unwrap_or_default().into_iter().next();
        let top = logprob.as_ref().map_or(&[][..], |l| &l.top_logprobs);
        Some(TokenEvent {
            id: None,
            text: says
                .content()
                .map(|text| text.to_string())
                .unwrap_or_default(),
            top: top.iter().map(WireLogprob::to_logprob).collect(),
            logprob: logprob.as_ref().map(WireLogprob::to_logprob),
        })
    }
}

impl<'a> Choice<'a> {
    fn said(&self) -> Option<&Message<'a>> {
        self.delta.as_ref().or(self.message.as_ref())
    }

    fn content(&self) -> Option<&Cow<'a, str>> {
        let said = self.said().and_then(|m| m.content.as_ref());
        self.text.as_ref().or(said)
    }

    fn carries_token(&self) -> bool {
        let some = |text: &Option<Cow<'_, str>>| text.as_ref().is_some_and(|t| !t.is_empty());
        let spoken = |m: &Message<'_>| {
            some(&m.content) || some(&m.reasoning_content) || m.tool_calls.is_some()
        };
        some(&self.text) || self.said().is_some_and(spoken)
    }
}

/// What is known of an answer so far.
pub(super) struct Account {
    text: blake2b_simd::State,
    /// Tokens counted by frames that carry something.
    frames: u32,
    usage: Option<WireUsage>,
    finish: Finish,
    /// The last frame: its head is that of an end which we have to write ourselves.
    last: Bytes,
}

/// What a frame is to the reader of the stream.
pub(super) struct Seen {
    /// Only usage, no choices.
    pub(super) is_usage: bool,
    /// It says something.
    pub(super) carries_token: bool,
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
            last: Bytes::new(),
        }
    }

    /// Takes a frame in, which was read from `payload`.
    pub(super) fn see(&mut self, chunk: &Chunk<'_>, payload: &Bytes) -> Seen {
        self.usage = chunk.usage.or(self.usage);
        self.last = payload.clone();
        let mut seen = Seen {
            is_usage: chunk.choices.is_empty() && chunk.usage.is_some(),
            carries_token: false,
        };
        for choice in &chunk.choices {
            let thought = choice.said().and_then(|m| m.reasoning_content.as_ref());
            for part in [thought, choice.content()].into_iter().flatten() {
                self.text.update(part.as_bytes());
            }
            if choice.carries_token() {
                self.frames += 1;
                seen.carries_token = true;
            }
            if let Some(reason) = &choice.finish_reason {
                self.finish = if reason == "length" {
                    Finish::Length
                } else {
                    Finish::Stop
                };
            }
        }
        seen
    }

    /// Tokens generated so far: what the upstream says, or else the frames.
    pub(super) fn output(&self) -> u32 {
        self.usage
            .map_or(0, |u| u.completion_tokens)
            .max(self.frames)
    }

    /// A last frame that says that the limit was reached.
    pub(super) fn length_frame(&self) -> String {
        // it was read before; of no frame at all, an empty head
        let head: Head<'_> = serde_json::from_slice(&self.last).unwrap_or_default();
        let choice = if head.object.as_deref() == Some("text_completion") {
            json!({ "index": 0, "text": "", "finish_reason": "length" })
        } else {
            json!({ "index": 0, "delta": {}, "finish_reason": "length" })
        };
        let mut frame = json!(head);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chunks_that_say_something_count() {
        for (chunk, says) in [
            (
                r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
                false,
            ),
            (r#"{"choices":[{"delta":{"content":"\u00e4"}}]}"#, true),
            (r#"{"choices":[{"delta":{"tool_calls":[{"id":1}]}}]}"#, true),
            (r#"{"choices":[{"delta":{"tool_calls":null}}]}"#, false),
            (r#"{"choices":[{"text":"x"}]}"#, true),
            (
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
                false,
            ),
            (r#"{"choices":[],"usage":{}}"#, false),
        ] {
            let read: Chunk<'_> = serde_json::from_str(chunk).unwrap();
            let mut account = Account::new();
            let payload = Bytes::copy_from_slice(chunk.as_bytes());
            let seen = account.see(&read, &payload).carries_token;
            assert_eq!((seen, account.output()), (says, u32::from(says)), "{chunk}");
            assert_eq!(read.token().is_some(), says, "{chunk}");
        }
    }

    #[test]
    fn an_end_of_ours_has_the_head_of_the_last_frame() {
        let chunk = r#"{"id":"\u00e4","object":"text_completion","created":7,"model":"m","choices":[],"x":1}"#;
        let mut account = Account::new();
        account.see(&serde_json::from_str(chunk).unwrap(), &chunk.into());
        let end: serde_json::Value = serde_json::from_str(&account.length_frame()).unwrap();
        let choices = json!([{ "index": 0, "text": "", "finish_reason": "length" }]);
        assert_eq!(
            end,
            json!({ "id": "ä", "object": "text_completion", "created": 7, "model": "m", "choices": choices })
        );
    }
}
