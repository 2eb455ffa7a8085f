//! What a server outside says at a time: a piece of one answer, or of several that were asked for at
//! once. It is made of fields that are known; whatever else a server writes stays with us.

use crate::Finish;

/// A step of an answer that a server outside computes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Piece {
    /// What is new in each answer that goes on here.
    pub deltas: Vec<AnswerDelta>,
    /// Tokens of output that came with it, of all answers together. An engine that finds out later
    /// that there were fewer says so in [`Completion::usage`](crate::Completion::usage).
    pub tokens: u32,
}

/// What is new in one answer. Empty texts say nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerDelta {
    /// Which answer, of those asked for at once; the first is 0.
    pub index: u32,
    /// Text of the answer.
    pub text: String,
    /// Text that the model thinks before it answers.
    pub reasoning: String,
    /// Why the model won't answer.
    pub refusal: String,
    /// Calls of tools, each in pieces.
    pub tool_calls: Vec<ToolCallDelta>,
    /// The tokens of the text, when they were asked for.
    pub logprobs: Vec<TokenLogprob>,
    /// Ids of its tokens, those without text among them, where the server says.
    pub token_ids: Vec<u32>,
    /// Set in the last delta of an answer.
    pub finish: Option<Finish>,
}

/// A piece of a call of a tool: the first one has id and name, all add to the arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToolCallDelta {
    /// Which call of the answer; the first is 0.
    pub index: u32,
    /// How the tool's answer will name the call.
    pub id: Option<String>,
    /// Name of the function.
    pub name: Option<String>,
    /// A piece of the arguments, which are JSON as text.
    pub arguments: String,
}

/// A token with its log probability, as servers write it.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenLogprob {
    /// The token as text.
    pub token: String,
    /// Natural logarithm of its probability.
    pub logprob: f32,
    /// Its bytes, where the server says: a token may be part of a character.
    pub bytes: Option<Vec<u8>>,
    /// Characters of the answer before it, where the engine says.
    pub offset: Option<usize>,
    /// The likeliest tokens in its place, likeliest first.
    pub top: Vec<TokenLogprob>,
}

impl AnswerDelta {
    /// Whether there is anything in it beside its index.
    pub fn says_something(&self) -> bool {
        let texts = [&self.text, &self.reasoning, &self.refusal];
        texts.iter().any(|text| !text.is_empty())
            || !self.tool_calls.is_empty()
            || self.finish.is_some()
    }

    /// Bytes of all that the model wrote in it.
    pub fn bytes(&self) -> usize {
        let calls = self.tool_calls.iter();
        let calls =
            calls.map(|call| call.arguments.len() + call.name.as_ref().map_or(0, String::len));
        self.text.len() + self.reasoning.len() + self.refusal.len() + calls.sum::<usize>()
    }
}
