//! The embedded engine through its public face: requests in, streams out.

use std::path::Path;
use std::time::Instant;

use atoma_engine::{
    Embedded, EmbeddedOptions, Engine, Event, GenerateRequest, Prompt, WeightType,
};
use futures::StreamExt;

use crate::{Failure, Shape, Times, best};

/// A loaded model.
pub struct Atoma {
    engine: Embedded,
    runtime: tokio::runtime::Runtime,
}

impl Atoma {
    /// Loads a Hugging Face folder, on all processors.
    pub fn load(folder: &Path, weights: WeightType) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let options = EmbeddedOptions {
            weights: Some(weights),
            threads: Some(std::thread::available_parallelism()?.get()),
            // A whole prompt per step, as llama.cpp's own benchmark does.
            token_budget: 256,
            ..EmbeddedOptions::default()
        };
        Ok(Self { engine: Embedded::open(folder, options)?, runtime })
    }

    /// Measures one shape.
    pub fn run(&self, shape: Shape) -> Result<Times, Failure> {
        best(|repeat| self.runtime.block_on(measure(&self.engine, shape, repeat)))
    }
}

/// Prefill is over when every request has its first token.
async fn measure(engine: &Embedded, shape: Shape, repeat: u32) -> Result<Times, Failure> {
    let vocab = engine.info().vocab as u32;
    let started = Instant::now();
    let mut streams = Vec::new();
    for prompt in shape.prompts(repeat, vocab) {
        let request = GenerateRequest::new(Prompt::Tokens(prompt), 1);
        let stream = engine.generate(request).await?;
        streams.push(stream);
    }
    // Prompts first, alone: their blocks stay in the cache, so the second round only decodes.
    futures::stream::iter(streams).flatten_unordered(None).count().await;
    let prefill = started.elapsed();
    let started = Instant::now();
    let mut streams = Vec::new();
    for prompt in shape.prompts(repeat, vocab) {
        let request = GenerateRequest::new(Prompt::Tokens(prompt), shape.output as u32);
        streams.push(engine.generate(request).await?);
    }
    let mut events = futures::stream::iter(streams).flatten_unordered(None);
    let (mut first, mut decoding) = (0, started);
    while let Some(event) = events.next().await {
        if let Event::Token(_) = event? {
            first += 1;
            if first == shape.requests {
                decoding = Instant::now();
            }
        }
    }
    Ok(Times { prefill, decode: decoding.elapsed() })
}
