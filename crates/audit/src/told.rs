//! What an answer's body says: read back from OpenAI's JSON, whole or streamed.

use crate::asked::Shape;
use atoma_http::client::Events;
use atoma_types::Usage;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an answer says, however it was cut into pieces.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    text: String,
    reasoning: String,
    refusal: String,
    /// Calls of tools, in their order.
    pub calls: Vec<Call>,
    /// One entry for each token, where they were asked for.
    pub logprobs: Vec<Value>,
    /// Ids of its tokens, as servers outside tell them.
    pub token_ids: Vec<u32>,
    /// Why it ended, as OpenAI calls it; none if it breaks off.
    pub finish: Option<String>,
    usage: Option<ToldUsage>,
    /// Of embeddings, as they are written.
    pub vectors: Vec<Value>,
}

/// A call of a tool.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Call {
    id: Option<String>,
    name: Option<String>,
    arguments: String,
}

#[derive(Debug, PartialEq, Deserialize)]
struct ToldUsage {
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

/// A whole answer, or a piece. A field that stands there twice isn't read one way by us and another by others: it is
/// an error.
#[derive(Deserialize)]
struct Piece {
    choices: Vec<Choice>,
    usage: Option<ToldUsage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    message: Option<Part>,
    delta: Option<Part>,
    text: Option<String>,
    logprobs: Option<Value>,
    finish_reason: Option<String>,
    token_ids: Option<Vec<u32>>,
}

#[derive(Deserialize)]
struct Part {
    content: Option<String>,
    reasoning_content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallPart>>,
}

#[derive(Deserialize)]
struct CallPart {
    index: Option<u32>,
    id: Option<String>,
    function: Option<FunctionPart>,
}

#[derive(Deserialize)]
struct FunctionPart {
    name: Option<String>,
    arguments: Option<String>,
}

#[derive(Deserialize)]
struct VectorList {
    data: Vec<VectorEntry>,
    usage: Option<ToldUsage>,
}

#[derive(Deserialize)]
struct VectorEntry {
    index: usize,
    embedding: Value,
}

impl Told {
    /// Reads a body; none if it isn't of the form. An empty one is an answer of which nothing was sent.
    pub(crate) fn read(shape: Shape, body: &[u8]) -> Option<Self> {
        if body.is_empty() {
            return Some(Self::default());
        }
        if let Shape::Vectors { .. } = shape {
            return Self::read_vectors(body);
        }
        let mut told = Self::default();
        let mut calls = BTreeMap::new();
        if !shape.is_stream() {
            told.add(shape, serde_json::from_slice(body).ok()?, &mut calls)?;
            told.finish.as_ref()?;
        } else {
            // read as the client reads it, else it might be shown another answer than the one that is judged; what a
            // client that leaves is cut off in is no event, and the mark after which nobody reads on stands behind the
            // receipt
            let mut events = Events::default();
            events.push(body).ok()?;
            while let Some(data) = events.next() {
                told.add(shape, serde_json::from_slice(&data).ok()?, &mut calls)?;
            }
        }
        told.calls = calls.into_values().collect();
        Some(told)
    }

    fn read_vectors(body: &[u8]) -> Option<Self> {
        let list: VectorList = serde_json::from_slice(body).ok()?;
        let mut places = list.data.iter().map(|entry| entry.index).enumerate();
        places.all(|(place, index)| place == index).then(|| Self {
            vectors: list.data.into_iter().map(|entry| entry.embedding).collect(),
            usage: list.usage,
            ..Self::default()
        })
    }

    /// Adds a piece; none if it isn't one of this form's.
    fn add(&mut self, shape: Shape, piece: Piece, calls: &mut BTreeMap<u32, Call>) -> Option<()> {
        self.usage = piece.usage.or(self.usage.take());
        for choice in piece.choices {
            // one answer was asked for, and nothing follows its end
            if choice.index != 0 || self.finish.is_some() {
                return None;
            }
            let part = match shape {
                Shape::Chat { stream: true } => choice.delta,
                Shape::Chat { stream: false } => choice.message,
                _ => {
                    self.text.push_str(&choice.text?);
                    None
                }
            };
            if let Some(part) = part {
                self.add_part(part, calls);
            }
            if let Some(logprobs) = choice.logprobs.filter(|logprobs| !logprobs.is_null()) {
                self.logprobs.extend(tokens(shape, logprobs)?);
            }
            self.token_ids
                .extend(choice.token_ids.into_iter().flatten());
            self.finish = choice.finish_reason;
        }
        Some(())
    }

