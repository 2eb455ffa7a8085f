//! What stands in the choices of answers, whole and in pieces: log probabilities, calls of tools, ends.

use atoma_engine::{Finish, Logprob, TokenEvent, TokenLogprob};
use serde::Serialize;

/// OpenAI's name for an end.
pub(crate) fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length | Finish::Cancelled => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
    }
}

/// A call of a tool, or a piece of one.
#[derive(Debug, Serialize)]
pub(crate) struct ToolCall<'a> {
    /// Only in pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a str>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    pub function: Function<'a>,
}

/// The function that is called.
#[derive(Debug, Serialize)]
pub(crate) struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<&'a str>,
    pub arguments: &'a str,
}

/// A token of an answer as servers write it, from one of an engine in the node.
pub(crate) fn logprob_of(token: &TokenEvent) -> Option<TokenLogprob> {
    let plain = |l: &Logprob| TokenLogprob {
        token: l.token.clone(),
        logprob: l.logprob,
        bytes: Some(l.bytes.clone()),
        offset: None,
        top: Vec::new(),
    };
    token.logprob.as_ref().map(|chosen| TokenLogprob {
        offset: Some(token.offset),
        top: token.top.iter().map(plain).collect(),
        ..plain(chosen)
    })
}

/// One token as chat answers show it.
#[derive(Debug, Serialize)]
struct ChatLogprob<'a> {
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
    pub(crate) fn of(tokens: &'a [TokenLogprob]) -> Self {
        let plain = |l: &'a TokenLogprob| ChatLogprob {
            token: &l.token,
            logprob: l.logprob,
            bytes: l.bytes.as_deref().unwrap_or(l.token.as_bytes()),
            top_logprobs: None,
        };
        let content = tokens.iter().map(|token| ChatLogprob {
            top_logprobs: Some(token.top.iter().map(plain).collect()),
            ..plain(token)
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
    pub(crate) fn of(tokens: &'a [TokenLogprob], mut offset: usize) -> Self {
        let mut lists = Self {
            tokens: Vec::new(),
            token_logprobs: Vec::new(),
            top_logprobs: Vec::new(),
            text_offset: Vec::new(),
        };
        for token in tokens {
            let top = token.top.iter();
            let top = top.map(|l| (l.token.clone(), l.logprob.into()));
            lists.tokens.push(&token.token);
            lists.token_logprobs.push(token.logprob);
            lists.top_logprobs.push(top.collect());
            // a stop string takes text of tokens that were shown, and parts of a character make none
            offset = token.offset.unwrap_or(offset);
            lists.text_offset.push(offset);
            offset += token.token.chars().count();
        }
        lists
    }
}
