//! Counts the tokens of an answer while it comes, and knows whether it is complete.
//!
//! Frames aren't tokens: a server may put many into one frame, or none. The count is the server's own
//! where it says one with each frame (vLLM's `continuous_usage_stats`, llama.cpp's `timings_per_token`);
//! else the tokenizer's, where there is one; else the larger of the frames that say something and a fifth
//! of the bytes. Each of several answers has a count of its own: the last word of llama.cpp is about one
//! of them only.

use std::sync::Arc;

use super::frame::{End, Frame};
use crate::text::TextModel;
use crate::{AnswerDelta, Completion, EngineError, Finish, Unavailable, Usage};

/// English has 4.5 bytes to a token; a frame with one token has more often fewer than more.
const BYTES_PER_TOKEN: usize = 5;
/// No token of any vocabulary has more bytes: a server that counts fewer tokens than that miscounts.
const MOST_BYTES_PER_TOKEN: usize = 128;

/// Tokens in a row that show no text: no model has a use for more, and evidence that lacks ids shows it.
const MOST_IDS: usize = 1 << 16;

/// What is known of one of the answers.
#[derive(Debug, Default)]
struct Answer {
    index: u32,
    /// The server's own count so far.
    said: Option<u32>,
    /// Tokens by the tokenizer.
    tokenized: u32,
    /// Frames that say something.
    frames: u32,
    bytes: usize,
    /// Ids of tokens that weren't told yet, for they show no text.
    ids: Vec<u32>,
    finish: Option<Finish>,
}

/// What is known of all of them so far.
pub(super) struct Account {
    tokenizer: Option<Arc<TextModel>>,
    /// How many answers were asked for.
    wanted: u32,
    answers: Vec<Answer>,
    prompt: Option<u32>,
    cached: u32,
    /// The server's count of all answers together, in a frame about none of them.
    total: Option<u32>,
}

impl Answer {
    /// Tokens so far.
    fn tokens(&self) -> u32 {
        match self.said {
            Some(said) if self.is_counted() => said.max((self.bytes / MOST_BYTES_PER_TOKEN) as u32),
            _ => self.guess(),
        }
    }

    fn guess(&self) -> u32 {
        if self.tokenized > 0 {
            return self.tokenized.max(self.frames);
        }
        self.frames.max(self.bytes.div_ceil(BYTES_PER_TOKEN) as u32)
    }

    /// Whether the server counts it: some say 0 until the end.
    fn is_counted(&self) -> bool {
        self.said.is_some_and(|said| said > 0 || self.frames == 0)
    }
}

impl Account {
    pub(super) fn new(wanted: u32, tokenizer: Option<Arc<TextModel>>) -> Self {
        Self {
            tokenizer,
            wanted,
            answers: Vec::new(),
            prompt: None,
            cached: 0,
            total: None,
        }
    }

    /// Takes a frame in; what it says of each answer.
    ///
    /// # Errors
    /// If the server gave an answer up.
    pub(super) fn see(&mut self, frame: &Frame<'_>) -> Result<Vec<AnswerDelta>, EngineError> {
        let mut said = Vec::new();
        for (mut delta, end) in frame.deltas() {
            if end == Some(End::Broken) {
                return Err(Unavailable::GaveUp.into());
            }
            self.note(&delta, frame);
            // ids of tokens that show no text go with what is said next
            let ids = &mut self.answer(delta.index).ids;
            ids.append(&mut delta.token_ids);
            ids.truncate(MOST_IDS);
            if delta.says_something() {
                delta.token_ids = std::mem::take(ids);
                said.push(delta);
            }
        }
        self.note_counts(frame);
        Ok(said)
    }

    fn note(&mut self, delta: &AnswerDelta, frame: &Frame<'_>) {
        let counted = frame.usage.is_some() || frame.timings.is_some();
        let tokens = match &self.tokenizer {
            Some(tokenizer) if !counted => tokens_of(tokenizer, delta),
            _ => 0,
        };
        let bytes = delta.bytes();
        let answer = self.answer(delta.index);
        answer.tokenized += tokens.max(delta.logprobs.len() as u32);
        answer.frames += u32::from(bytes > 0);
        answer.bytes += bytes;
        answer.finish = delta.finish.or(answer.finish);
    }

