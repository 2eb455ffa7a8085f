//! What goes in and out of an engine.

use atoma_types::Numerics;
use serde::{Deserialize, Serialize};

use crate::{BadRequest, CacheDomain, Conversation, RawJson, SamplingDefaults, ServerFields};

/// Identity and limits of a loaded model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// The name it is served under.
    pub id: String,
    /// BLAKE2b-256 over weights, configuration and tokenizer in canonical order, and over the context where memory
    /// has shortened it; zero when the engine is outside this process and its files aren't known.
    pub revision: [u8; 32],
    /// The arithmetic: two engines of one deterministic numerics and revision give the same bits.
    pub numerics: Numerics,
    /// Tokens of prompt and output together.
    pub context: usize,
    /// Number of token ids; zero when unknown.
    pub vocab: usize,
    /// Most tokens of output of one request; zero where that isn't known, or there is none.
    pub max_output: usize,
    /// Whether the model makes vectors and no text.
    pub only_embeds: bool,
    /// How tokens are chosen where a request doesn't say.
    pub defaults: SamplingDefaults,
}

/// What the model is asked to continue.
#[derive(Debug, Clone, PartialEq)]
pub enum Prompt {
    /// A conversation, rendered by the model's own chat template.
    Chat(Conversation),
    /// A prompt as plain text.
    Text(String),
    /// Token ids, used as they are.
    Tokens(Vec<u32>),
}

/// Whether the model may, must or must not call tools.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ToolChoice {
    /// As it likes.
    #[default]
    Auto,
    /// Its answer is text, whatever it looks like.
    None,
    /// It must call one.
    Required,
    /// It must call this one.
    Named(String),
}

/// The form that an answer must have.
#[derive(Debug, Clone, PartialEq)]
pub enum Format {
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema(RawJson),
    /// A call of one of these tools, of the one with the name if there is one.
    ToolCall {
        /// OpenAI's tool definitions, a list.
        tools: RawJson,
        /// Which of them.
        name: Option<String>,
    },
}

/// Everything that determines an answer, and how it is to be delivered.
#[derive(Debug, Clone)]
pub struct GenerateRequest {
    /// The text, tokens or conversation that the answer continues.
    pub prompt: Prompt,
    /// Most tokens to generate, of all answers together;
    /// [`EventStream::limit`](crate::EventStream::limit) can raise it while the stream runs.
    pub max_tokens: u32,
    /// The most that it will be raised to. Servers outside are told this one, so that they end by
    /// themselves.
    pub most_tokens: u32,
    /// Zero picks the likeliest token; see [`Sampling`].
    pub temperature: f32,
    /// Nucleus; 1 is off.
    pub top_p: f32,
    /// Likeliest tokens to choose among; 0 is off.
    pub top_k: u32,
    /// Least probability relative to the likeliest token's; 0 is off.
    pub min_p: f32,
    /// Subtracted from a token's logit per occurrence in the output.
    pub frequency_penalty: f32,
    /// Subtracted once from the logit of a token that occurs in the output.
    pub presence_penalty: f32,
    /// Seed of the sampling noise. Whoever has none draws one, so that the answer can be checked.
    pub seed: u64,
    /// Strings that end the answer and aren't part of it.
    pub stop: Vec<String>,
    /// Whether the model may call the conversation's tools. Servers outside have it in fields of
    /// their own.
    pub tool_choice: ToolChoice,
    /// The form that the answer must have. Servers outside have it in fields of their own.
    pub format: Option<Format>,
    /// Report the log probability of each token and of this many alternatives.
    pub logprobs: Option<u8>,
    /// Tokens of the prompt, where they were measured; 0 where they weren't.
    pub prompt_tokens: u32,
    /// Whose computed beginnings it may use, and who may use its own.
    pub cache_domain: CacheDomain,
    /// What servers outside get beside all this. The embedded engine doesn't look at it.
    pub server: ServerFields,
}

impl GenerateRequest {
    /// A greedy request with nothing else set.
    pub fn new(prompt: Prompt, max_tokens: u32) -> Self {
        Self {
            prompt,
            max_tokens,
            most_tokens: max_tokens,
            temperature: 0.0,
            top_p: 1.0,
            top_k: 0,
            min_p: 0.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            seed: 0,
            stop: Vec::new(),
            tool_choice: ToolChoice::Auto,
            format: None,
            logprobs: None,
            prompt_tokens: 0,
            cache_domain: CacheDomain::SHARED,
            server: ServerFields::default(),
        }
    }

    /// The part that [`Engine::score`](crate::Engine::score) must be given to check the answer.
    pub fn sampling(&self) -> Sampling {
        Sampling {
            temperature: self.temperature,
            top_p: self.top_p,
            top_k: self.top_k,
            min_p: self.min_p,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            seed: self.seed,
        }
    }
}

/// How a token is chosen from the logits; with the prefix, it determines the token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Divides the logits; 0 is argmax.
    pub temperature: f32,
    /// Nucleus; 1 is off.
    pub top_p: f32,
    /// Likeliest tokens kept; 0 is off.
    pub top_k: u32,
    /// Least relative probability; 0 is off.
    pub min_p: f32,
    /// Per occurrence in the output.
    pub frequency_penalty: f32,
    /// Once per token that occurs in the output.
    pub presence_penalty: f32,
    /// Seed of the noise.
    pub seed: u64,
}

