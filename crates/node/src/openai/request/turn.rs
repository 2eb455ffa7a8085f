//! The messages of a chat.

use super::json::bad;
use atoma_engine::ChatMessage;
use atoma_types::refusal::Refusal;
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use serde_json::Value;
use std::fmt;

#[derive(Deserialize)]
pub(super) struct Turn {
    role: String,
    #[serde(default)]
    content: Content,
    name: Option<String>,
    tool_calls: Option<Value>,
    tool_call_id: Option<String>,
}

/// A message's text: a string, a list of text parts, or nothing.
#[derive(Default)]
struct Content(String);

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

impl Turn {
    pub(super) fn into_message(self) -> Result<ChatMessage, Refusal> {
        let role = match self.role.as_str() {
            "system" | "user" | "assistant" | "tool" => self.role,
            // OpenAI's newer name
            "developer" => "system".to_owned(),
            _ => {
                let known = "must be system, developer, user, assistant or tool";
                return Err(bad("messages", &format!("a message's role {known}")));
            }
        };
        Ok(ChatMessage {
            role,
            content: self.content.0,
            name: self.name,
            tool_calls: self.tool_calls,
            tool_call_id: self.tool_call_id,
        })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;
        impl<'de> Visitor<'de> for Parts {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of text parts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content(text.to_owned()))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Content, E> {
                Ok(Content(text))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Content, E> {
                Ok(Content::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut text = String::new();
                while let Some(part) = parts.next_element::<Part>()? {
                    match (part.kind.as_str(), part.text) {
                        ("text", Some(more)) => text.push_str(&more),
                        _ => return Err(de::Error::custom("only text parts are supported")),
                    }
                }
                Ok(Content(text))
            }
        }
        deserializer.deserialize_any(Parts)
    }
}
