//! An engine of which some things are altered: what it refuses, how busy it says that it is, whether it can confirm.

use crate::probed::{ProbeFault, Probed};
use crate::{
    Embeddings, Engine, EngineError, EngineFault, Event, EventStream, Format, GenerateRequest,
    Load, Measured, ModelInfo, Prompt, Sampling, Score, ServerFields,
};
use futures::{
    FutureExt,
    future::{BoxFuture, ready},
};
use std::{fmt, sync::Arc};

/// A refusal of the next generation, or none.
type Refuse = Box<dyn Fn() -> Option<EngineError> + Send + Sync>;
/// What is said of the load.
type Say = Box<dyn Fn(Load) -> Load + Send + Sync>;

/// Another engine, in all that isn't altered.
pub struct Altered {
    engine: Arc<dyn Engine>,
    refuse: Refuse,
    say: Say,
    confirms: bool,
}

impl fmt::Debug for Altered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Altered")
            .field("model", self.engine.info())
            .finish_non_exhaustive()
    }
}

impl Altered {
    /// As `engine` is.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self {
            engine,
            refuse: Box::new(|| None),
            say: Box::new(|load| load),
            confirms: true,
        }
    }

    /// Each generation for which `refuse` has an error is refused with it.
    #[must_use]
    pub fn refusing(
        mut self,
        refuse: impl Fn() -> Option<EngineError> + Send + Sync + 'static,
    ) -> Self {
        self.refuse = Box::new(refuse);
        self
    }

    /// Its load is what `say` makes of it.
    #[must_use]
    pub fn saying(mut self, say: impl Fn(Load) -> Load + Send + Sync + 'static) -> Self {
        self.say = Box::new(say);
        self
    }

    /// It can only generate, and confirms nothing by a prefill.
    #[must_use]
    pub fn unable_to_confirm(mut self) -> Self {
        self.confirms = false;
        self
    }
}

impl Engine for Altered {
    fn info(&self) -> &ModelInfo {
        self.engine.info()
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        self.engine.count_tokens(prompt)
    }

    fn tokenize(&self, prompt: &Prompt) -> Result<Vec<u32>, EngineError> {
        self.engine.tokenize(prompt)
    }

    fn detokenize(&self, tokens: &[u32]) -> String {
        self.engine.detokenize(tokens)
    }

    fn has_tokenizer(&self) -> bool {
        self.engine.has_tokenizer()
    }

    fn context(&self) -> usize {
        self.engine.context()
    }

    fn measure<'a>(
        &'a self,
        prompt: &'a Prompt,
        server: &'a ServerFields,
    ) -> BoxFuture<'a, Result<Measured, EngineError>> {
        self.engine.measure(prompt, server)
    }

    fn bound(&self, prompt: &Prompt, server: &ServerFields) -> Result<Measured, EngineError> {
        self.engine.bound(prompt, server)
    }

    fn generate(
        &self,
        request: GenerateRequest,
    ) -> BoxFuture<'_, Result<EventStream, EngineError>> {
        match (self.refuse)() {
            Some(refusal) => ready(Err(refusal)).boxed(),
            None => self.engine.generate(request),
        }
    }

    fn embed(&self, prompts: Vec<Prompt>) -> BoxFuture<'_, Result<Embeddings, EngineError>> {
        self.engine.embed(prompts)
    }

    fn score(
        &self,
        prompt: Vec<u32>,
        output: Vec<u32>,
        sampling: Sampling,
        format: Option<Format>,
    ) -> BoxFuture<'_, Result<Score, EngineError>> {
        self.engine.score(prompt, output, sampling, format)
    }

    fn confirm(
        &self,
        request: GenerateRequest,
        said: String,
    ) -> BoxFuture<'_, Result<Option<Vec<Event>>, EngineError>> {
        match self.confirms {
            true => self.engine.confirm(request, said),
            false => ready(Ok(None)).boxed(),
        }
    }

    fn on_one_thread(&self, one: bool) -> Result<(), EngineFault> {
        self.engine.on_one_thread(one)
    }

    /// Refuses those who are served, and no start.
    fn probe(&self) -> BoxFuture<'_, Result<Option<Probed>, ProbeFault>> {
        self.engine.probe()
    }

    fn load(&self) -> Load {
        (self.say)(self.engine.load())
    }
}
