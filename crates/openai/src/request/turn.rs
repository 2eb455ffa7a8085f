//! The messages of a chat.

use super::{content::Content, json::bad, server::FunctionKind};
use atoma_engine::ChatMessage;
use atoma_types::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One message as clients write it.
#[derive(Deserialize)]
pub(super) struct Turn {
    role: String,
    #[serde(default)]
    content: Content,
    name: Option<String>,
    /// What the model thought before it said this.
    #[serde(alias = "reasoning")]
    reasoning_content: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
    tool_call_id: Option<String>,
}

/// A call that an assistant's turn made.
#[derive(Deserialize)]
struct ToolCall {
    id: String,
    function: Called,
}

#[derive(Deserialize)]
struct Called {
    name: String,
    /// JSON as text; some write the JSON itself.
    arguments: Option<Box<RawValue>>,
}

/// The message as servers get it.
#[derive(Serialize)]
pub(super) struct WireTurn<'a> {
    role: &'a str,
    content: &'a Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<Vec<WireCall<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
struct WireCall<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: FunctionKind,
    function: WireCalled<'a>,
}

#[derive(Serialize)]
struct WireCalled<'a> {
    name: &'a str,
    arguments: String,
}

impl Turn {
    /// Images and sounds in it.
    pub(super) fn media(&self) -> usize {
        self.content.media()
    }

    fn calls(&self) -> Option<Vec<WireCall<'_>>> {
        let calls = self.tool_calls.as_ref()?.iter();
        let calls = calls.map(|call| WireCall {
            id: &call.id,
            kind: FunctionKind::Function,
            function: WireCalled {
                name: &call.function.name,
                arguments: call.function.arguments(),
            },
        });
        Some(calls.collect())
    }

    pub(super) fn to_wire(&self) -> Result<WireTurn<'_>, Refusal> {
        Ok(WireTurn {
            role: known_role(&self.role)?,
            content: &self.content,
            name: self.name.as_deref(),
            reasoning_content: self.reasoning_content.as_deref(),
            tool_calls: self.calls(),
            tool_call_id: self.tool_call_id.as_deref(),
        })
    }

    /// Its text alone.
    pub(super) fn into_message(self) -> ChatMessage {
        ChatMessage::new(self.role, self.content.text())
    }
}

/// A message whose role is known.
pub(super) fn checked(mut message: ChatMessage) -> Result<ChatMessage, Refusal> {
    message.role = known_role(&message.role)?.to_owned();
    Ok(message)
}

/// A role by its usual name.
fn known_role(role: &str) -> Result<&str, Refusal> {
    match role {
        "system" | "user" | "assistant" | "tool" => Ok(role),
        // OpenAI's newer name
        "developer" => Ok("system"),
        _ => {
            let known = "must be system, developer, user, assistant or tool";
            Err(bad("messages", &format!("a message's role {known}")))
        }
    }
}

impl Called {
    fn arguments(&self) -> String {
        let Some(raw) = &self.arguments else {
            return "{}".to_owned();
        };
        serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned())
    }
}
