//! What chats and completions have in common: how the text is to be drawn and shown.

use super::{fields::Fields, json::bad, server::Server};
use atoma_engine::{Format, MAX_ANSWERS, Prompt, SamplingDefaults, ServerFields, ToolChoice};
use atoma_types::refusal::Refusal;
use serde::Deserialize;

/// More stop strings than anyone needs; each is searched for at every token.
const MAX_STOPS: usize = 16;
/// OpenAI's limit on alternatives per token.
pub(super) const MAX_TOP_LOGPROBS: u8 = 20;

/// A request for text.
#[derive(Debug)]
pub struct Generation {
    /// The model that is asked.
    pub model: String,
    /// What the model is to continue.
    pub prompt: Prompt,
    /// The limit that the user named, for each answer.
    pub max_tokens: Option<u32>,
    /// As [`Sampling`](atoma_engine::Sampling) has it, like the next five.
    pub temperature: f32,
    /// The likelihood that the tokens to choose among have together (nucleus).
    pub top_p: f32,
    /// Likeliest tokens to choose among.
    pub top_k: u32,
    /// Least relative probability.
    pub min_p: f32,
    /// Per occurrence in the output.
    pub frequency_penalty: f32,
    /// Once per token that occurs in the output.
    pub presence_penalty: f32,
    /// The seed that the body names.
    pub seed: Option<u64>,
    /// Strings that end the answer.
    pub stop: Vec<String>,
    /// The form that the answer of an engine in the node must have.
    pub format: Option<Format>,
    /// Whether a model in the node may call tools.
    pub tool_choice: ToolChoice,
    /// Alternatives to report with each token's log probability, where that is asked for.
    pub logprobs: Option<u8>,
    /// Whether the answer is to come as it grows.
    pub stream: bool,
    /// Whether a stream's last chunk is to tell the usage.
    pub include_usage: bool,
    /// What servers outside get beside all this.
    pub server: ServerFields,
    /// A field that only servers outside understand.
    pub server_only: Option<&'static str>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Many(Vec<String>),
}

/// Takes the fields of both kinds of generation, and sees that nothing is left that matters.
pub(super) fn generation(
    mut fields: Fields<'_>,
    prompt: Prompt,
    logprobs: Option<u8>,
    mut server: Server,
    defaults: SamplingDefaults,
) -> Result<Generation, Refusal> {
    let model = fields.need("model")?;
    let answers: u32 = fields.take("n")?.unwrap_or(1);
    if !(1..=MAX_ANSWERS).contains(&answers) {
        return Err(bad("n", &format!("must lie between 1 and {MAX_ANSWERS}")));
    }
    let max_tokens: Option<u32> = fields.take("max_tokens")?;
    let max_tokens = fields.take("max_completion_tokens")?.or(max_tokens);
    if max_tokens == Some(0) {
        return Err(bad("max_tokens", "must be at least 1"));
    }
    let stop = match fields.take("stop")? {
        None => Vec::new(),
        Some(Stop::One(text)) => vec![text],
        Some(Stop::Many(texts)) => texts,
    };
    if stop.len() > MAX_STOPS || stop.iter().any(String::is_empty) {
        return Err(bad("stop", "at most 16 strings, none empty"));
    }
    let stream = fields.take("stream")?.unwrap_or(false);
    let options: Option<StreamOptions> = fields.take("stream_options")?;
    let include_usage = options.and_then(|options| options.include_usage);
    let top_k: Option<i64> = fields.take("top_k")?;
    let seed: Option<i64> = fields.take("seed")?;
    let mut number = |name, default, range| within(&mut fields, name, default, range);
    let temperature = number("temperature", defaults.temperature, 0.0..=2.0)?;
    let top_p = number("top_p", defaults.top_p, f32::MIN_POSITIVE..=1.0)?;
    let min_p = number("min_p", defaults.min_p, 0.0..=1.0)?;
    let frequency_penalty = number("frequency_penalty", 0.0, -2.0..=2.0)?;
    let presence_penalty = number("presence_penalty", 0.0, -2.0..=2.0)?;
    let repetition_penalty = number("repetition_penalty", 1.0, 0.01..=2.0)?;
    server.both(&mut fields)?;
    server.sampling(answers, repetition_penalty);
    fields.end()?;
    Ok(Generation {
        model,
        prompt,
        max_tokens,
        temperature,
        top_p,
        top_k: top_k.map_or(defaults.top_k, |k| {
            u32::try_from(k.max(0)).unwrap_or(u32::MAX)
        }),
        min_p,
        frequency_penalty,
        presence_penalty,
        seed: seed.map(i64::cast_unsigned),
        stop,
        format: server.format,
        tool_choice: server.tool_choice,
        logprobs,
        stream,
        include_usage: stream && include_usage.unwrap_or(false),
        server: server.fields,
        server_only: server.first,
    })
}

fn within(
    fields: &mut Fields<'_>,
    name: &str,
    default: f32,
    range: std::ops::RangeInclusive<f32>,
) -> Result<f32, Refusal> {
    let value = fields.take(name)?.unwrap_or(default);
    if range.contains(&value) {
        return Ok(value);
    }
    let message = format!("must lie between {} and {}", range.start(), range.end());
    Err(bad(name, &message))
}
