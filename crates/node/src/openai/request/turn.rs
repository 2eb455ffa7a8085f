//! The messages of a chat.

use super::json::bad;
use atoma_engine::ChatMessage;
use atoma_types::refusal::Refusal;

/// A message whose role is known.
pub(super) fn checked(mut message: ChatMessage) -> Result<ChatMessage, Refusal> {
    match message.role.as_str() {
        "system" | "user" | "assistant" | "tool" => {}
        // OpenAI's newer name
        "developer" => message.role = "system".to_owned(),
        _ => {
            let known = "must be system, developer, user, assistant or tool";
            return Err(bad("messages", &format!("a message's role {known}")));
        }
    }
    Ok(message)
}