    fn add_part(&mut self, part: Part, calls: &mut BTreeMap<u32, Call>) {
        let add =
            |text: &mut String, more: Option<String>| text.push_str(&more.unwrap_or_default());
        add(&mut self.text, part.content);
        add(&mut self.reasoning, part.reasoning_content);
        add(&mut self.refusal, part.refusal);
        for (place, piece) in (0..).zip(part.tool_calls.unwrap_or_default()) {
            let call = calls.entry(piece.index.unwrap_or(place)).or_default();
            call.id = piece.id.or(call.id.take());
            if let Some(function) = piece.function {
                call.name = function.name.or(call.name.take());
                add(&mut call.arguments, function.arguments);
            }
        }
    }

    /// Whether the usage that it tells, if any, is this one.
    pub(crate) fn fits(&self, usage: &Usage) -> bool {
        self.usage.as_ref().is_none_or(|told| {
            let cached = told.prompt_tokens_details.as_ref();
            let cached = cached.and_then(|details| details.cached_tokens);
            told.prompt_tokens == usage.prompt_tokens()
                && told.completion_tokens == usage.output
                && cached.is_none_or(|cached| cached == usage.cached_input)
        })
    }

    /// The log probability of each token; none where one has none.
    pub(crate) fn reported(&self) -> Option<Vec<f32>> {
        let number = |entry: &Value| match entry {
            // a completion's: text, number, alternatives, offset
            Value::Array(parts) => parts.get(1)?.as_f64(),
            entry => entry["logprob"].as_f64(),
        };
        let entries = self.logprobs.iter();
        entries
            .map(|entry| number(entry).map(|n| n as f32))
            .collect()
    }

    /// Whether it says nothing but its text.
    pub(crate) fn is_plain(&self) -> bool {
        self.reasoning.is_empty() && self.refusal.is_empty() && self.calls.is_empty()
    }

    /// The answer's text, without what was thought before.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn words(&self) -> [&str; 3] {
        [&self.text, &self.reasoning, &self.refusal]
    }

    /// Whether the words are the same.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.words() == other.words()
    }

    /// Whether it says what `before` says, and maybe more.
    pub(crate) fn goes_on_text(&self, before: &Self) -> bool {
        let mut pairs = self.words().into_iter().zip(before.words());
        pairs.all(|(words, before)| words.starts_with(before))
    }

    /// Whether it makes the calls of `before`, and maybe more.
    pub(crate) fn goes_on_calls(&self, before: &Self) -> bool {
        self.calls.starts_with(&before.calls)
    }

    /// Whether it has the log probabilities of `before`, and maybe more.
    pub(crate) fn goes_on_logprobs(&self, before: &Self) -> bool {
        self.logprobs.starts_with(&before.logprobs)
    }
}

/// Log probabilities, token by token.
fn tokens(shape: Shape, mut logprobs: Value) -> Option<Vec<Value>> {
    let mut list = |name: &str| match logprobs[name].take() {
        Value::Array(list) => Some(list),
        _ => None,
    };
    if let Shape::Chat { .. } = shape {
        return list("content");
    }
    let lists = ["tokens", "token_logprobs", "top_logprobs", "text_offset"].map(&mut list);
    let [Some(texts), Some(numbers), Some(tops), Some(offsets)] = lists else {
        return None;
    };
    let same = [numbers.len(), tops.len(), offsets.len()];
    if same.iter().any(|length| *length != texts.len()) {
        return None;
    }
    let rest = numbers.into_iter().zip(tops).zip(offsets);
    let rows = texts.into_iter().zip(rest);
    let rows =
        rows.map(|(text, ((number, top), offset))| Value::from(vec![text, number, top, offset]));
    Some(rows.collect())
}

