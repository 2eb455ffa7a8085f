//! Reading request bodies: the fields that matter, checked; unknown ones are passed over, as
//! OpenAI's servers do.

use atoma_engine::{ChatMessage, Prompt};
use atoma_types::refusal::{Refusal, RefusalCode};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use serde_json::Value;
use std::fmt;

/// OpenAI's limit on inputs of one embedding request.
const MAX_EMBEDDING_INPUTS: usize = 2_048;
/// More stop strings than anyone needs; each is searched for at every token.
const MAX_STOPS: usize = 16;
/// OpenAI's limit on alternatives per token.
const MAX_TOP_LOGPROBS: u8 = 20;

/// A request for text.
#[derive(Debug)]
pub(crate) struct Generation {
    pub model: String,
    pub prompt: Prompt,
    /// The limit the user named.
    pub max_tokens: Option<u32>,
    pub temperature: f32,
    pub top_p: f32,
    pub top_k: u32,
    pub min_p: f32,
    pub frequency_penalty: f32,
    pub presence_penalty: f32,
    pub seed: Option<u64>,
    pub stop: Vec<String>,
    pub logprobs: Option<u8>,
    pub stream: bool,
    pub include_usage: bool,
    /// A field that only some upstream engines understand.
    pub upstream_only: Option<&'static str>,
}

/// A request for vectors.
#[derive(Debug)]
pub(crate) struct Embedding {
    pub model: String,
    pub inputs: Vec<Prompt>,
    /// Answer in base64 instead of numbers.
    pub base64: bool,
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

/// Reads a body of `/v1/completions`.
pub(crate) fn completion(body: &[u8]) -> Result<Generation, Refusal> {
    let CompletionBody {
        prompt,
        logprobs,
        echo,
        suffix,
        best_of,
        rest,
    } = parse(body)?;
    let one_prompt = || bad("prompt", "one prompt per request is supported");
    let prompt = match prompt {
        Texts::One(text) => Prompt::Text(text),
        Texts::Tokens(tokens) => Prompt::Tokens(tokens),
        Texts::Many(texts) => Prompt::Text(only(texts).ok_or_else(one_prompt)?),
        Texts::TokenLists(lists) => Prompt::Tokens(only(lists).ok_or_else(one_prompt)?),
    };
    if echo == Some(true) {
        return Err(bad("echo", "the prompt cannot be echoed"));
    }
    if suffix.is_some_and(|suffix| !suffix.is_empty()) {
        return Err(bad("suffix", "insertion is not supported"));
    }
    if best_of.is_some_and(|n| n > 1) {
        return Err(bad("best_of", "only 1 is supported"));
    }
    if logprobs.is_some_and(|n| n > MAX_TOP_LOGPROBS) {
        return Err(bad("logprobs", "at most 20"));
    }
    rest.generation(prompt, None, logprobs)
}

/// Reads a body of `/v1/embeddings`.
pub(crate) fn embedding(body: &[u8]) -> Result<Embedding, Refusal> {
    let EmbeddingBody {
        model,
        input,
        encoding_format,
        dimensions,
    } = parse(body)?;
    let inputs: Vec<Prompt> = match input {
        Texts::One(text) => vec![Prompt::Text(text)],
        Texts::Tokens(tokens) => vec![Prompt::Tokens(tokens)],
        Texts::Many(texts) => texts.into_iter().map(Prompt::Text).collect(),
        Texts::TokenLists(lists) => lists.into_iter().map(Prompt::Tokens).collect(),
    };
    let empty = |prompt: &Prompt| match prompt {
        Prompt::Text(text) => text.is_empty(),
        Prompt::Tokens(tokens) => tokens.is_empty(),
        Prompt::Chat { .. } => false,
    };
    if inputs.is_empty() || inputs.iter().any(empty) {
        return Err(bad("input", "an input must not be empty"));
    }
    if inputs.len() > MAX_EMBEDDING_INPUTS {
        let message = format!("at most {MAX_EMBEDDING_INPUTS} inputs");
        return Err(bad("input", &message).needed(MAX_EMBEDDING_INPUTS as u64));
    }
    if dimensions.is_some() {
        return Err(bad("dimensions", "vectors cannot be shortened"));
    }
    let base64 = match encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => return Err(bad("encoding_format", "must be `float` or `base64`")),
    };
    Ok(Embedding {
        model,
        inputs,
        base64,
    })
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        let message = error.to_string();
        let refusal = Refusal::new(
            RefusalCode::InvalidBody,
            format!("invalid JSON body: {message}"),
        );
        match message
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'))
        {
            Some((field, _)) => refusal.param(field),
            None => refusal,
        }
    })
}

