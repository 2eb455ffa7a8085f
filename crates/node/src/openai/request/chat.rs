//! Bodies of `/v1/chat/completions`.

use super::{
    generation::{Common, Generation, MAX_TOP_LOGPROBS},
    json::{bad, parse},
    turn::Turn,
};
use atoma_engine::Prompt;
use atoma_types::refusal::Refusal;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct ChatBody {
    messages: Vec<Turn>,
    tools: Option<Value>,
    max_completion_tokens: Option<u32>,
    logprobs: Option<bool>,
    top_logprobs: Option<u8>,
    #[serde(flatten)]
    rest: Common,
}

/// Reads a body of `/v1/chat/completions`.
pub(crate) fn chat(body: &[u8]) -> Result<Generation, Refusal> {
    let ChatBody {
        messages,
        tools,
        max_completion_tokens,
        logprobs,
        top_logprobs,
        rest,
    } = parse(body)?;
    if messages.is_empty() {
        return Err(bad("messages", "at least one message is needed"));
    }
    let messages = messages
        .into_iter()
        .map(Turn::into_message)
        .collect::<Result<_, _>>()?;
    let alternatives = top_logprobs.unwrap_or(0);
    if alternatives > MAX_TOP_LOGPROBS {
        return Err(bad("top_logprobs", "at most 20"));
    }
    let logprobs = logprobs.unwrap_or(false).then_some(alternatives);
    rest.generation(
        Prompt::Chat { messages, tools },
        max_completion_tokens,
        logprobs,
    )
}
