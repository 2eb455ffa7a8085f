//! Bodies of `/v1/chat/completions`.

use super::{
    generation::{Common, Generation, MAX_TOP_LOGPROBS},
    json::{bad, parse},
    turn::checked,
};
use atoma_engine::{ChatMessage, Conversation, Prompt, RawJson};
use atoma_types::refusal::Refusal;
use serde::Deserialize;

#[derive(Deserialize)]
struct ChatBody {
    messages: Vec<ChatMessage>,
    tools: Option<RawJson>,
    chat_template_kwargs: Option<RawJson>,
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
        chat_template_kwargs,
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
        .map(checked)
        .collect::<Result<_, _>>()?;
    let alternatives = top_logprobs.unwrap_or(0);
    if alternatives > MAX_TOP_LOGPROBS {
        return Err(bad("top_logprobs", "at most 20"));
    }
    let logprobs = logprobs.unwrap_or(false).then_some(alternatives);
    let object = |json: &RawJson| json.is_null() || json.text().starts_with('{');
    if !chat_template_kwargs.as_ref().is_none_or(object) {
        return Err(bad("chat_template_kwargs", "must be an object"));
    }
    let conversation = Conversation {
        messages,
        tools: tools.filter(|tools| !tools.is_null()),
        variables: chat_template_kwargs.filter(|json| !json.is_null()),
        // whoever holds the signed header knows it
        time: 0,
    };
    rest.generation(Prompt::Chat(conversation), max_completion_tokens, logprobs)
}
