//! Calls of tools in a model's answer.
//!
//! Models write them as text, in one of a few ways that their template shows. What is a call by the
//! model's own way is taken out of the text; what only looks like one stays.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{RawJson, ToolCallDelta};

const OPEN: &str = "<tool_call>";
const CLOSE: &str = "</tool_call>";

/// How a model writes calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// Each in tags: `<tool_call>{"name": …, "arguments": {…}}</tool_call>` (Hermes, Qwen).
    Tags,
    /// The whole answer is a call, `{"name": …, "parameters": {…}}` (Llama 3), or a list of calls with
    /// `arguments` (Mistral, whose mark before it is no text).
    Bare,
}

/// A call as a model writes it.
#[derive(Deserialize)]
struct Call {
    name: String,
    #[serde(alias = "parameters")]
    arguments: RawJson,
}

/// What came out of a piece of text.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Sorted {
    pub(crate) text: String,
    pub(crate) calls: Vec<ToolCallDelta>,
}

/// Takes calls out of an answer as it grows.
#[derive(Debug)]
pub(crate) struct ToolCalls {
    syntax: Syntax,
    /// What may yet turn out to be a call.
    held: String,
    /// Whether text was let through: in tags, since the last call.
    spoken: bool,
    seed: u64,
    found: u32,
}

impl Syntax {
    /// As the text of a chat template shows it; none if it shows no way that is known.
    pub(crate) fn of(template: &str) -> Option<Self> {
        let has = |text: &str| template.contains(text);
        if has(OPEN) {
            // Others write XML within the tags.
            (!has("<function=") && !has("<arg_key>")).then_some(Self::Tags)
        } else if has("[TOOL_CALLS]") || (has("ipython") && has("\"parameters\"")) {
            Some(Self::Bare)
        } else {
            None
        }
    }

    /// A grammar of one call of one of `tools`, in Lark with JSON schemas, its JSON written in this
    /// style; none if there is no such tool.
    pub(crate) fn grammar(
        self,
        tools: &RawJson,
        named: Option<&str>,
        style: &Value,
    ) -> Option<String> {
        let tools: Vec<Value> = serde_json::from_str(tools.text()).ok()?;
        let functions = tools.iter().map(|tool| &tool["function"]);
        let wanted = functions.filter(|function| named.is_none_or(|name| function["name"] == name));
        let key = match self {
            Self::Tags => "arguments",
            Self::Bare => "parameters",
        };
        let calls: Vec<Value> = wanted
            .map(|function| {
                let arguments = match &function["parameters"] {
                    Value::Null => json!({ "type": "object" }),
                    parameters => parameters.clone(),
                };
                json!({
                    "type": "object",
                    "properties": { "name": { "const": function["name"] }, key: arguments },
                    "required": ["name", key],
                    "additionalProperties": false,
                })
            })
            .collect();
        if calls.is_empty() {
            return None;
        }
        let call = json!({ "anyOf": calls, "x-guidance": style });
        Some(match self {
            Self::Tags => format!("start: \"{OPEN}\\n\" call \"\\n{CLOSE}\"\ncall: %json {call}\n"),
            Self::Bare => format!("start: call\ncall: %json {call}\n"),
        })
    }
}

impl ToolCalls {
    /// `seed` names the calls, so that whoever checks the answer finds the same names.
    pub(crate) fn new(syntax: Syntax, seed: u64) -> Self {
        Self {
            syntax,
            held: String::new(),
            spoken: false,
            seed,
            found: 0,
        }
    }

    /// Whether there was a call.
    pub(crate) fn any(&self) -> bool {
        self.found > 0
    }

    /// Adds text; says what is certain now.
    pub(crate) fn push(&mut self, text: &str) -> Sorted {
        self.held.push_str(text);
        match self.syntax {
            Syntax::Tags => self.tagged(),
            Syntax::Bare => {
                let begin = self.held.trim_start();
                let may_be = begin.is_empty() || begin.starts_with(['{', '[']);
                match may_be && !self.spoken {
                    true => Sorted::default(),
                    false => self.speak(),
                }
            }
        }
    }

