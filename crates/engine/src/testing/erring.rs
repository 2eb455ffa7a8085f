//! An engine that changes one bit, where work is done in one way.

use crate::probe::{ProbeFault, Probed, probe};
use crate::{
    Embeddings, Engine, EngineError, EngineFault, Event, EventStream, Format, GenerateRequest,
    Load, ModelInfo, Prompt, Sampling, Score, event_channel,
};
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// In which way an engine errs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errs {
    /// Where answers are computed side by side.
    InBatches,
    /// Where it has more than one thread.
    OnAllThreads,
    /// Where a prompt's beginning comes from the prefix cache.
    FromTheCache,
    /// Where an answer is scored by one prefill.
    InPrefill,
    /// In one answer alone: that which was begun after so many others.
    InOne(usize),
    /// Everywhere, and everywhere alike.
    Always,
}

/// A healthy engine whose answers have one wrong bit where it errs.
pub struct Erring {
    engine: Arc<dyn Engine>,
    errs: Errs,
    /// Answers that were begun, and those that aren't over.
    begun: AtomicUsize,
    running: AtomicUsize,
    one_thread: AtomicBool,
}

impl Erring {
    /// One that errs so.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, errs: Errs) -> Self {
        Self {
            engine,
            errs,
            begun: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            one_thread: AtomicBool::new(false),
        }
    }

    /// Whether it was told to compute on one thread, and not that it has all again.
    #[must_use]
    pub fn is_on_one_thread(&self) -> bool {
        self.one_thread.load(SeqCst)
    }

    fn changes(&self, begun: usize, cached: u64) -> bool {
        match self.errs {
            Errs::InBatches => self.running.load(SeqCst) > 1,
            Errs::OnAllThreads => !self.is_on_one_thread(),
            Errs::FromTheCache => cached > 0,
            Errs::InPrefill => false,
            Errs::InOne(place) => begun == place,
            Errs::Always => true,
        }
    }

    /// All of an answer, with a bit of its scores changed where it errs.
    async fn answer(
        &self,
        request: GenerateRequest,
        begun: usize,
    ) -> Result<Vec<Event>, EngineError> {
        let mut stream = self.engine.generate(request).await?;
        let mut events = Vec::new();
        while let Some(event) = stream.next().await {
            let mut event = event?;
            if let Event::Done(done) = &mut event
                && self.changes(begun, done.usage.cached_input)
            {
                done.fingerprint[31] ^= 1;
            }
            events.push(event);
        }
        self.running.fetch_sub(1, SeqCst);
        Ok(events)
    }
}

impl fmt::Debug for Erring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Erring")
            .field("errs", &self.errs)
            .finish_non_exhaustive()
    }
}

impl Engine for Erring {
    fn info(&self) -> &ModelInfo {
        self.engine.info()
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        self.engine.count_tokens(prompt)
    }

    fn generate(
        &self,
        request: GenerateRequest,
    ) -> BoxFuture<'_, Result<EventStream, EngineError>> {
        let begun = self.begun.fetch_add(1, SeqCst);
        self.running.fetch_add(1, SeqCst);
        async move {
            let (sender, stream) = event_channel(request.max_tokens, None);
            for event in self.answer(request, begun).await? {
                sender.send(Ok(event)).await;
            }
            Ok(stream)
        }
        .boxed()
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
        let errs = matches!(self.errs, Errs::InPrefill | Errs::Always);
        async move {
            let scored = self.engine.score(prompt, output, sampling, format).await;
            scored.map(|mut score| {
                score.fingerprint[31] ^= u8::from(errs);
                score
            })
        }
        .boxed()
    }

    fn on_one_thread(&self, one: bool) -> Result<(), EngineFault> {
        self.one_thread.store(one, SeqCst);
        self.engine.on_one_thread(one)
    }

    fn probe(&self) -> BoxFuture<'_, Result<Option<Probed>, ProbeFault>> {
        probe(self)
    }

    fn load(&self) -> Load {
        self.engine.load()
    }
}
