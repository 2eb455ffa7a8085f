//! Reads one frame of a stream, or a whole answer: what is known of the many ways to write one.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::value::RawValue;

use super::content::Content;
use crate::{AnswerDelta, Finish, TokenLogprob, ToolCallDelta};

/// One frame of a stream, or a whole answer. Fields that aren't named here are passed over.
#[derive(Deserialize)]
pub(super) struct Frame<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    pub(super) usage: Option<WireUsage>,
    /// llama.cpp's counts, of the one answer that the frame is about.
    pub(super) timings: Option<Timings>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow)]
    object: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: Option<Count>,
    #[serde(borrow)]
    delta: Option<Message<'a>>,
    #[serde(borrow)]
    message: Option<Message<'a>>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    logprobs: Option<&'a RawValue>,
    /// vLLM's, where they are asked for.
    #[serde(borrow)]
    token_ids: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<Content<'a>>,
    /// Thoughts: vLLM's name, and the older one that others have; some write both.
    #[serde(borrow)]
    reasoning: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reasoning_content: Option<Cow<'a, str>>,
    #[serde(borrow)]
    refusal: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    index: Option<Count>,
    id: Option<String>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    name: Option<String>,
    /// JSON as text; some write the JSON itself.
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Logprobs {
    /// As chats have them, and all of llama.cpp's.
    content: Option<Vec<WireLogprob>>,
    /// As completions have them.
    tokens: Option<Vec<String>>,
    token_logprobs: Option<Vec<Option<f32>>>,
    top_logprobs: Option<Vec<Option<serde_json::Map<String, serde_json::Value>>>>,
}

#[derive(Deserialize)]
struct WireLogprob {
    token: String,
    logprob: f32,
    bytes: Option<Vec<u8>>,
    #[serde(default)]
    top_logprobs: Option<Vec<WireLogprob>>,
}

/// Tokens by the server's own account.
#[derive(Deserialize, Clone, Copy, Default)]
pub(super) struct WireUsage {
    #[serde(default)]
    pub(super) prompt_tokens: Option<Count>,
    #[serde(default)]
    pub(super) completion_tokens: Option<Count>,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize, Clone, Copy)]
struct Details {
    cached_tokens: Option<Count>,
}

/// What llama.cpp counts beside `usage`, in every frame.
#[derive(Deserialize, Clone, Copy)]
pub(super) struct Timings {
    /// Prompt tokens from the cache, and others.
    pub(super) cache_n: Option<Count>,
    pub(super) prompt_n: Option<Count>,
    /// Tokens so far.
    pub(super) predicted_n: Option<Count>,
}

/// A number of things. What can't be one is none at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Count(pub(super) u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        // the cast keeps to the range of u32
        Ok(Self(number as u32))
    }
}

impl WireUsage {
    pub(super) fn cached(&self) -> Option<u32> {
        self.prompt_tokens_details?.cached_tokens.map(|n| n.0)
    }
}

/// Why an answer ended, by the server's word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Is(Finish),
    /// The server gave up.
    Broken,
    /// A word that we don't know: the end of the stream will tell.
    Unknown,
}

fn end(word: &str) -> End {
    match word {
        "stop" | "eos" | "eos_token" | "stop_sequence" | "end_turn" => End::Is(Finish::Stop),
        "length" | "max_tokens" => End::Is(Finish::Length),
        "tool_calls" | "function_call" => End::Is(Finish::ToolCalls),
        "content_filter" => End::Is(Finish::ContentFilter),
        "abort" | "error" | "cancelled" => End::Broken,
        _ => End::Unknown,
    }
}

impl<'a> Frame<'a> {
    /// Whether it is an error in place of an answer: `{"error": …}`, or vLLM's older
    /// `{"object": "error", …}`.
    pub(super) fn is_error(&self) -> bool {
        self.error.is_some_and(|error| error.get() != "null")
            || self.object.as_deref() == Some("error")
    }

    /// What it says of each answer, and how that ends.
    pub(super) fn deltas(&self) -> impl Iterator<Item = (AnswerDelta, Option<End>)> + '_ {
        let choices = self.choices.iter().flatten();
        choices.map(Choice::delta)
    }

    /// The answers that it is about.
    pub(super) fn indexes(&self) -> impl Iterator<Item = u32> + '_ {
        let choices = self.choices.iter().flatten();
        choices.map(|choice| choice.index.unwrap_or_default().0)
    }
}

