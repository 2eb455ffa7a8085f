//! What a message says: a text, or a list of texts, images and sounds.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};
use std::fmt;

/// A message's content; nothing where it is null or missing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Content(Option<Vec<ContentPart>>);

/// One part of it, as OpenAI calls it.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ContentPart {
    Text { text: String },
    ImageUrl { image_url: Image },
    InputAudio { input_audio: Audio },
}

/// An image within its URL: a node's servers fetch nothing for strangers.
#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct Image {
    url: DataUrl,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "String")]
struct DataUrl(String);

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Detail {
    Auto,
    Low,
    High,
}

#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct Audio {
    /// The sound itself, in base64.
    data: String,
    format: AudioFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum AudioFormat {
    Wav,
    Mp3,
    Flac,
}

impl TryFrom<String> for DataUrl {
    type Error = &'static str;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        if url.starts_with("data:image/") {
            Ok(Self(url))
        } else {
            Err("images must be in `data:image/…` URLs")
        }
    }
}

impl Content {
    /// Images and sounds in it.
    pub(super) fn media(&self) -> usize {
        let parts = self.0.iter().flatten();
        parts
            .filter(|part| !matches!(part, ContentPart::Text { .. }))
            .count()
    }

    /// The texts, a line each.
    pub(super) fn text(&self) -> String {
        let parts = self.0.iter().flatten();
        let texts = parts.filter_map(|part| match part {
            ContentPart::Text { text } => Some(text.as_str()),
            ContentPart::ImageUrl { .. } | ContentPart::InputAudio { .. } => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }
}

/// A text if there is nothing else in it: what is counted is what is sent.
impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            None => serializer.serialize_none(),
            Some(parts) if self.media() > 0 => parts.serialize(serializer),
            Some(_) => serializer.serialize_str(&self.text()),
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of parts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Content, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Content, E> {
        Ok(Content(Some(vec![ContentPart::Text { text }])))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Content, E> {
        Ok(Content::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = list.next_element()? {
            parts.push(part);
        }
        Ok(Content(Some(parts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Content, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn texts_become_one_and_media_keep_their_places() {
        let written = |json: &str| serde_json::to_string(&read(json).unwrap()).unwrap();
        assert_eq!(written(r#""a""#), r#""a""#);
        assert_eq!(written("null"), "null");
        let texts = r#"[{"type":"text","text":"a","cache_control":{}},{"type":"text","text":"b"}]"#;
        assert_eq!(written(texts), r#""a\nb""#);
        let image = r#"[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]"#;
        assert_eq!(written(image), image);
        let sound = r#"[{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]"#;
        assert_eq!(
            (written(sound), read(sound).unwrap().media()),
            (sound.to_owned(), 1)
        );
    }

    #[test]
    fn nothing_is_fetched_for_strangers() {
        for url in [
            "http://10.0.0.1/x.png",
            "file:///etc/passwd",
            "data:text/html,x",
        ] {
            let part = format!(r#"[{{"type":"image_url","image_url":{{"url":"{url}"}}}}]"#);
            assert!(read(&part).is_err(), "{url}");
        }
        assert!(read(r#"[{"type":"video_url","video_url":{"url":"data:video/mp4,x"}}]"#).is_err());
    }
}
