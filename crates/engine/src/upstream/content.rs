//! The content of a message: a text, or a list of parts that some servers write instead.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

/// A text, and what was thought before it.
#[derive(Default)]
pub(super) struct Content<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) thought: String,
}

/// One part of a list; other kinds than text and thoughts mean nothing here.
#[derive(Deserialize)]
struct ListPart<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    thinking: Option<Thinking<'a>>,
}

/// A thought: a text, or again a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Thinking<'a> {
    Text(String),
    #[serde(borrow)]
    List(Vec<ThoughtPart<'a>>),
}

#[derive(Deserialize)]
struct ThoughtPart<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parts)
    }
}

struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Content<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of parts")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Content {
            text: Cow::Borrowed(text),
            thought: String::new(),
        })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Content {
            text: Cow::Owned(text.to_owned()),
            thought: String::new(),
        })
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Content::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let mut content = Content::default();
        while let Some(part) = parts.next_element::<ListPart<'de>>()? {
            if let Some(text) = part.text {
                content.text.to_mut().push_str(&text);
            }
            match part.thinking {
                None => {}
                Some(Thinking::Text(text)) => content.thought.push_str(&text),
                Some(Thinking::List(list)) => {
                    let texts = list.into_iter().filter_map(|part| part.text);
                    texts.for_each(|text| content.thought.push_str(&text));
                }
            }
        }
        Ok(content)
    }
}