impl<'a> Choice<'a> {
    fn delta(&self) -> (AnswerDelta, Option<End>) {
        let end = self
            .finish_reason
            .as_deref()
            .filter(|word| !word.is_empty())
            .map(end);
        let said = self.delta.as_ref().or(self.message.as_ref());
        let content = said.and_then(|m| m.content.as_ref());
        let text = self.text.as_deref().or(content.map(|c| &*c.text));
        let thought = content
            .map(|c| c.thought.as_str())
            .filter(|t| !t.is_empty());
        let reasoning = said.and_then(|m| m.reasoning_content.as_ref().or(m.reasoning.as_ref()));
        let reasoning = reasoning.map(|r| &**r).or(thought);
        let calls = said
            .and_then(|m| m.tool_calls.as_ref())
            .into_iter()
            .flatten();
        let logprobs: Option<Logprobs> = self
            .logprobs
            .and_then(|raw| serde_json::from_str(raw.get()).ok());
        let delta = AnswerDelta {
            index: self.index.unwrap_or_default().0,
            text: text.unwrap_or_default().to_owned(),
            reasoning: reasoning.unwrap_or_default().to_owned(),
            refusal: said
                .and_then(|m| m.refusal.as_deref())
                .unwrap_or_default()
                .to_owned(),
            tool_calls: calls
                .enumerate()
                .map(|(at, call)| call.delta(at as u32))
                .collect(),
            logprobs: logprobs.unwrap_or_default().into_list(),
            token_ids: self
                .token_ids
                .and_then(|raw| serde_json::from_str(raw.get()).ok())
                .unwrap_or_default(),
            finish: match end {
                Some(End::Is(finish)) => Some(finish),
                Some(End::Broken | End::Unknown) | None => None,
            },
        };
        (delta, end)
    }
}

impl ToolCall<'_> {
    fn delta(&self, at: u32) -> ToolCallDelta {
        let function = self.function.as_ref();
        let arguments = function.and_then(|f| f.arguments).map(|raw| {
            let text = raw.get();
            serde_json::from_str::<Option<String>>(text)
                .map_or_else(|_| text.to_owned(), Option::unwrap_or_default)
        });
        ToolCallDelta {
            index: self.index.map_or(at, |index| index.0),
            id: self.id.clone().filter(|id| !id.is_empty()),
            name: function
                .and_then(|f| f.name.clone())
                .filter(|name| !name.is_empty()),
            arguments: arguments.unwrap_or_default(),
        }
    }
}

impl Logprobs {
    fn into_list(self) -> Vec<TokenLogprob> {
        if let Some(content) = self.content {
            return content.into_iter().map(WireLogprob::into_logprob).collect();
        }
        let (tokens, logprobs) = (self.tokens.unwrap_or_default(), self.token_logprobs);
        let mut tops = self.top_logprobs.unwrap_or_default().into_iter();
        let logprobs = logprobs.unwrap_or_default();
        let both = tokens.into_iter().zip(logprobs);
        let list = both.map(|(token, logprob)| {
            let top = tops.next().flatten().unwrap_or_default().into_iter();
            let mut top: Vec<_> = top
                .filter_map(|(token, logprob)| Some(plain(token, logprob.as_f64()? as f32)))
                .collect();
            top.sort_by(|a, b| b.logprob.total_cmp(&a.logprob));
            TokenLogprob {
                top,
                ..plain(token, logprob.unwrap_or(0.0))
            }
        });
        list.collect()
    }
}

fn plain(token: String, logprob: f32) -> TokenLogprob {
    TokenLogprob {
        token,
        logprob,
        bytes: None,
        offset: None,
        top: Vec::new(),
    }
}

