//! Whole answers, as OpenAI's API gives them.

use atoma_engine::{Finish, Logprob, TokenEvent, Usage};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;

/// What every object of one answer begins with.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// `chatcmpl-…` or `cmpl-…`.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// As asked for.
    pub model: String,
    /// The model's revision, shortened.
    pub system_fingerprint: String,
}

/// OpenAI's usage object.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct UsageObject {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
    prompt_tokens_details: PromptDetails,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u32,
}

impl From<Usage> for UsageObject {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.input,
            completion_tokens: usage.output,
            total_tokens: usage.input.saturating_add(usage.output),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cached_input,
            },
        }
    }
}

/// OpenAI's name for an end.
pub(crate) fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length | Finish::Cancelled => "length",
    }
}

// === log probabilities ===

/// One token as chat answers show it.
#[derive(Debug, Serialize)]
pub(crate) struct ChatLogprob<'a> {
    token: &'a str,
    logprob: f32,
    bytes: &'a [u8],
    #[serde(skip_serializing_if = "Option::is_none")]
    top_logprobs: Option<Vec<ChatLogprob<'a>>>,
}

/// The tokens of a chat answer or chunk.
#[derive(Debug, Serialize)]
pub(crate) struct ChatLogprobs<'a> {
    content: Vec<ChatLogprob<'a>>,
}

impl<'a> ChatLogprobs<'a> {
    pub(crate) fn of(tokens: &'a [TokenEvent]) -> Self {
        let plain = |l: &'a Logprob| ChatLogprob {
            token: &l.token,
            logprob: l.logprob,
            bytes: l.token.as_bytes(),
            top_logprobs: None,
        };
        let content = tokens.iter().filter_map(|token| {
            let top = token.top.iter().map(plain).collect();
            token.logprob.as_ref().map(|l| ChatLogprob {
                top_logprobs: Some(top),
                ..plain(l)
            })
        });
        Self {
            content: content.collect(),
        }
    }
}

/// The tokens of a legacy completion.
#[derive(Debug, Serialize)]
pub(crate) struct TextLogprobs<'a> {
    tokens: Vec<&'a str>,
    token_logprobs: Vec<f32>,
    top_logprobs: Vec<serde_json::Map<String, serde_json::Value>>,
    text_offset: Vec<usize>,
}

impl<'a> TextLogprobs<'a> {
    /// `offset` is the number of characters before the first token.
    pub(crate) fn of(tokens: &'a [TokenEvent], mut offset: usize) -> Self {
        let mut lists = Self {
            tokens: Vec::new(),
            token_logprobs: Vec::new(),
            top_logprobs: Vec::new(),
            text_offset: Vec::new(),
        };
        for token in tokens {
            let Some(chosen) = &token.logprob else {
                continue;
            };
            let top = token
                .top
                .iter()
                .map(|l| (l.token.clone(), l.logprob.into()))
                .collect();
            lists.tokens.push(&chosen.token);
            lists.token_logprobs.push(chosen.logprob);
            lists.top_logprobs.push(top);
            lists.text_offset.push(offset);
            offset += token.text.chars().count();
        }
        lists
    }
}

// === whole answers ===

#[derive(Serialize)]
struct Answer<'a, C> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: [C; 1],
    usage: UsageObject,
    system_fingerprint: &'a str,
}

#[derive(Serialize)]
struct ChatChoice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: Option<ChatLogprobs<'a>>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    refusal: Option<&'a str>,
}

#[derive(Serialize)]
struct TextChoice<'a> {
    text: &'a str,
    index: u32,
    logprobs: Option<TextLogprobs<'a>>,
    finish_reason: &'static str,
}

/// What a generation gave in all.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    pub text: &'a str,
    /// Filled when log probabilities were asked for.
    pub tokens: Option<&'a [TokenEvent]>,
    pub finish: Finish,
    pub usage: Usage,
}

/// The whole answer as OpenAI's `chat.completion`.
pub(crate) fn chat(head: &Head, whole: &Whole<'_>) -> Vec<u8> {
    let choice = ChatChoice {
        index: 0,
        message: Message {
            role: "assistant",
            content: whole.text,
            refusal: None,
        },
        logprobs: whole.tokens.map(ChatLogprobs::of),
        finish_reason: finish_reason(whole.finish),
    };
    answer(head, "chat.completion", choice, whole.usage)
}

/// The whole answer as OpenAI's `text_completion`.
pub(crate) fn completion(head: &Head, whole: &Whole<'_>) -> Vec<u8> {
    let choice = TextChoice {
        text: whole.text,
        index: 0,
        logprobs: whole.tokens.map(|tokens| TextLogprobs::of(tokens, 0)),
        finish_reason: finish_reason(whole.finish),
    };
    answer(head, "text_completion", choice, whole.usage)
}

fn answer(head: &Head, object: &'static str, choice: impl Serialize, usage: Usage) -> Vec<u8> {
    json(&Answer {
        id: &head.id,
        object,
        created: head.created,
        model: &head.model,
        choices: [choice],
        usage: usage.into(),
        system_fingerprint: &head.system_fingerprint,
    })
}

#[derive(Serialize)]
struct EmbeddingList<'a> {
    object: &'static str,
    data: Vec<EmbeddingObject<'a>>,
    model: &'a str,
    usage: EmbeddingUsage,
}

#[derive(Serialize)]
struct EmbeddingObject<'a> {
    object: &'static str,
    index: usize,
    embedding: Vector<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Floats(&'a [f32]),
    Base64(String),
}

#[derive(Serialize)]
struct EmbeddingUsage {
    prompt_tokens: u32,
    total_tokens: u32,
}

/// A list of `embedding`s; base64 holds the floats little-endian.
pub(crate) fn embeddings(model: &str, vectors: &[Vec<f32>], usage: Usage, base64: bool) -> Vec<u8> {
    let encode = |vector: &[f32]| {
        let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
        BASE64_STANDARD.encode(bytes)
    };
    let data = vectors
        .iter()
        .enumerate()
        .map(|(index, vector)| EmbeddingObject {
            object: "embedding",
            index,
            embedding: if base64 {
                Vector::Base64(encode(vector))
            } else {
                Vector::Floats(vector)
            },
        });
    json(&EmbeddingList {
        object: "list",
        data: data.collect(),
        model,
        usage: EmbeddingUsage {
            prompt_tokens: usage.input,
            total_tokens: usage.input,
        },
    })
}

/// Bytes of an object made of strings, numbers and lists, which JSON can't refuse.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