    fn note_counts(&mut self, frame: &Frame<'_>) {
        let mut indexes = frame.indexes();
        let only = match (indexes.next(), indexes.next()) {
            (Some(index), None) => Some(index),
            _ => None,
        };
        let mut counts = Vec::new();
        if let Some(usage) = &frame.usage {
            self.prompt = usage.prompt_tokens.map(|n| n.0).or(self.prompt);
            self.cached = usage.cached().unwrap_or(self.cached);
            counts.extend(usage.completion_tokens);
        }
        if let Some(timings) = &frame.timings {
            if let (Some(cached), Some(new)) = (timings.cache_n, timings.prompt_n) {
                self.prompt.get_or_insert(cached.0.saturating_add(new.0));
                self.cached = cached.0;
            }
            counts.extend(timings.predicted_n);
        }
        for count in counts {
            match only {
                Some(index) => {
                    let said = &mut self.answer(index).said;
                    *said = Some(count.0.max(said.unwrap_or(0)));
                }
                None => self.total = Some(count.0.max(self.total.unwrap_or(0))),
            }
        }
    }

    fn answer(&mut self, index: u32) -> &mut Answer {
        let at = self.answers.iter().position(|a| a.index == index);
        let at = at.unwrap_or_else(|| {
            self.answers.push(Answer {
                index,
                ..Answer::default()
            });
            self.answers.len() - 1
        });
        &mut self.answers[at]
    }

    /// Prompt tokens and those from the cache, once the server has said them.
    pub(super) fn prompt(&self) -> Option<(u32, u32)> {
        self.prompt.map(|prompt| (prompt, self.cached))
    }

    /// Tokens generated so far, of all answers.
    pub(super) fn output(&self) -> u32 {
        let sum = self.answers.iter().map(Answer::tokens);
        let sum = sum.fold(0u32, u32::saturating_add);
        match self.total {
            // with one answer, and with more whose counts were guesses, the last word is the server's
            Some(total) if total > 0 && !self.is_exact() => total.max(self.answers.len() as u32),
            Some(total) => sum.max(total),
            None => sum,
        }
    }

    /// Whether the server itself has counted every answer.
    pub(super) fn is_exact(&self) -> bool {
        self.answers.iter().all(Answer::is_counted)
    }

