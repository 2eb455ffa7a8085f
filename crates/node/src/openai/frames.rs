//! Streamed answers as server-sent events: one `data:` frame per token.

use super::answer::{ChatLogprobs, Head, TextLogprobs, UsageObject, finish_reason};
use atoma_engine::{Finish, TokenEvent, Usage};
use atoma_types::http::RECEIPT_COMMENT;
use bytes::Bytes;
use serde::Serialize;

/// Writes the frames of one answer.
#[derive(Debug)]
pub(crate) struct Frames {
    head: Head,
    kind: Kind,
    /// The user asked for a last chunk with the usage; then every chunk has the field.
    include_usage: bool,
    begun: bool,
    /// An upstream writes the frames; its own end is among them.
    relaying: bool,
    /// Characters so far, for the offsets of legacy log probabilities.
    characters: usize,
}

/// Which of the two APIs is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Chat,
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
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

#[derive(Serialize)]
struct TextChoice<'a> {
    text: &'a str,
    index: u32,
    logprobs: Option<TextLogprobs<'a>>,
    finish_reason: Option<&'static str>,
}

impl Frames {
    pub(crate) fn new(head: Head, kind: Kind, include_usage: bool) -> Self {
        Self {
            head,
            kind,
            include_usage,
            begun: false,
            relaying: false,
            characters: 0,
        }
    }

    /// The frame of a token; empty if there is nothing to show yet.
    pub(crate) fn token(&mut self, token: &TokenEvent) -> Bytes {
        if token.text.is_empty() && token.logprob.is_none() {
            return Bytes::new();
        }
        let mut out = Vec::with_capacity(256);
        self.begin(&mut out);
        let one = std::slice::from_ref(token);
        match self.kind {
            Kind::Chat => self.chat(
                &mut out,
                ChatChoice {
                    index: 0,
                    delta: Delta {
                        content: Some(&token.text),
                        ..Delta::default()
                    },
                    logprobs: token.logprob.is_some().then(|| ChatLogprobs::of(one)),
                    finish_reason: None,
                },
            ),
            Kind::Completion => self.text(
                &mut out,
                TextChoice {
                    text: &token.text,
                    index: 0,
                    logprobs: token
                        .logprob
                        .is_some()
                        .then(|| TextLogprobs::of(one, self.characters)),
                    finish_reason: None,
                },
            ),
        }
        self.characters += token.text.chars().count();
        out.into()
    }

    /// From now on an upstream's frames are relayed.
    pub(crate) fn relaying(&mut self) {
        self.relaying = true;
    }

    /// The last frames: why it ended and, if asked for, the usage. Empty for relayed answers.
    pub(crate) fn finish(&mut self, finish: Finish, usage: Usage) -> Bytes {
        if self.relaying {
            return Bytes::new();
        }
        let mut out = Vec::with_capacity(512);
        self.begin(&mut out);
        let finish_reason = Some(finish_reason(finish));
        match self.kind {
            Kind::Chat => self.chat(
                &mut out,
                ChatChoice {
                    index: 0,
                    delta: Delta::default(),
                    logprobs: None,
                    finish_reason,
                },
            ),
            Kind::Completion => {
                self.text(
                    &mut out,
                    TextChoice {
                        text: "",
                        index: 0,
                        logprobs: None,
                        finish_reason,
                    },
                );
            }
        }
        if self.include_usage {
            self.chunk::<()>(&mut out, &[], Some(Some(usage.into())));
        }
        out.into()
    }

    /// A chat's first frame tells the role.
    fn begin(&mut self, out: &mut Vec<u8>) {
        if !self.begun && self.kind == Kind::Chat {
            self.chat(
                out,
                ChatChoice {
                    index: 0,
                    delta: Delta {
                        role: Some("assistant"),
                        content: Some(""),
                    },
                    logprobs: None,
                    finish_reason: None,
                },
            );
        }
        self.begun = true;
    }

    fn chat(&self, out: &mut Vec<u8>, choice: ChatChoice<'_>) {
        self.chunk(out, &[choice], self.include_usage.then_some(None));
    }

    fn text(&self, out: &mut Vec<u8>, choice: TextChoice<'_>) {
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

/// A frame around a payload of an upstream.
pub(crate) fn relayed(payload: &[u8]) -> Bytes {
    [b"data: ".as_slice(), payload, b"\n\n"].concat().into()
}

/// The end of a stream: the receipt as a comment, then the mark that clients wait for.
pub(crate) fn receipt_and_done(receipt: &str) -> Bytes {
    format!("{RECEIPT_COMMENT}{receipt}\n\ndata: [DONE]\n\n").into()
}

/// The end of a stream that broke.
pub(crate) fn broken(error: &str) -> Bytes {
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
        let usage = Usage {
            input: 3,
            cached_input: 1,
            output: 2,
        };
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