impl WireLogprob {
    fn into_logprob(self) -> TokenLogprob {
        let top = self.top_logprobs.unwrap_or_default().into_iter();
        TokenLogprob {
            token: self.token,
            logprob: self.logprob,
            bytes: self.bytes,
            offset: None,
            top: top.map(Self::into_logprob).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(choice: &str) -> (AnswerDelta, Option<End>) {
        let frame = format!(r#"{{"choices":[{choice}]}}"#);
        let frame: Frame<'_> = serde_json::from_str(&frame).unwrap();
        frame.deltas().next().unwrap()
    }

    #[test]
    fn every_way_to_say_something_is_read() {
        let said = |choice: &str| {
            let (delta, _) = delta(choice);
            (delta.text, delta.reasoning)
        };
        let pair = |text: &str, thought: &str| (text.to_owned(), thought.to_owned());
        for (choice, expected) in [
            (r#"{"delta":{"content":"\u00e4"}}"#, pair("ä", "")),
            (
                r#"{"delta":{"role":"assistant","content":null}}"#,
                pair("", ""),
            ),
            (
                r#"{"text":"x","index":0,"logprobs":null,"finish_reason":null}"#,
                pair("x", ""),
            ),
            (r#"{"message":{"content":"x"}}"#, pair("x", "")),
            (r#"{"delta":{"reasoning":"t"}}"#, pair("", "t")),
            (
                r#"{"delta":{"reasoning":"t","reasoning_content":"t"}}"#,
                pair("", "t"),
            ),
            (
                r#"{"delta":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}"#,
                pair("ab", ""),
            ),
            (
                r#"{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]}]}}"#,
                pair("", "t"),
            ),
            (r#"{"delta":null}"#, pair("", "")),
            (r#"{"index":null,"delta":{}}"#, pair("", "")),
        ] {
            assert_eq!(said(choice), expected, "{choice}");
        }
    }

    #[test]
    fn calls_of_tools_come_in_pieces_and_an_empty_list_is_none() {
        let (said, _) = delta(
            r#"{"delta":{"tool_calls":[{"index":1,"id":"c","type":"function",
                "function":{"name":"f","arguments":"{\"a\""}},{"function":{"arguments":{"a":1}}}]}}"#,
        );
        let [first, second] = &said.tool_calls[..] else {
            panic!("two calls")
        };
        assert_eq!((first.index, first.id.as_deref()), (1, Some("c")));
        assert_eq!(first.arguments, r#"{"a""#);
        assert_eq!((second.index, &*second.arguments), (1, r#"{"a":1}"#));
        assert!(said.says_something());
        for nothing in [
            r#"{"delta":{"tool_calls":[]}}"#,
            r#"{"delta":{"tool_calls":null}}"#,
        ] {
            assert!(!delta(nothing).0.says_something());
        }
    }

    #[test]
    fn ends_are_known_broken_or_not_known() {
        for (word, expected) in [
            ("stop", End::Is(Finish::Stop)),
            ("length", End::Is(Finish::Length)),
            ("tool_calls", End::Is(Finish::ToolCalls)),
            ("abort", End::Broken),
            ("because", End::Unknown),
        ] {
            let (delta, end) = delta(&format!(r#"{{"delta":{{}},"finish_reason":"{word}"}}"#));
            assert_eq!(end, Some(expected));
            assert_eq!(delta.finish.is_some(), matches!(expected, End::Is(_)));
        }
        assert_eq!(delta(r#"{"delta":{},"finish_reason":""}"#).1, None);
    }

    #[test]
    fn errors_in_place_of_answers_are_seen() {
        let is_error = |text| serde_json::from_str::<Frame<'_>>(text).unwrap().is_error();
        assert!(is_error(r#"{"error":{"message":"x"}}"#));
        assert!(is_error(r#"{"error":"x"}"#));
        assert!(is_error(r#"{"object":"error","message":"x","code":400}"#));
        assert!(!is_error(r#"{"error":null,"choices":null}"#));
    }

    #[test]
    fn ids_of_tokens_are_read_and_what_are_none_is_passed_over() {
        let ids = |choice: &str| delta(choice).0.token_ids;
        let chat = r#"{"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":null,"token_ids":[7,9]}"#;
        assert_eq!(ids(chat), [7, 9]);
        for none in ["null", "[]", "[-1]", r#""7""#, r#"["token_id:7"]"#] {
            let choice = format!(r#"{{"text":"a","token_ids":{none}}}"#);
            assert_eq!(ids(&choice), [0u32; 0], "{none}");
        }
    }

    #[test]
    fn log_probabilities_of_both_forms_become_one() {
        let (said, _) = delta(
            r#"{"text":"ab","logprobs":{"tokens":["a","b"],"token_logprobs":[-0.5,null],
                "top_logprobs":[{"a":-0.5,"x":-0.1},null],"text_offset":[0,1]}}"#,
        );
        assert_eq!(said.logprobs.len(), 2);
        assert_eq!(said.logprobs[0].top[0].token, "x");
        let (said, _) = delta(
            r#"{"text":"a","logprobs":{"content":[{"id":7,"token":"a","bytes":[97],"logprob":-0.5,
                "top_logprobs":[{"id":7,"token":"a","logprob":-0.5}]}]}}"#,
        );
        assert_eq!(said.logprobs[0].bytes.as_deref(), Some(&b"a"[..]));
        assert_eq!(said.logprobs[0].top[0].logprob, -0.5);
    }
}
