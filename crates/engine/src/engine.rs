//! The trait that every engine implements.

use futures::future::{BoxFuture, FutureExt, ready};

use crate::probed::{ProbeFault, Probed};
use crate::{
    BadRequest, EngineError, EngineFault, Event, EventStream, Format, GenerateRequest, Load,
    Measured, ModelInfo, Prompt, Sampling, Score, ServerFields, Usage,
};

/// One loaded model that answers requests.
///
/// Implementations are cheap to call from async code: nothing here blocks on computation.
pub trait Engine: Send + Sync {
    /// Which model this is and what it can do.
    fn info(&self) -> &ModelInfo;

    /// How many tokens `prompt` becomes by the model's own template and tokenizer.
    ///
    /// An upstream without a tokenizer folder answers with an upper bound.
    ///
    /// # Errors
    /// If the model's template or tokenizer refuses the prompt.
    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError>;

    /// The tokens of a prompt, as the model reads it.
    ///
    /// # Errors
    /// If the model's template or tokenizer refuses the prompt, or there is no tokenizer here.
    fn tokenize(&self, _prompt: &Prompt) -> Result<Vec<u32>, EngineError> {
        Err(BadRequest::NoTokenizer.into())
    }

    /// The text of tokens, special ones left out; empty where there is no tokenizer.
    fn detokenize(&self, _tokens: &[u32]) -> String {
        String::new()
    }

    /// Whether [`count_tokens`](Self::count_tokens) counts, by a tokenizer here, and doesn't only bound.
    fn has_tokenizer(&self) -> bool {
        true
    }

    /// Tokens of prompt and output together that fit. Servers outside may say so only once they run.
    fn context(&self) -> usize {
        self.info().context
    }

    /// As [`count_tokens`](Self::count_tokens), for what is sent to servers outside: they are asked
    /// where nobody here can count.
    fn measure<'a>(
        &'a self,
        prompt: &'a Prompt,
        _server: &'a ServerFields,
    ) -> BoxFuture<'a, Result<Measured, EngineError>> {
        ready(self.count_tokens(prompt).map(Measured::exactly)).boxed()
    }

    /// The same without asking anybody, for where that takes too long: an upper bound, and a guess.
    ///
    /// # Errors
    /// The prompt can't be read, as for [`count_tokens`](Self::count_tokens).
    fn bound(&self, prompt: &Prompt, _server: &ServerFields) -> Result<Measured, EngineError> {
        self.count_tokens(prompt).map(Measured::exactly)
    }

    /// Starts a generation. Dropping the stream cancels it at the next step.
    fn generate(&self, request: GenerateRequest)
    -> BoxFuture<'_, Result<EventStream, EngineError>>;

    /// One vector of unit length per prompt.
    fn embed(&self, prompts: Vec<Prompt>) -> BoxFuture<'_, Result<Embeddings, EngineError>>;

    /// Re-scores an answer that somebody claims `prompt` gave under `sampling` and, if it had to have
    /// one, in this form: one prefill.
    fn score(
        &self,
        prompt: Vec<u32>,
        output: Vec<u32>,
        sampling: Sampling,
        format: Option<Format>,
    ) -> BoxFuture<'_, Result<Score, EngineError>>;

    /// The events of [`generate`](Self::generate), to the bit, for a fraction of its cost if they say `said`, or nearly:
    /// a prefill or a few. None where only generating tells: where they say something else, call tools
    /// or show alternatives, and with engines outside.
    fn confirm(
        &self,
        _request: GenerateRequest,
        _said: String,
    ) -> BoxFuture<'_, Result<Option<Vec<Event>>, EngineError>> {
        ready(Ok(None)).boxed()
    }

    /// From its next step on, the engine computes on one thread, or on all that it has again. It changes no bit:
    /// [`probe`](Self::probe) sees to that, and is what this is for. Engines outside have no threads here.
    ///
    /// # Errors
    /// If no thread can be started.
    fn on_one_thread(&self, _one: bool) -> Result<(), EngineFault> {
        Ok(())
    }

    /// Whether the engine gives the same bits however the work is done, as its class promises; none if it promises no
    /// bits. It takes a second or two of a small model, and computes [`MOST_TOKENS`](crate::probe::MOST_TOKENS) at most.
    ///
    /// # Errors
    /// If it must not serve an exact class.
    fn probe(&self) -> BoxFuture<'_, Result<Option<Probed>, ProbeFault>> {
        ready(Ok(None)).boxed()
    }

    /// How busy the engine is right now.
    fn load(&self) -> Load;
}

/// One vector per prompt, and what they used together.
pub type Embeddings = (Vec<Vec<f32>>, Usage);
