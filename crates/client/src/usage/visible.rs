//! How much of an answer can be read: the bytes of its texts, thoughts, refusals and calls of tools. Follows the JSON
//! of a whole answer, or that of a stream's events, byte by byte; keeps none of it. Pure.
//!
//! What counts stands where OpenAI's API has it, and nowhere else: a long field that no program looks at makes
//! no token.

use memchr::{memchr, memchr3};

/// Deeper values hold nothing that counts.
const MAX_DEPTH: usize = 16;
/// No name that counts is longer.
const MAX_NAME: usize = 17;

/// What was said, as far as it can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Bytes of texts, thoughts and refusals.
    pub(crate) text_bytes: u64,
    /// Calls of tools.
    pub(crate) calls: u64,
    /// Bytes of their names and arguments.
    pub(crate) call_bytes: u64,
}

/// Follows an answer.
#[derive(Clone, Debug)]
pub(crate) struct Visible {
    /// Each line of a stream is a document of its own.
    lines: bool,
    /// Whether the present line is none of an event.
    skipping: bool,
    at_line_start: bool,
    stack: Vec<Level>,
    /// Levels beyond [`MAX_DEPTH`].
    deeper: u64,
    /// The name of the value that comes.
    name: Name,
    /// Whether a value follows.
    after_colon: bool,
    text: Text,
    /// The last string, as far as it may be a name.
    last: LastString,
    said: Said,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    name: Name,
    is_list: bool,
}

/// The names on the way to what counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Name {
    #[default]
    Other,
    Choices,
    Message,
    Text,
    Content,
    ToolCalls,
    Function,
    Tool,
    Arguments,
}

/// Where in a string this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Outside,
    Inside(Counted),
    /// After a backslash.
    Escape(Counted),
}

/// What a string adds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counted {
    Not,
    Text,
    Call,
}

#[derive(Clone, Copy, Debug, Default)]
struct LastString {
    bytes: [u8; MAX_NAME],
    len: usize,
}

impl Visible {
    /// Of a whole answer, or of a stream of events.
    pub(crate) fn new(is_stream: bool) -> Self {
        Self {
            lines: is_stream,
            skipping: false,
            at_line_start: true,
            stack: Vec::new(),
            deeper: 0,
            name: Name::Other,
            after_colon: false,
            text: Text::Outside,
            last: LastString::default(),
            said: Said::default(),
        }
    }

    /// What was said so far.
    pub(crate) fn said(&self) -> &Said {
        &self.said
    }

    /// Takes in the next bytes.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, rest)) = bytes.split_first() {
            // most bytes stand in strings, and those that change nothing go by at once
            let run = match self.text {
                _ if self.skipping => run(bytes, memchr(b'\n', bytes)),
                Text::Inside(counted) => {
                    let run = run(bytes, memchr3(b'"', b'\\', b'\n', bytes));
                    self.characters(counted, &bytes[..run]);
                    run
                }
                Text::Outside | Text::Escape(_) => 0,
            };
            match run {
                0 => {
                    self.add(byte);
                    bytes = rest;
                }
                run => bytes = &bytes[run..],
            }
        }
    }

    fn add(&mut self, byte: u8) {
        if self.lines {
            if byte == b'\n' {
                self.next_line();
                return;
            }
            if self.at_line_start {
                self.at_line_start = false;
                // comments and other fields say nothing
                self.skipping = byte != b'd';
            }
            if self.skipping {
                return;
            }
        }
        match self.text {
            Text::Outside => self.structure(byte),
            Text::Inside(counted) => match byte {
                b'"' => self.text = Text::Outside,
                b'\\' => self.text = Text::Escape(counted),
                _ => self.characters(counted, &[byte]),
            },
            Text::Escape(counted) => {
                self.text = Text::Inside(counted);
                // of `\u00e9` the digits count as well: at most a few more than it stands for
                self.characters(counted, &[byte]);
            }
        }
    }

    fn next_line(&mut self) {
        self.at_line_start = true;
        self.skipping = false;
        self.stack.clear();
        self.deeper = 0;
        self.name = Name::Other;
        self.after_colon = false;
        self.text = Text::Outside;
    }

    fn structure(&mut self, byte: u8) {
        match byte {
            b'"' => self.begin_string(),
            b'{' | b'[' => self.begin_value(byte == b'['),
            b'}' | b']' => self.end_value(),
            b':' => {
                self.name = self.last.name();
                self.after_colon = true;
            }
            b',' => self.after_colon = false,
            _ => {}
        }
    }

    fn begin_string(&mut self) {
        self.last.len = 0;
        let in_list = self.stack.last().is_some_and(|level| level.is_list);
        let is_value = self.after_colon || in_list;
        let counted = match is_value && self.deeper == 0 {
            true => self.counted(),
            false => Counted::Not,
        };
        if counted == Counted::Call && self.name == Name::Tool {
            self.said.calls += 1;
        }
        self.text = Text::Inside(counted);
    }

    /// What the string adds to that is a value here.
    fn counted(&self) -> Counted {
        let mut names = [Name::Other; MAX_DEPTH];
        for (name, level) in names.iter_mut().zip(&self.stack) {
            *name = level.name;
        }
        use Name::{Arguments, Choices, Content, Function, Message, Other, Text, Tool, ToolCalls};
        match (&names[..self.stack.len()], self.name) {
            ([Other, Choices, Choices], Text) => Counted::Text,
            ([Other, Choices, Choices, Message], Content) => Counted::Text,
            (
                [
                    Other,
                    Choices,
                    Choices,
                    Message,
                    ToolCalls,
                    ToolCalls,
                    Function,
                ],
                Tool | Arguments,
            ) => Counted::Call,
            _ => Counted::Not,
        }
    }

    fn begin_value(&mut self, is_list: bool) {
        let name = match self.stack.last() {
            Some(list) if list.is_list => list.name,
            Some(_) if self.after_colon => self.name,
            _ => Name::Other,
        };
        self.after_colon = false;
        if self.stack.len() == MAX_DEPTH {
            self.deeper += 1;
        } else {
            self.stack.push(Level { name, is_list });
        }
    }

    fn end_value(&mut self) {
        self.after_colon = false;
        match self.deeper {
            0 => {
                self.stack.pop();
            }
            _ => self.deeper -= 1,
        }
    }

    fn characters(&mut self, counted: Counted, bytes: &[u8]) {
        match counted {
            Counted::Not => self.last.add(bytes),
            Counted::Text => self.said.text_bytes += bytes.len() as u64,
            Counted::Call => self.said.call_bytes += bytes.len() as u64,
        }
    }
}

