//! Whole answers, as OpenAI's API gives them.

use super::{
    choice::{ChatLogprobs, Function, TextLogprobs, ToolCall, finish_reason},
    whole::Said,
};
use atoma_types::Usage;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use std::collections::BTreeMap;

/// What every object of one answer begins with.
#[derive(Clone, Debug)]
pub struct Head {
    /// `chatcmpl-…` or `cmpl-…`.
    pub id: String,
    /// When the answer was made, in seconds since 1970.
    pub created: u64,
    /// The model's name, as the request gave it.
    pub model: String,
    /// The model's revision, shortened.
    pub system_fingerprint: String,
}

/// OpenAI's usage object.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct UsageObject {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
}

impl From<Usage> for UsageObject {
    fn from(usage: Usage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens(),
            completion_tokens: usage.output,
            total_tokens: usage.total_tokens(),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cached_input,
            },
        }
    }
}

// === whole answers ===

#[derive(Serialize)]
struct Answer<'a, C> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<C>,
    usage: UsageObject,
    system_fingerprint: &'a str,
}

#[derive(Serialize)]
struct ChatChoice<'a> {
    index: u32,
    message: Message<'a>,
    logprobs: Option<ChatLogprobs<'a>>,
    finish_reason: &'static str,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    token_ids: &'a [u32],
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

#[derive(Serialize)]
struct TextChoice<'a> {
    text: &'a str,
    index: u32,
    logprobs: Option<TextLogprobs<'a>>,
    finish_reason: &'static str,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    token_ids: &'a [u32],
}

/// The whole answer as OpenAI's `chat.completion`.
pub fn chat(head: &Head, answers: &BTreeMap<u32, Said>, usage: Usage) -> Vec<u8> {
    let choices = answers.iter().map(|(index, said)| ChatChoice {
        index: *index,
        message: message(said),
        logprobs: said.logprobs.as_deref().map(ChatLogprobs::of),
        finish_reason: said.finish.map_or("stop", finish_reason),
        token_ids: &said.token_ids,
    });
    answer(head, "chat.completion", choices.collect(), usage)
}

/// The whole answer as OpenAI's `text_completion`.
pub fn completion(head: &Head, answers: &BTreeMap<u32, Said>, usage: Usage) -> Vec<u8> {
    let choices = answers.iter().map(|(index, said)| TextChoice {
        text: &said.text,
        index: *index,
        logprobs: said
            .logprobs
            .as_deref()
            .map(|tokens| TextLogprobs::of(tokens, 0)),
        finish_reason: said.finish.map_or("stop", finish_reason),
        token_ids: &said.token_ids,
    });
    answer(head, "text_completion", choices.collect(), usage)
}

fn message(said: &Said) -> Message<'_> {
    let calls = said.tool_calls.values().map(|call| ToolCall {
        index: None,
        id: call.id.as_deref(),
        kind: Some("function"),
        function: Function {
            name: call.name.as_deref(),
            arguments: &call.arguments,
        },
    });
    let some = |text: &'_ String| !text.is_empty();
    Message {
        role: "assistant",
        content: (some(&said.text) || said.tool_calls.is_empty()).then_some(&*said.text),
        reasoning_content: some(&said.reasoning).then_some(&*said.reasoning),
        refusal: some(&said.refusal).then_some(&*said.refusal),
        tool_calls: calls.collect(),
    }
}

fn answer(
    head: &Head,
    object: &'static str,
    choices: Vec<impl Serialize>,
    usage: Usage,
) -> Vec<u8> {
    json(&Answer {
        id: &head.id,
        object,
        created: head.created,
        model: &head.model,
        choices,
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
    prompt_tokens: u64,
    total_tokens: u64,
}

/// A list of `embedding`s; base64 holds the floats little-endian.
pub fn embeddings(model: &str, vectors: &[Vec<f32>], usage: Usage, base64: bool) -> Vec<u8> {
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
            prompt_tokens: usage.prompt_tokens(),
            total_tokens: usage.prompt_tokens(),
        },
    })
}

/// Bytes of an object made of strings, numbers and lists, which JSON can't refuse.
///
/// # Panics
/// If it is made of anything else, such as a map whose keys are no strings.
pub fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("an answer is JSON")
}