    /// Whether anything came that is an answer, or the beginning of one.
    pub(super) fn has_begun(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Whether every answer that was asked for has come to an end.
    pub(super) fn has_ended(&self) -> bool {
        let ended = self.answers.iter().filter(|answer| answer.finish.is_some());
        ended.count() >= self.wanted as usize
    }

    /// Ends that are missing, all of the same kind.
    pub(super) fn end(&mut self, finish: Finish) -> Vec<AnswerDelta> {
        let open = self.answers.iter_mut().filter(|a| a.finish.is_none());
        open.map(|answer| {
            answer.finish = Some(finish);
            AnswerDelta {
                index: answer.index,
                token_ids: std::mem::take(&mut answer.ids),
                finish: Some(finish),
                ..AnswerDelta::default()
            }
        })
        .collect()
    }

    /// The account of the whole, with no more output than `limit`; `input` where the server doesn't say.
    pub(super) fn close(self, limit: u32, input: u32, seed: u64) -> Completion {
        let (prompt, cached) = self.prompt().unwrap_or((input, 0));
        let output = self.output().min(limit);
        let finish = self.answers.first().and_then(|answer| answer.finish);
        Completion {
            finish: finish.unwrap_or(Finish::Stop),
            usage: Usage::of_text(prompt.into(), cached.into(), output.into()),
            fingerprint: [0; 32],
            commitments: Vec::new(),
            seed,
        }
    }
}

fn tokens_of(tokenizer: &TextModel, delta: &AnswerDelta) -> u32 {
    let arguments = delta.tool_calls.iter().map(|call| call.arguments.as_str());
    let texts = [&*delta.text, &*delta.reasoning, &*delta.refusal];
    let texts = texts.into_iter().chain(arguments);
    let counts = texts
        .filter(|text| !text.is_empty())
        .map(|text| tokenizer.count_text(text));
    counts.sum::<usize>() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(account: &mut Account, frame: &str) -> Result<usize, EngineError> {
        let frame: Frame<'_> = serde_json::from_str(frame).unwrap();
        account.see(&frame).map(|deltas| deltas.len())
    }

    fn counted(wanted: u32, frames: &[&str]) -> (u32, u64) {
        let mut account = Account::new(wanted, None);
        for frame in frames {
            read(&mut account, frame).unwrap();
        }
        let so_far = account.output();
        (so_far, account.close(u32::MAX, 0, 0).usage.output)
    }

    #[test]
    fn many_tokens_in_one_frame_are_as_many_as_the_server_says() {
        let text = "word ".repeat(801);
        let frame = format!(
            r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}],"usage":{{"completion_tokens":801}}}}"#
        );
        assert_eq!(counted(1, &[&frame]), (801, 801));
        // without its word, by bytes
        let frame = format!(r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}"#);
        assert_eq!(counted(1, &[&frame]), (801, 801));
    }

    #[test]
    fn frames_that_say_nothing_are_no_tokens() {
        let nothing = [
            r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[]}}]}"#,
            r#"{"choices":[{"delta":{}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[]}"#,
            r#"{"choices":null}"#,
        ];
        assert_eq!(counted(1, &nothing), (0, 0));
        let one = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
        assert_eq!(counted(1, &[nothing[0], one, nothing[1], one]), (2, 2));
    }

    #[test]
    fn the_last_word_counts_tokens_that_showed_no_text() {
        let one = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
        let last = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":7}}"#;
        assert_eq!(counted(1, &[one, one, last]), (7, 7));
        let zero = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":0}}"#;
        assert_eq!(counted(1, &[one, one, zero]), (2, 2), "there was text");
    }

    #[test]
    fn each_of_several_answers_is_counted() {
        // llama.cpp: counts with each frame, and at the end those of one answer
        let frame = |index, n| {
            format!(
                r#"{{"choices":[{{"index":{index},"delta":{{"content":"a"}}}}],
                    "timings":{{"cache_n":2,"prompt_n":3,"predicted_n":{n}}}}}"#
            )
        };
        let last = r#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2}}"#;
        let frames = [
            frame(0, 1),
            frame(1, 1),
            frame(0, 2),
            frame(1, 2),
            last.to_owned(),
        ];
        let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
        assert_eq!(counted(2, &frames), (4, 4));
    }

    #[test]
    fn a_server_that_counts_nothing_while_text_flows_is_not_believed() {
        let text = "x".repeat(12_800);
        let frame = |n| {
            format!(
                r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}],"usage":{{"completion_tokens":{n}}}}}"#
            )
        };
        assert_eq!(counted(1, &[&frame(0)]).0, 12_800 / 5);
        assert_eq!(counted(1, &[&frame(1)]).0, 100);
        // some say zeros until the end
        let last = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2600}}"#;
        assert_eq!(counted(1, &[&frame(0), last]).1, 2_600);
    }

    #[test]
    fn ids_of_tokens_without_text_are_told_with_the_next_text_or_the_end() {
        let mut account = Account::new(1, None);
        let frame = |choice: &str| format!(r#"{{"choices":[{choice}]}}"#);
        let mut told = Vec::new();
        for choice in [
            r#"{"delta":{"role":"assistant","content":""},"token_ids":null}"#,
            r#"{"delta":{"content":""},"token_ids":[1]}"#,
            r#"{"delta":{"content":"a"},"token_ids":[2,3]}"#,
            r#"{"delta":{"content":""},"token_ids":[4]}"#,
        ] {
            let text = frame(choice);
            let frame: Frame<'_> = serde_json::from_str(&text).unwrap();
            told.extend(account.see(&frame).unwrap());
        }
        told.extend(account.end(Finish::Stop));
        let ids: Vec<_> = told.into_iter().map(|delta| delta.token_ids).collect();
        assert_eq!(ids, [vec![1, 2, 3], vec![4]]);
    }

    #[test]
    fn an_answer_is_complete_when_each_has_an_end_and_broken_when_one_was_given_up() {
        let mut account = Account::new(2, None);
        assert!(!account.has_begun());
        let end = |index| {
            format!(r#"{{"choices":[{{"index":{index},"delta":{{}},"finish_reason":"stop"}}]}}"#)
        };
        read(&mut account, &end(0)).unwrap();
        assert!(account.has_begun() && !account.has_ended());
        read(&mut account, &end(1)).unwrap();
        assert!(account.has_ended());
        let abort = r#"{"choices":[{"delta":{},"finish_reason":"abort"}]}"#;
        assert_eq!(read(&mut account, abort).unwrap_err().code(), "unavailable");
    }
}
