//! Streamed answers as server-sent events: one `data:` frame per token, or per piece of a server outside.

use super::{
    answer::{Head, UsageObject},
    choice::{ChatLogprobs, Function, TextLogprobs, ToolCall, finish_reason, logprob_of},
};
use atoma_engine::{AnswerDelta, Finish, Piece, TokenEvent, TokenLogprob, ToolCallDelta};
use atoma_types::Usage;
use atoma_types::http::RECEIPT_COMMENT;
use bytes::Bytes;
use serde::Serialize;
use std::collections::BTreeMap;

/// Writes the frames of one answer, or of several to one request.
#[derive(Debug)]
pub struct Frames {
    head: Head,
    kind: Kind,
    /// The user asked for a last chunk with the usage; then every chunk has the field.
    include_usage: bool,
    /// How far each answer is, by its index.
    answers: BTreeMap<u32, Progress>,
}

/// How far an answer is.
#[derive(Debug, Default)]
struct Progress {
    /// Characters so far, for the offsets of legacy log probabilities.
    characters: usize,
    /// Its end was written.
    ended: bool,
}

/// Which of the two APIs is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of conversations: `/v1/chat/completions`.
    Chat,
    /// Of plain text that is carried on: `/v1/completions`.
    Completion,
}

#[derive(Serialize)]
struct Chunk<'a, C> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'a str,
    choices: &'a [C],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Option<UsageObject>>,
}

#[derive(Serialize)]
struct ChatChoice<'a> {
    index: u32,
    delta: Delta<'a>,
    logprobs: Option<ChatLogprobs<'a>>,
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    token_ids: &'a [u32],
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
}

#[derive(Serialize)]
struct TextChoice<'a> {
    text: &'a str,
    index: u32,
    logprobs: Option<TextLogprobs<'a>>,
    finish_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "<[u32]>::is_empty")]
    token_ids: &'a [u32],
}

impl Frames {
    /// Of one answer that nothing was written of. With `include_usage` the usage comes last.
    #[must_use]
    pub fn new(head: Head, kind: Kind, include_usage: bool) -> Self {
        Self {
            head,
            kind,
            include_usage,
            answers: BTreeMap::new(),
        }
    }

    /// The frame of a token; empty if there is nothing to show yet.
    pub fn token(&mut self, token: &TokenEvent) -> Bytes {
        if token.text.is_empty() && token.logprob.is_none() {
            return Bytes::new();
        }
        let mut out = Vec::with_capacity(256);
        let delta = AnswerDelta {
            text: token.text.clone(),
            logprobs: logprob_of(token).into_iter().collect(),
            ..AnswerDelta::default()
        };
        self.delta(&mut out, &delta, Some(&token.text));
        out.into()
    }

    /// The frames of a server's piece, one for each answer that it is about.
    pub fn piece(&mut self, piece: &Piece) -> Bytes {
        let mut out = Vec::with_capacity(256);
        for delta in &piece.deltas {
            self.delta(&mut out, delta, some(&delta.text));
        }
        out.into()
    }

    /// The last frames: why it ended, unless that was said, and if asked for, the usage.
    pub fn finish(&mut self, finish: Finish, usage: Usage) -> Bytes {
        let mut out = Vec::with_capacity(512);
        let open = self.answers.iter().filter(|(_, progress)| !progress.ended);
        let mut open: Vec<u32> = open.map(|(index, _)| *index).collect();
        if self.answers.is_empty() {
            open.push(0);
        }
        for index in open {
            let end = AnswerDelta {
                index,
                finish: Some(finish),
                ..AnswerDelta::default()
            };
            self.delta(&mut out, &end, None);
        }
        if self.include_usage {
            self.chunk::<()>(&mut out, &[], Some(Some(usage.into())));
        }
        out.into()
    }

    /// Writes what is new in one answer.
    fn delta(&mut self, out: &mut Vec<u8>, delta: &AnswerDelta, content: Option<&str>) {
        if !self.answers.contains_key(&delta.index) {
            self.begin(out, delta.index);
        }
        let progress = self.answers.entry(delta.index).or_default();
        let characters = progress.characters;
        progress.characters += delta.text.chars().count();
        progress.ended |= delta.finish.is_some();
        let logprobs = Some(&*delta.logprobs).filter(|tokens| !tokens.is_empty());
        let finish_reason = delta.finish.map(finish_reason);
        match self.kind {
            Kind::Chat => {
                let message = Delta {
                    role: None,
                    content,
                    reasoning_content: some(&delta.reasoning),
                    refusal: some(&delta.refusal),
                    tool_calls: delta.tool_calls.iter().map(tool_call).collect(),
                };
                let choice = ChatChoice {
                    index: delta.index,
                    delta: message,
                    logprobs: logprobs.map(ChatLogprobs::of),
                    finish_reason,
                    token_ids: &delta.token_ids,
                };
                self.choice(out, choice);
            }
            Kind::Completion => {
                let logprobs =
                    logprobs.map(|tokens: &[TokenLogprob]| TextLogprobs::of(tokens, characters));
                let choice = TextChoice {
                    text: &delta.text,
                    index: delta.index,
                    logprobs,
                    finish_reason,
                    token_ids: &delta.token_ids,
                };
                self.choice(out, choice);
            }
        }
    }

    /// The first frame of a chat's answer tells the role.
    fn begin(&mut self, out: &mut Vec<u8>, index: u32) {
        self.answers.insert(index, Progress::default());
        if self.kind == Kind::Chat {
            let delta = Delta {
                role: Some("assistant"),
                content: Some(""),
                ..Delta::default()
            };
            let choice = ChatChoice {
                index,
                delta,
                logprobs: None,
                finish_reason: None,
                token_ids: &[],
            };
            self.choice(out, choice);
        }
    }

