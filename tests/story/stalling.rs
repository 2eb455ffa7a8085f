//! An engine whose answers begin and don't end.

use atoma_engine::{
    Embeddings, Engine, EngineError, EventStream, Format, GenerateRequest, Load, ModelInfo, Prompt,
    Sampling, Score, event_channel,
};
use futures::{FutureExt, StreamExt, future::BoxFuture};
use std::sync::Arc;

/// What is told of an answer; more never comes.
const TOLD: usize = 4;

/// An engine whose answers stand still after some tokens.
pub(crate) struct Stalling(pub(crate) Arc<dyn Engine>);

impl Engine for Stalling {
    fn info(&self) -> &ModelInfo {
        self.0.info()
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        self.0.count_tokens(prompt)
    }

    fn generate(
        &self,
        request: GenerateRequest,
    ) -> BoxFuture<'_, Result<EventStream, EngineError>> {
        let limit = request.max_tokens;
        async move {
            let mut answer = self.0.generate(request).await?.take(TOLD);
            let (sender, stream) = event_channel(limit, None);
            let work = async move {
                while let Some(event) = answer.next().await {
                    sender.send(event).await;
                }
                std::future::pending::<()>().await;
            };
            Ok(stream.working(work))
        }
        .boxed()
    }

    fn embed(&self, prompts: Vec<Prompt>) -> BoxFuture<'_, Result<Embeddings, EngineError>> {
        self.0.embed(prompts)
    }

    fn score(
        &self,
        prompt: Vec<u32>,
        output: Vec<u32>,
        sampling: Sampling,
        format: Option<Format>,
    ) -> BoxFuture<'_, Result<Score, EngineError>> {
        self.0.score(prompt, output, sampling, format)
    }

    fn load(&self) -> Load {
        self.0.load()
    }
}