impl Sampling {
    /// Always takes the token with the highest logit.
    pub const GREEDY: Self = Self {
        temperature: 0.0,
        top_p: 1.0,
        top_k: 0,
        min_p: 0.0,
        frequency_penalty: 0.0,
        presence_penalty: 0.0,
        seed: 0,
    };

    /// Refuses numbers that have no meaning.
    ///
    /// # Errors
    /// Names the first number that has none.
    pub fn validate(&self) -> Result<(), BadRequest> {
        let bad = |name, range| Err(BadRequest::Sampling { name, range });
        if !(0.0..=100.0).contains(&self.temperature) {
            return bad("temperature", "lie between 0 and 100");
        }
        if !(self.top_p > 0.0 && self.top_p <= 1.0) {
            return bad("top_p", "be above 0 and at most 1");
        }
        if !(0.0..=1.0).contains(&self.min_p) {
            return bad("min_p", "lie between 0 and 1");
        }
        let penalties = [self.frequency_penalty, self.presence_penalty];
        if penalties.iter().any(|p| !(-100.0..=100.0).contains(p)) {
            return bad("penalties", "lie between -100 and 100");
        }
        Ok(())
    }
}

/// A claimed answer, seen by this engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// One entry per token of the output.
    pub tokens: Vec<TokenScore>,
    /// What [`Completion::fingerprint`](crate::Completion::fingerprint) must be if the answer came
    /// from this model; zero for tolerant engines.
    pub fingerprint: [u8; 32],
    /// The commitments that the fingerprint folds, one per chunk of 32 tokens.
    pub commitments: Vec<[u8; 32]>,
}

/// How likely one token of a claimed answer is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenScore {
    /// The claimed token's number in the model's vocabulary.
    pub id: u32,
    /// Log probability by the plain softmax of the logits.
    pub logprob: f32,
    /// Number of tokens with a larger logit.
    pub rank: u32,
    /// The token that this engine would have chosen, when it can tell.
    pub reference: Option<u32>,
    /// By how much the reference choice beats the claimed token under the same noise; zero when
    /// they are the same, or where a filter removed the claimed one. Tolerant engines leave the noise out.
    pub margin: f32,
    /// Whether a filter (top-k, top-p, min-p) or the answer's form removes the claimed token, whatever the
    /// noise: its margin says nothing then. Tolerant engines don't tell.
    pub forbidden: bool,
    /// By how many logits this engine's numbers would have to be off, at least, for the claimed token to be the
    /// choice under the same noise; the filters' edges are loose, so that numbers which are close don't throw a token
    /// out. Of engines outside, which don't tell all numbers, a lower bound.
    pub shortfall: f32,
    /// Whether a filter or the answer's form removes the claimed token, however loose its edge.
    pub outside: bool,
}

/// How many tokens a prompt has, by whoever could say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// It has no more than so many.
    pub most: usize,
    /// It probably has about so many; the same where it was counted.
    pub likely: usize,
}

impl Measured {
    /// Of a prompt that was counted.
    pub fn exactly(tokens: usize) -> Self {
        Self {
            most: tokens,
            likely: tokens,
        }
    }
}

/// How busy an engine is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Load {
    /// Requests being worked on.
    pub running: usize,
    /// Requests in the queue.
    pub waiting: usize,
    /// As many are queued; more are refused.
    pub most_waiting: usize,
    /// KV-cache blocks of 32 tokens that hold nothing in use; zero for upstreams.
    pub kv_blocks_free: usize,
    /// All KV-cache blocks; zero for upstreams.
    pub kv_blocks_total: usize,
    /// Threads that computed the last step; zero before the first, and of upstreams.
    pub threads: usize,
    /// Prompt tokens processed since the start, cached ones not counted.
    pub prefill_tokens: u64,
    /// Tokens generated since the start.
    pub output_tokens: u64,
    /// False when requests would fail now.
    pub healthy: bool,
    /// One entry per server behind an upstream engine.
    pub upstreams: Vec<UpstreamLoad>,
    /// Where an upstream engine with several servers sent prompts.
    pub prefixes: PrefixLoad,
}

/// How many prompts went where their beginnings were, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrefixLoad {
    /// Prompts whose beginning no server had.
    pub new: u64,
    /// Prompts that went to the server that had most of them.
    pub kept: u64,
    /// Prompts that went elsewhere, as that server was busier than its share.
    pub moved: u64,
}

/// State of one server behind an upstream engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamLoad {
    /// Base URL of the server.
    pub url: String,
    /// Whether requests are sent to it.
    pub healthy: bool,
    /// Requests it is working on for us.
    pub running: usize,
    /// Requests in its own queue, by its last word.
    pub waiting: usize,
    /// Smoothed time to its first words.
    pub first_byte_us: u64,
    /// Failures in a row.
    pub failures: u32,
}