/// How many bytes come before the first that stops, which is found there.
fn run(bytes: &[u8], stop: Option<usize>) -> usize {
    stop.unwrap_or(bytes.len())
}

impl LastString {
    fn add(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(place) = self.bytes.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
        }
        // too long for any name: what is there of it counts for none
        self.len = end;
    }

    fn name(&self) -> Name {
        match self.bytes.get(..self.len) {
            Some(b"choices") => Name::Choices,
            Some(b"delta" | b"message") => Name::Message,
            Some(b"text") => Name::Text,
            Some(b"content" | b"reasoning_content" | b"reasoning" | b"refusal") => Name::Content,
            Some(b"tool_calls") => Name::ToolCalls,
            Some(b"function") => Name::Function,
            Some(b"name") => Name::Tool,
            Some(b"arguments") => Name::Arguments,
            _ => Name::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn whole(answer: &serde_json::Value) -> Said {
        let mut visible = Visible::new(false);
        visible.feed(answer.to_string().as_bytes());
        *visible.said()
    }

    fn texts(text_bytes: u64) -> Said {
        Said {
            text_bytes,
            ..Said::default()
        }
    }

    #[test]
    fn texts_thoughts_and_refusals_count_and_nothing_around_them() {
        let message = json!({"role": "assistant", "content": "abc", "reasoning_content": "de",
            "reasoning": "f", "refusal": "gh"});
        let answer = json!({"id": "chatcmpl-1", "model": "long model name", "choices": [
            {"index": 0, "message": message, "logprobs": {"content": [{"token": "abc", "top_logprobs": []}]},
             "finish_reason": "stop"},
            {"index": 1, "message": {"content": null}},
        ], "usage": {"completion_tokens": 7}, "content": "not here", "text": "nor here"});
        assert_eq!(whole(&answer), texts(8));
        let completion = json!({"choices": [{"text": "tree\n\"ü\"", "index": 0}]});
        assert_eq!(whole(&completion), texts(9));
        let hidden = json!({"choices": [{"x": {"content": "no"}, "message": {"y": "no", "content": ["no"]}}],
            "more": [{"message": {"content": "no"}}]});
        assert_eq!(whole(&hidden), Said::default());
    }

    #[test]
    fn calls_of_tools_count_for_themselves() {
        let call = |name: &str| {
            json!({"id": "call_1", "type": "function",
            "function": {"name": name, "arguments": "{\"a\":1}"}})
        };
        let answer = json!({"choices": [{"message": {"content": null, "tool_calls": [call("f"), call("gg")]}}]});
        let arguments = 2 * 11; // each quote is written with its backslash, which counts as nothing
        let counted = whole(&answer);
        assert_eq!((counted.calls, counted.text_bytes), (2, 0));
        assert!(counted.call_bytes >= 2 * 7 + 3 && counted.call_bytes <= arguments + 3);
    }

    #[test]
    fn a_streams_events_count_each_for_itself_and_comments_do_not() {
        let frame = |text: &str| {
            format!(
                "data: {}\n\n",
                json!({"choices": [{"index": 0, "delta": {"content": text}}]})
            )
        };
        let stream = [
            frame("ab"),
            // cut off in the middle: the next line is another document
            "data: {\"choices\":[{\"delta\":{\"content\":\"x\n\n".to_owned(),
            ": {\"choices\":[{\"delta\":{\"content\":\"comment\"}}]}\n\n".to_owned(),
            frame("c"),
            "data: [DONE]\n\n".to_owned(),
        ];
        let mut visible = Visible::new(true);
        visible.feed(stream.concat().as_bytes());
        assert_eq!(*visible.said(), texts(4));
    }

    #[test]
    fn no_depth_is_too_deep() {
        let deep = format!("{}{}", "[{\"choices\":".repeat(100_000), "\"x\"");
        let mut visible = Visible::new(false);
        visible.feed(deep.as_bytes());
        visible.feed("}]".repeat(100_000).as_bytes());
        assert_eq!(*visible.said(), Said::default());
        assert!(visible.stack.is_empty());
    }

    proptest! {
        #[test]
        fn no_text_counts_less_than_its_bytes_and_cuts_change_nothing(
            text in any::<String>(), escaped in any::<bool>(), cut in 1..40usize,
        ) {
            let mut answer = json!({"choices": [{"message": {"content": text}}]}).to_string();
            if escaped {
                answer = answer.chars().map(|c| match c {
                    c if c.is_ascii() => c.to_string(),
                    c => {
                        let mut units = [0; 2];
                        c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
                    }
                }).collect();
            }
            let mut visible = Visible::new(false);
            for part in answer.as_bytes().chunks(cut) {
                visible.feed(part);
            }
            let counted = visible.said().text_bytes;
            prop_assert!(counted >= text.len() as u64);
            prop_assert!(counted <= 6 * text.len() as u64);
        }
    }
}
