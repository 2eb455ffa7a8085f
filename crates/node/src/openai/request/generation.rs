//! What chats and completions have in common: how the text is to be drawn and shown.

use super::json::bad;
use atoma_engine::Prompt;
use atoma_types::refusal::Refusal;
use serde::Deserialize;
use serde_json::Value;

/// More stop strings than anyone needs; each is searched for at every token.
const MAX_STOPS: usize = 16;
/// OpenAI's limit on alternatives per token.
pub(super) const MAX_TOP_LOGPROBS: u8 = 20;

/// A request for text.
#[derive(Debug)]
pub(crate) struct Generation {
    pub model: String,
    pub prompt: Prompt,
    /// The limit the user named.
    pub max_tokens: Option<u32>,
    pub temperature: f32,
    pub top_p: f32,
    pub top_k: u32,
    pub min_p: f32,
    pub frequency_penalty: f32,
    pub presence_penalty: f32,
    pub seed: Option<u64>,
    pub stop: Vec<String>,
    pub logprobs: Option<u8>,
    pub stream: bool,
    pub include_usage: bool,
    /// A field that only some upstream engines understand.
    pub upstream_only: Option<&'static str>,
}

/// Fields of both kinds of generation.
#[derive(Deserialize)]
pub(super) struct Common {
    model: String,
    max_tokens: Option<u32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<i64>,
    min_p: Option<f32>,
    frequency_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    n: Option<u32>,
    seed: Option<i64>,
    stop: Option<Stop>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    response_format: Option<ResponseFormat>,
    logit_bias: Option<serde_json::Map<String, Value>>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct ResponseFormat {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Many(Vec<String>),
}

impl Common {
    pub(super) fn generation(
        self,
        prompt: Prompt,
        max_completion_tokens: Option<u32>,
        logprobs: Option<u8>,
    ) -> Result<Generation, Refusal> {
        if self.n.is_some_and(|n| n != 1) {
            return Err(bad("n", "only 1 is supported; send several requests"));
        }
        let max_tokens = max_completion_tokens.or(self.max_tokens);
        if max_tokens == Some(0) {
            return Err(bad("max_tokens", "must be at least 1"));
        }
        let stop = match self.stop {
            None => Vec::new(),
            Some(Stop::One(text)) => vec![text],
            Some(Stop::Many(texts)) => texts,
        };
        if stop.len() > MAX_STOPS || stop.iter().any(String::is_empty) {
            return Err(bad("stop", "at most 16 strings, none empty"));
        }
        let upstream_only = if self
            .response_format
            .is_some_and(|format| format.kind != "text")
        {
            Some("response_format")
        } else if self.logit_bias.is_some_and(|bias| !bias.is_empty()) {
            Some("logit_bias")
        } else {
            None
        };
        let stream = self.stream.unwrap_or(false);
        let include_usage = self
            .stream_options
            .and_then(|options| options.include_usage);
        Ok(Generation {
            prompt,
            max_tokens,
            temperature: within("temperature", self.temperature, 1.0, 0.0..=2.0)?,
            top_p: within("top_p", self.top_p, 1.0, f32::MIN_POSITIVE..=1.0)?,
            top_k: self
                .top_k
                .map_or(0, |k| u32::try_from(k.max(0)).unwrap_or(u32::MAX)),
            min_p: within("min_p", self.min_p, 0.0, 0.0..=1.0)?,
            frequency_penalty: within(
                "frequency_penalty",
                self.frequency_penalty,
                0.0,
                -2.0..=2.0,
            )?,
            presence_penalty: within("presence_penalty", self.presence_penalty, 0.0, -2.0..=2.0)?,
            seed: self.seed.map(i64::cast_unsigned),
            stop,
            logprobs,
            stream,
            include_usage: stream && include_usage.unwrap_or(false),
            upstream_only,
            model: self.model,
        })
    }
}

fn within(
    param: &str,
    value: Option<f32>,
    default: f32,
    range: std::ops::RangeInclusive<f32>,
) -> Result<f32, Refusal> {
    let value = value.unwrap_or(default);
    if range.contains(&value) {
        return Ok(value);
    }
    let message = format!("must lie between {} and {}", range.start(), range.end());
    Err(bad(param, &message))
}
