//! Conversations as clients send them: nothing in them is reordered or dropped, as templates show
//! what they get.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// What a model's own chat template turns into a prompt.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conversation {
    /// The turns so far.
    pub messages: Vec<ChatMessage>,
    /// OpenAI tool definitions, a list.
    pub tools: Option<RawJson>,
    /// More variables for the template, an object: `chat_template_kwargs`.
    pub variables: Option<RawJson>,
    /// What a template takes for now, in seconds since 1970: the time that the request was signed
    /// at, so that whoever checks the answer renders the same prompt.
    pub time: u64,
}

/// One turn of a conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatMessage {
    /// `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// The text; text parts are joined by the caller. None where there is none, or null.
    pub content: Option<String>,
    /// Everything else as it was sent and in that order (`tool_calls`, `reasoning_content`, …); a
    /// `content` that is null, too.
    pub others: Vec<(String, RawJson)>,
}

/// JSON as its text, the order of its keys kept.
#[derive(Clone)]
pub struct RawJson(Box<RawValue>);

impl Conversation {
    /// Turns and nothing else.
    pub fn new(messages: Vec<ChatMessage>) -> Self {
        Self {
            messages,
            ..Self::default()
        }
    }
}

impl ChatMessage {
    /// A turn with a role and a text.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            content: Some(content.into()),
            others: Vec::new(),
        }
    }

    /// The text; empty if there is none.
    pub fn text(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }

    /// One of the other fields.
    pub fn other(&self, name: &str) -> Option<&RawJson> {
        let found = self.others.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value)
    }
}

impl RawJson {
    /// From a value; its keys are in the order of that.
    ///
    /// # Errors
    /// If the value isn't one of JSON, such as a map whose keys are no texts.
    pub fn new(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The value as JSON text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        self.text() == "null"
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl fmt::Debug for RawJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Serialize for RawJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::deserialize(deserializer).map(Self)
    }
}

impl Serialize for ChatMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("role", &self.role)?;
        if let Some(content) = &self.content {
            map.serialize_entry("content", content)?;
        }
        for (name, value) in &self.others {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for ChatMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = ChatMessage;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ChatMessage, A::Error> {
                let mut message = ChatMessage::default();
                let mut role = None;
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "role" => role = Some(map.next_value()?),
                        "content" => {
                            let content: RawJson = map.next_value()?;
                            if content.is_null() {
                                message.others.push((name, content));
                            } else {
                                let text: Content = serde_json::from_str(content.text())
                                    .map_err(de::Error::custom)?;
                                message.content = Some(text.joined().map_err(de::Error::custom)?);
                            }
                        }
                        _ => message.others.push((name, map.next_value()?)),
                    }
                }
                message.role = role.ok_or_else(|| de::Error::missing_field("role"))?;
                Ok(message)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A message's text: a string or a list of text parts.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "content must be a string or a list of text parts"
)]
enum Content {
    One(String),
    Parts(Vec<TextPart>),
}

#[derive(Deserialize)]
struct TextPart {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

impl Content {
    /// Parts become lines, as other servers have it.
    fn joined(self) -> Result<String, &'static str> {
        match self {
            Self::One(text) => Ok(text),
            Self::Parts(parts) => {
                let texts = parts.into_iter().map(|part| match part.kind.as_str() {
                    "text" => part.text.ok_or("a text part has no text"),
                    _ => Err("only text parts are supported"),
                });
                Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<ChatMessage, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn everything_a_client_sent_is_kept_in_its_order() {
        let text = r#"{"role":"assistant","reasoning_content":"hm","tool_calls":[{"z":1,"a":2}],"content":null}"#;
        let message = read(text).unwrap();
        assert_eq!(message.content, None);
        assert_eq!(
            message.other("tool_calls").unwrap().text(),
            r#"[{"z":1,"a":2}]"#
        );
        assert!(message.other("content").unwrap().is_null());
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
        let silent = read(r#"{"role":"assistant"}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&silent).unwrap(),
            r#"{"role":"assistant"}"#
        );
    }

    #[test]
    fn text_parts_become_lines() {
        let parts = r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#;
        let message = read(&format!(r#"{{"role":"user","content":{parts}}}"#)).unwrap();
        assert_eq!(message.text(), "a\nb");
        let image = r#"{"role":"user","content":[{"type":"image_url"}]}"#;
        assert!(read(image).unwrap_err().to_string().contains("text parts"));
        assert!(
            read(r#"{"content":"x"}"#)
                .unwrap_err()
                .to_string()
                .contains("role")
        );
    }
}