    fn choice(&self, out: &mut Vec<u8>, choice: impl Serialize) {
        self.chunk(out, &[choice], self.include_usage.then_some(None));
    }

    fn chunk<C: Serialize>(
        &self,
        out: &mut Vec<u8>,
        choices: &[C],
        usage: Option<Option<UsageObject>>,
    ) {
        let object = match self.kind {
            Kind::Chat => "chat.completion.chunk",
            Kind::Completion => "text_completion",
        };
        let chunk = Chunk {
            id: &self.head.id,
            object,
            created: self.head.created,
            model: &self.head.model,
            system_fingerprint: &self.head.system_fingerprint,
            choices,
            usage,
        };
        out.extend_from_slice(b"data: ");
        // strings and numbers into memory: neither JSON nor the vector can refuse them
        let _ = serde_json::to_writer(&mut *out, &chunk);
        out.extend_from_slice(b"\n\n");
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn tool_call(call: &ToolCallDelta) -> ToolCall<'_> {
    ToolCall {
        index: Some(call.index),
        id: call.id.as_deref(),
        kind: call.id.as_ref().map(|_| "function"),
        function: Function {
            name: call.name.as_deref(),
            arguments: &call.arguments,
        },
    }
}

/// The end of a stream: the receipt as a comment, then the mark that clients wait for.
pub fn receipt_and_done(receipt: &str) -> Bytes {
    format!("{RECEIPT_COMMENT}{receipt}\n\ndata: [DONE]\n\n").into()
}

/// The end of a stream that broke.
pub fn broken(error: &str) -> Bytes {
    format!("data: {error}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(kind: Kind, include_usage: bool) -> Frames {
        let head = Head {
            id: "id".to_owned(),
            created: 1,
            model: "m".to_owned(),
            system_fingerprint: "fp".to_owned(),
        };
        Frames::new(head, kind, include_usage)
    }

    fn text(bytes: &Bytes) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_chat_begins_with_the_role_and_ends_with_the_usage() {
        let mut frames = frames(Kind::Chat, true);
        assert!(frames.token(&TokenEvent::default()).is_empty());
        let token = TokenEvent {
            text: "a\"b".to_owned(),
            ..TokenEvent::default()
        };
        let head = r#""id":"id","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp""#;
        let first = frames.token(&token);
        let expected = [
            format!(
                r#"data: {{{head},"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,"finish_reason":null}}],"usage":null}}"#
            ),
            format!(
                r#"data: {{{head},"choices":[{{"index":0,"delta":{{"content":"a\"b"}},"logprobs":null,"finish_reason":null}}],"usage":null}}"#
            ),
            String::new(),
        ];
        assert_eq!(text(&first), expected.join("\n\n"));
        let usage = Usage::of_text(3, 1, 2);
        let last = frames.finish(Finish::Length, usage);
        let expected = [
            format!(
                r#"data: {{{head},"choices":[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"length"}}],"usage":null}}"#
            ),
            format!(
                r#"data: {{{head},"choices":[],"usage":{{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{{"cached_tokens":1}}}}}}"#
            ),
            String::new(),
        ];
        assert_eq!(text(&last), expected.join("\n\n"));
    }

    #[test]
    fn a_servers_pieces_get_our_own_heads_and_each_answer_its_role_and_end() {
        let mut frames = frames(Kind::Chat, false);
        let call = ToolCallDelta {
            index: 0,
            id: Some("c".to_owned()),
            name: Some("f".to_owned()),
            arguments: "{}".to_owned(),
        };
        let delta = |index, finish| AnswerDelta {
            index,
            finish,
            ..AnswerDelta::default()
        };
        let deltas = vec![
            AnswerDelta {
                tool_calls: vec![call],
                finish: Some(Finish::ToolCalls),
                ..delta(0, None)
            },
            AnswerDelta {
                reasoning: "t".to_owned(),
                ..delta(1, None)
            },
        ];
        let first = frames.piece(&Piece { deltas, tokens: 9 });
        let lines: Vec<_> = text(&first).split_terminator("\n\n").collect();
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.contains(r#""id":"id""#)));
        assert!(lines[1].contains(
            r#""delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls""#
        ));
        assert!(lines[3].contains(r#""index":1,"delta":{"reasoning_content":"t"}"#));
        let last = frames.finish(Finish::Length, Usage::default());
        assert_eq!(text(&last).matches("finish_reason\":\"length").count(), 1);
        assert!(text(&last).contains(r#""index":1"#));
    }

    #[test]
    fn ids_of_tokens_stand_where_vllm_writes_them() {
        let delta = AnswerDelta {
            text: "x".to_owned(),
            token_ids: vec![7, 9],
            ..AnswerDelta::default()
        };
        for kind in [Kind::Chat, Kind::Completion] {
            let deltas = vec![delta.clone()];
            let said = frames(kind, false).piece(&Piece { deltas, tokens: 2 });
            let end = r#""logprobs":null,"finish_reason":null,"token_ids":[7,9]}]}"#;
            assert!(text(&said).trim_end().ends_with(end), "{said:?}");
        }
    }

    #[test]
    fn a_completion_has_text_and_no_usage_unless_asked() {
        let mut frames = frames(Kind::Completion, false);
        let token = TokenEvent {
            text: "x".to_owned(),
            ..TokenEvent::default()
        };
        let line = frames.token(&token);
        assert!(text(&line).contains(r#""choices":[{"text":"x","index":0,"logprobs":null"#));
        assert!(!text(&frames.finish(Finish::Stop, Usage::default())).contains("usage"));
    }
}