fn bad(param: &str, message: &str) -> Refusal {
    Refusal::new(RefusalCode::InvalidBody, format!("`{param}`: {message}")).param(param)
}

fn only<T>(items: Vec<T>) -> Option<T> {
    let mut items = items.into_iter();
    items.next().filter(|_| items.len() == 0)
}

// === what the bodies look like ===

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

#[derive(Deserialize)]
struct CompletionBody {
    prompt: Texts,
    logprobs: Option<u8>,
    echo: Option<bool>,
    suffix: Option<String>,
    best_of: Option<u32>,
    #[serde(flatten)]
    rest: Common,
}

#[derive(Deserialize)]
struct EmbeddingBody {
    model: String,
    input: Texts,
    encoding_format: Option<String>,
    dimensions: Option<u32>,
}

/// Fields of both kinds of generation.
#[derive(Deserialize)]
struct Common {
    model: String,
    max_tokens: Option<u32>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<i64>,
    min_p: Option<f32>,
    frequency_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    n: Option<u32>,
    seed: Option<i64>,
    stop: Option<Stop>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    response_format: Option<ResponseFormat>,
    logit_bias: Option<serde_json::Map<String, Value>>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

#[derive(Deserialize)]
struct ResponseFormat {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
    Tokens(Vec<u32>),
    TokenLists(Vec<Vec<u32>>),
}

#[derive(Deserialize)]
struct Turn {
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

impl Common {
    fn generation(
        self,
        prompt: Prompt,
        max_completion_tokens: Option<u32>,
        logprobs: Option<u8>,
    ) -> Result<Generation, Refusal> {
        if self.n.is_some_and(|n| n != 1) {
            return Err(bad("n", "only 1 is supported; send several requests"));
        }
        let max_tokens = max_completion_tokens.or(self.max_tokens);
        if max_tokens == Some(0) {
            return Err(bad("max_tokens", "must be at least 1"));
        }
        let stop = match self.stop {
            None => Vec::new(),
            Some(Stop::One(text)) => vec![text],
            Some(Stop::Many(texts)) => texts,
        };
        if stop.len() > MAX_STOPS || stop.iter().any(String::is_empty) {
            return Err(bad("stop", "at most 16 strings, none empty"));
        }
        let upstream_only = if self
            .response_format
            .is_some_and(|format| format.kind != "text")
        {
            Some("response_format")
        } else if self.logit_bias.is_some_and(|bias| !bias.is_empty()) {
            Some("logit_bias")
        } else {
            None
        };
        let stream = self.stream.unwrap_or(false);
        let include_usage = self
            .stream_options
            .and_then(|options| options.include_usage);
        Ok(Generation {
            prompt,
            max_tokens,
            temperature: within("temperature", self.temperature, 1.0, 0.0..=2.0)?,
            top_p: within("top_p", self.top_p, 1.0, f32::MIN_POSITIVE..=1.0)?,
            top_k: self
                .top_k
                .map_or(0, |k| u32::try_from(k.max(0)).unwrap_or(u32::MAX)),
            min_p: within("min_p", self.min_p, 0.0, 0.0..=1.0)?,
            frequency_penalty: within(
                "frequency_penalty",
                self.frequency_penalty,
                0.0,
                -2.0..=2.0,
            )?,
            presence_penalty: within("presence_penalty", self.presence_penalty, 0.0, -2.0..=2.0)?,
            seed: self.seed.map(i64::cast_unsigned),
            stop,
            logprobs,
            stream,
            include_usage: stream && include_usage.unwrap_or(false),
            upstream_only,
            model: self.model,
        })
    }
}

fn within(
    param: &str,
    value: Option<f32>,
    default: f32,
    range: std::ops::RangeInclusive<f32>,
) -> Result<f32, Refusal> {
    let value = value.unwrap_or(default);
    if range.contains(&value) {
        return Ok(value);
    }
    let message = format!("must lie between {} and {}", range.start(), range.end());
    Err(bad(param, &message))
}

impl Turn {
    fn into_message(self) -> Result<ChatMessage, Refusal> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_chat_with_everything() {
        let body = br#"{"model":"m","messages":[
            {"role":"developer","content":"be brief"},
            {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
            {"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}],
            "max_tokens":5,"max_completion_tokens":7,"temperature":0,"top_k":-1,"stop":"x",
            "stream":true,"stream_options":{"include_usage":true},"logprobs":true,
            "top_logprobs":2,"seed":-1,"unknown":{"deep":[1]}}"#;
        let parsed = chat(body).unwrap();
        let Prompt::Chat { messages, .. } = parsed.prompt else {
            panic!("a chat")
        };
        assert_eq!(messages[0], ChatMessage::new("system", "be brief"));
        assert_eq!(messages[1].content, "ab");
        assert_eq!(messages[2].content, "");
        assert_eq!(
            (parsed.max_tokens, parsed.logprobs, parsed.top_k),
            (Some(7), Some(2), 0)
        );
        assert!(parsed.stream && parsed.include_usage);
        assert_eq!(
            (parsed.seed, parsed.stop),
            (Some(u64::MAX), vec!["x".to_owned()])
        );
    }

    #[test]
    fn faults_name_their_field() {
        let chat_with = |more: &str| {
            let message = r#"{"role":"user","content":"hi"}"#;
            chat(format!(r#"{{"model":"m","messages":[{message}]{more}}}"#).as_bytes())
        };
        assert!(chat_with("").is_ok());
        let param = |result: Result<Generation, Refusal>| result.unwrap_err().param;
        for (more, field) in [
            (r#","n":2"#, "n"),
            (r#","temperature":2.5"#, "temperature"),
            (r#","top_p":0"#, "top_p"),
            (r#","max_tokens":0"#, "max_tokens"),
            (r#","top_logprobs":21"#, "top_logprobs"),
            (r#","stop":["a",""]"#, "stop"),
        ] {
            assert_eq!(param(chat_with(more)).as_deref(), Some(field));
        }
        assert_eq!(
            param(chat(br#"{"model":"m"}"#)).as_deref(),
            Some("messages")
        );
        assert_eq!(
            param(chat(br#"{"model":"m","messages":[]}"#)).as_deref(),
            Some("messages")
        );
        let odd = br#"{"model":"m","messages":[{"role":"king","content":"hi"}]}"#;
        assert_eq!(param(chat(odd)).as_deref(), Some("messages"));
        let image =
            br#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#;
        assert_eq!(chat(image).unwrap_err().code, RefusalCode::InvalidBody);
        let format = chat_with(r#","response_format":{"type":"json_object"}"#).unwrap();
        assert_eq!(format.upstream_only, Some("response_format"));
    }

    #[test]
    fn completions_and_embeddings() {
        let prompt = |body: &str| completion(body.as_bytes()).map(|parsed| parsed.prompt);
        let text = Prompt::Text("hi".to_owned());
        assert_eq!(prompt(r#"{"model":"m","prompt":"hi"}"#), Ok(text.clone()));
        assert_eq!(prompt(r#"{"model":"m","prompt":["hi"]}"#), Ok(text));
        let tokens = Prompt::Tokens(vec![1, 2]);
        assert_eq!(
            prompt(r#"{"model":"m","prompt":[1,2]}"#),
            Ok(tokens.clone())
        );
        assert_eq!(prompt(r#"{"model":"m","prompt":[[1,2]]}"#), Ok(tokens));
        assert!(prompt(r#"{"model":"m","prompt":["a","b"]}"#).is_err());
        assert!(prompt(r#"{"model":"m","prompt":"a","echo":true}"#).is_err());
        let two = br#"{"model":"m","input":["a","b"],"encoding_format":"base64"}"#;
        let parsed = embedding(two).unwrap();
        assert_eq!((parsed.inputs.len(), parsed.base64), (2, true));
        assert!(embedding(br#"{"model":"m","input":""}"#).is_err());
        assert!(embedding(br#"{"model":"m","input":[]}"#).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (chat(&body), completion(&body), embedding(&body));
        }
    }
}