impl Shape {
    /// Whether the answer comes as it grows.
    pub(crate) fn is_stream(self) -> bool {
        matches!(
            self,
            Self::Chat { stream: true } | Self::Completion { stream: true }
        )
    }

    /// Whether vectors are written as base64.
    pub(crate) fn is_base64(self) -> bool {
        matches!(self, Self::Vectors { base64: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHAT: Shape = Shape::Chat { stream: false };
    const STREAM: Shape = Shape::Chat { stream: true };

    fn text(shape: Shape, body: &str) -> Option<String> {
        Told::read(shape, body.as_bytes()).map(|told| told.text)
    }

    #[test]
    fn the_text_is_read_in_all_its_forms() {
        let whole =
            r#"{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
        assert_eq!(text(CHAT, whole).as_deref(), Some("hi"));
        let completion = r#"{"choices":[{"index":0,"text":"hi","finish_reason":"length"}]}"#;
        let shape = Shape::Completion { stream: false };
        assert_eq!(text(shape, completion).as_deref(), Some("hi"));
        let stream = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"h\"}}]}\n\n\
            data: {\"choices\":[{\"delta\":{\"content\":\"i\"},\"finish_reason\":\"stop\"}]}\n\n\
            data: {\"choices\":[],\"usage\":null}\n\n";
        assert_eq!(text(STREAM, stream).as_deref(), Some("hi"));
        // a frame that was cut off is none
        let cut = &stream[..stream.len() - 5];
        assert_eq!(text(STREAM, cut).as_deref(), Some("hi"));
        assert_eq!(text(STREAM, "").as_deref(), Some(""));
    }

    #[test]
    fn what_clients_may_read_in_another_way_is_no_answer() {
        let frame = |inner: &str| format!("data: {{\"choices\":[{inner}]}}\n\n");
        let end = frame(r#"{"delta":{},"finish_reason":"stop"}"#);
        for body in [
            frame(r#"{"delta":{"content":"a","content":"b"}}"#),
            frame(r#"{"index":1,"delta":{"content":"a"}}"#),
            format!("{end}{}", frame(r#"{"delta":{"content":"more"}}"#)),
            // one event of two lines, which a client joins
            format!("data: {{\"choices\":[]}}\n{end}"),
            "data: [DONE]\n\n".to_owned(),
            "data: {\"error\":{\"message\":\"no\"}}\n\n".to_owned(),
        ] {
            assert_eq!(text(STREAM, &body), None, "{body}");
        }
        let two = r#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"},
            {"index":1,"message":{"content":"b"},"finish_reason":"stop"}]}"#;
        assert_eq!(text(CHAT, two), None);
        let endless = r#"{"choices":[{"message":{"content":"a"},"finish_reason":null}]}"#;
        assert_eq!(text(CHAT, endless), None);
    }

    #[test]
    fn calls_are_put_together() {
        let call = |more: &str| {
            format!("data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{more}]}}}}]}}\n\n")
        };
        let body = [
            call(r#"{"index":0,"id":"x","function":{"name":"f","arguments":"{\"a\""}}"#),
            call(r#"{"index":1,"id":"y","function":{"name":"g","arguments":"{}"}}"#),
            call(r#"{"index":0,"function":{"arguments":":1}"}}"#),
        ];
        let told = Told::read(STREAM, body.concat().as_bytes()).unwrap();
        let arguments: Vec<&str> = told.calls.iter().map(|call| &*call.arguments).collect();
        assert_eq!(arguments, ["{\"a\":1}", "{}"]);
        assert_eq!(told.calls[0].name.as_deref(), Some("f"));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200), pieces in
            prop::collection::vec(prop::sample::select(vec!["data: ", "{", "}", "\"choices\":[", "]", "\n\n", "null",
                "{\"index\":0,\"delta\":{\"content\":\"a\"}}", ",", "\"logprobs\":{\"content\":[]}", ":"]), 0..30)) {
            let shapes = [CHAT, STREAM, Shape::Completion { stream: false },
                Shape::Completion { stream: true }, Shape::Vectors { base64: false }];
            for shape in shapes {
                let _ = Told::read(shape, &bytes);
                let _ = Told::read(shape, pieces.concat().as_bytes());
            }
        }
    }
}
