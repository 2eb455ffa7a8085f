//! Bodies of `/v1/chat/completions`.

use super::{
    fields::{Fields, read},
    generation::{Generation, MAX_TOP_LOGPROBS, generation},
    json::bad,
    server::Server,
    turn::{Turn, checked},
};
use atoma_engine::{ChatMessage, Conversation, Prompt, SamplingDefaults};
use atoma_types::refusal::Refusal;
use serde_json::value::{RawValue, to_raw_value};

/// Reads a body of `/v1/chat/completions`; what it doesn't say of sampling is `defaults`.
pub(crate) fn chat(body: &[u8], defaults: SamplingDefaults) -> Result<Generation, Refusal> {
    let mut fields = Fields::read(body)?;
    let raw: &RawValue = fields.need("messages")?;
    let turns: Vec<Turn> = read("messages", raw)?;
    if turns.is_empty() {
        return Err(bad("messages", "at least one message is needed"));
    }
    let media: usize = turns.iter().map(Turn::media).sum();
    let wire = turns
        .iter()
        .map(Turn::to_wire)
        .collect::<Result<Vec<_>, _>>()?;
    let wire = to_raw_value(&wire).map_err(|_| bad("messages", "can't be read"))?;
    // the template of an engine in the node is shown all that was sent, but for images and sounds
    let messages: Vec<ChatMessage> = if media == 0 {
        read("messages", raw)?
    } else {
        turns.into_iter().map(Turn::into_message).collect()
    };
    let messages = messages.into_iter().map(checked);

    let mut server = Server::default();
    server.media(wire, u32::try_from(media).unwrap_or(u32::MAX));
    // first whether tools may be called: the template is shown none that may not
    server.tool_choice(&mut fields)?;
    let conversation = Conversation {
        messages: messages.collect::<Result<_, _>>()?,
        tools: server.tools(&mut fields)?,
        variables: server.chat(&mut fields)?,
        // whoever holds the signed header knows it
        time: 0,
    };
    let alternatives: u8 = fields.take("top_logprobs")?.unwrap_or(0);
    if alternatives > MAX_TOP_LOGPROBS {
        return Err(bad("top_logprobs", "at most 20"));
    }
    let wanted: Option<bool> = fields.take("logprobs")?;
    let logprobs = wanted.unwrap_or(false).then_some(alternatives);
    let prompt = Prompt::Chat(conversation);
    generation(fields, prompt, logprobs, server, defaults)
}