    /// What was held back, at the answer's end.
    pub(crate) fn finish(&mut self) -> Sorted {
        let calls = match self.syntax {
            Syntax::Tags if self.any() && self.held.trim().is_empty() => Some(Vec::new()),
            Syntax::Tags => None,
            Syntax::Bare => {
                let whole = self.held.trim().to_owned();
                self.read(&whole)
            }
        };
        match calls {
            Some(calls) => {
                self.held.clear();
                let text = String::new();
                Sorted { text, calls }
            }
            None => self.speak(),
        }
    }

    fn speak(&mut self) -> Sorted {
        let text = std::mem::take(&mut self.held);
        self.spoken |= !text.trim().is_empty();
        let calls = Vec::new();
        Sorted { text, calls }
    }

    fn tagged(&mut self) -> Sorted {
        let mut sorted = Sorted::default();
        while let Some(open) = self.held.find(OPEN) {
            let inner = open + OPEN.len();
            let Some(length) = self.held[inner..].find(CLOSE) else {
                break;
            };
            let block = inner + length + CLOSE.len();
            let call = self.held[inner..inner + length].trim().to_owned();
            let found = self.read(&call);
            let end = if found.is_some() { open } else { block };
            let rest = self.held.split_off(block);
            self.held.truncate(end);
            let before = std::mem::replace(&mut self.held, rest);
            // Before and between calls, models write ends of lines.
            if self.spoken || !before.trim().is_empty() {
                sorted.text.push_str(&before);
            }
            self.spoken = found.is_none();
            sorted.calls.extend(found.unwrap_or_default());
        }
        let certain = match self.held.find(OPEN) {
            Some(open) => open,
            None => self.held.len() - beginning(&self.held, OPEN),
        };
        // What these mean shows when something follows.
        if !self.spoken && self.held[..certain].trim().is_empty() {
            return sorted;
        }
        let rest = self.held.split_off(certain);
        sorted
            .text
            .push_str(&std::mem::replace(&mut self.held, rest));
        self.spoken = true;
        sorted
    }

    /// One call, or several in a list.
    fn read(&mut self, text: &str) -> Option<Vec<ToolCallDelta>> {
        let calls: Vec<Call> = match text.starts_with('[') {
            true => serde_json::from_str(text).ok()?,
            false => vec![serde_json::from_str(text).ok()?],
        };
        let object = |call: &Call| call.arguments.text().starts_with('{');
        if calls.is_empty() || !calls.iter().all(object) {
            return None;
        }
        let parts = calls.into_iter().map(|call| {
            let index = self.found;
            self.found += 1;
            ToolCallDelta {
                index,
                id: Some(self.id(index)),
                name: Some(call.name),
                arguments: call.arguments.text().to_owned(),
            }
        });
        Some(parts.collect())
    }

    /// Nine letters and digits, as some templates insist on.
    fn id(&self, index: u32) -> String {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = (self.seed ^ u64::from(index)).wrapping_mul(ODD);
        format!("{:09x}", mixed >> 28)
    }
}

