//! A whole answer, put together from what an engine says bit by bit.

use super::choice::logprob_of;
use atoma_engine::{AnswerDelta, Finish, Piece, TokenEvent, TokenLogprob, ToolCallDelta};
use std::collections::BTreeMap;

/// What was said so far, by the index of each answer.
#[derive(Debug)]
pub struct Whole {
    answers: BTreeMap<u32, Said>,
    /// Whether log probabilities were asked for.
    logprobs: bool,
}

/// One answer, whole.
#[derive(Debug, Default)]
pub struct Said {
    /// Text of the answer.
    pub text: String,
    /// Text that the model thought before it answered.
    pub reasoning: String,
    /// Why the model wouldn't answer.
    pub refusal: String,
    /// Each call of a tool, by its index.
    pub tool_calls: BTreeMap<u32, ToolCallDelta>,
    /// Filled when log probabilities were asked for.
    pub logprobs: Option<Vec<TokenLogprob>>,
    /// Ids of its tokens, where a server outside says.
    pub token_ids: Vec<u32>,
    /// Why it ended; none where that wasn't said.
    pub finish: Option<Finish>,
}

impl Whole {
    /// Nothing so far; `logprobs` where log probabilities were asked for.
    #[must_use]
    pub fn new(logprobs: bool) -> Self {
        Self {
            answers: BTreeMap::new(),
            logprobs,
        }
    }

    /// Adds a token of an engine in the node.
    pub fn token(&mut self, token: &TokenEvent) {
        let answer = self.answer(0);
        answer.text.push_str(&token.text);
        if let Some(tokens) = &mut answer.logprobs {
            tokens.extend(logprob_of(token));
        }
    }

    /// Adds a piece of a server outside.
    pub fn piece(&mut self, piece: Piece) {
        for delta in piece.deltas {
            self.answer(delta.index).add(delta);
        }
    }

    /// The answers in their order; those without an end have this one.
    pub fn end(mut self, finish: Finish) -> BTreeMap<u32, Said> {
        if self.answers.is_empty() {
            self.answer(0);
        }
        for answer in self.answers.values_mut() {
            answer.finish.get_or_insert(finish);
        }
        self.answers
    }

    fn answer(&mut self, index: u32) -> &mut Said {
        let logprobs = self.logprobs;
        self.answers.entry(index).or_insert_with(|| Said {
            logprobs: logprobs.then(Vec::new),
            ..Said::default()
        })
    }
}

impl Said {
    fn add(&mut self, delta: AnswerDelta) {
        self.text.push_str(&delta.text);
        self.reasoning.push_str(&delta.reasoning);
        self.refusal.push_str(&delta.refusal);
        for call in delta.tool_calls {
            let whole = self.tool_calls.entry(call.index).or_default();
            whole.id = call.id.or(whole.id.take());
            whole.name = call.name.or(whole.name.take());
            whole.arguments.push_str(&call.arguments);
        }
        if let Some(tokens) = &mut self.logprobs {
            tokens.extend(delta.logprobs);
        }
        self.token_ids.extend(delta.token_ids);
        self.finish = delta.finish.or(self.finish);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_calls_are_put_together_each_for_itself() {
        let call = |index, id: Option<&str>, arguments: &str| ToolCallDelta {
            index,
            id: id.map(str::to_owned),
            name: id.map(|_| "f".to_owned()),
            arguments: arguments.to_owned(),
        };
        let delta = |index, text: &str, tool_calls| AnswerDelta {
            index,
            text: text.to_owned(),
            tool_calls,
            ..AnswerDelta::default()
        };
        let mut whole = Whole::new(false);
        for deltas in [
            vec![
                delta(1, "b", vec![]),
                delta(0, "a", vec![call(0, Some("x"), "{\"a\"")]),
            ],
            vec![delta(
                0,
                "c",
                vec![call(0, None, ":1}"), call(1, Some("y"), "{}")],
            )],
        ] {
            whole.piece(Piece { deltas, tokens: 1 });
        }
        let answers = whole.end(Finish::Stop);
        assert_eq!((&*answers[&0].text, &*answers[&1].text), ("ac", "b"));
        let calls = &answers[&0].tool_calls;
        assert_eq!(calls[&0], call(0, Some("x"), "{\"a\":1}"));
        assert_eq!(calls[&1].id.as_deref(), Some("y"));
        assert_eq!(answers[&1].finish, Some(Finish::Stop));
    }
}