/// Length of the longest end of `text` with which `tag` begins.
fn beginning(text: &str, tag: &str) -> usize {
    let lengths = (1..tag.len()).rev();
    lengths
        .into_iter()
        .find(|length| text.ends_with(&tag[..*length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Feeds an answer piece by piece.
    fn feed(syntax: Syntax, pieces: &[&str]) -> (String, Vec<(String, String)>) {
        let mut calls = ToolCalls::new(syntax, 7);
        let mut all = Sorted::default();
        let mut add = |sorted: Sorted| {
            all.text.push_str(&sorted.text);
            all.calls.extend(sorted.calls);
        };
        pieces.iter().for_each(|piece| add(calls.push(piece)));
        add(calls.finish());
        let named = all
            .calls
            .into_iter()
            .map(|call| (call.name.unwrap(), call.arguments));
        (all.text, named.collect())
    }

    fn call(name: &str, arguments: &str) -> (String, String) {
        (name.to_owned(), arguments.to_owned())
    }

    #[test]
    fn calls_in_tags_are_taken_out_and_the_rest_stays() {
        let two = [
            "Let me see.<tool",
            "_call>\n{\"name\": \"f\", \"arguments\": {\"b\": 1, \"a\": 2}}\n</tool_",
            "call>\n<tool_call>{\"name\":\"g\",\"arguments\":{}}</tool_call>",
        ];
        let calls = vec![call("f", r#"{"b": 1, "a": 2}"#), call("g", "{}")];
        assert_eq!(feed(Syntax::Tags, &two), ("Let me see.".to_owned(), calls));
        for text in [
            "a < b <tool_call> never closed",
            "<tool_call>no JSON</tool_call>",
            "x <tool",
        ] {
            assert_eq!(feed(Syntax::Tags, &[text]), (text.to_owned(), vec![]));
        }
    }

    #[test]
    fn ends_of_lines_around_calls_are_no_text_however_the_answer_is_cut() {
        let call_f = "<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>";
        let answer = format!("\nSo:{call_f}\n{call_f}\n done{call_f}\n");
        let whole = feed(Syntax::Tags, &[&answer]);
        assert_eq!(whole.0, "\nSo:\n done");
        for cut in 0..=answer.len() {
            let cut = feed(Syntax::Tags, &[&answer[..cut], &answer[cut..]]);
            assert_eq!(cut, whole);
        }
        assert_eq!(feed(Syntax::Tags, &["\n", call_f]).0, "");
    }

    #[test]
    fn an_answer_that_is_a_call_is_one() {
        let llama = ["{\"name\": \"f\", ", "\"parameters\": {\"a\": 1}}"];
        assert_eq!(
            feed(Syntax::Bare, &llama),
            (String::new(), vec![call("f", r#"{"a": 1}"#)])
        );
        let mistral = r#" [{"name": "f", "arguments": {}}, {"name": "g", "arguments": {"x": []}}]"#;
        let calls = vec![call("f", "{}"), call("g", r#"{"x": []}"#)];
        assert_eq!(feed(Syntax::Bare, &[mistral]), (String::new(), calls));
        for text in [
            r#"{"x": 1}"#,
            "[1, 2]",
            r#"It is {"name": "f", "parameters": {}}"#,
            " ",
        ] {
            assert_eq!(feed(Syntax::Bare, &[text]), (text.to_owned(), vec![]));
        }
    }

    #[test]
    fn the_template_shows_how_calls_are_written() {
        let of = Syntax::of;
        assert_eq!(
            of("<tool_call>\n{\"name\": <function-name>"),
            Some(Syntax::Tags)
        );
        assert_eq!(of("<tool_call>\n<function=name>"), None);
        assert_eq!(of("[TOOL_CALLS]"), Some(Syntax::Bare));
        assert_eq!(
            of("Environment: ipython {\"parameters\": }"),
            Some(Syntax::Bare)
        );
        assert_eq!(of("<|im_start|>"), None);
    }

    #[test]
    fn calls_have_names_of_nine_that_follow_from_the_seed() {
        let ids = |seed| {
            let calls = ToolCalls::new(Syntax::Bare, seed);
            (calls.id(0), calls.id(1))
        };
        assert_eq!(ids(1), ids(1));
        assert!(ids(1).0 != ids(1).1 && ids(1).0 != ids(2).0);
        assert!([0, 1, u64::MAX].iter().all(|seed| ids(*seed).0.len() == 9));
    }

    proptest! {
        #[test]
        fn no_text_is_lost_however_it_is_cut(text in "[<>a_ctol{}/]{0,40}", cut in 0..40usize) {
            let cut = cut.min(text.len());
            for syntax in [Syntax::Tags, Syntax::Bare] {
                let (all, calls) = feed(syntax, &[&text[..cut], &text[cut..]]);
                prop_assert!(calls.is_empty());
                prop_assert_eq!(&all, &text);
            }
        }
    }
}
