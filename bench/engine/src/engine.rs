//! The embedded engine through its public face: requests in, streams out.

use std::path::Path;
use std::time::Instant;

use atoma_engine::{
    Embedded, EmbeddedOptions, Engine, EngineError, Event, GenerateRequest, Prompt, WeightType,
};
use futures::{Stream, StreamExt};

use crate::{Failure, Shape, Times};
use atoma_bench_report::cpu_used;

/// A loaded model.
pub struct Atoma {
    engine: Embedded,
    runtime: tokio::runtime::Runtime,
}

impl Atoma {
    /// Loads a Hugging Face folder.
    pub fn load(folder: &Path, weights: WeightType, threads: usize) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let options = EmbeddedOptions {
            weights: Some(weights),
            threads: Some(threads),
            // A whole prompt per step, as llama.cpp's own benchmark does.
            token_budget: 256,
            ..EmbeddedOptions::default()
        };
        Ok(Self {
            engine: Embedded::open(folder, options)?,
            runtime,
        })
    }

    /// Measures one shape.
    pub fn run(&self, shape: Shape, round: u32) -> Result<Times, Failure> {
        self.runtime.block_on(measure(&self.engine, shape, round))
    }
}

/// Prefill is over when every request has its first token.
async fn measure(engine: &Embedded, shape: Shape, round: u32) -> Result<Times, Failure> {
    let started = Instant::now();
    let prompts = shape.prompts(round, engine.info().vocab as u32);
    // Prompts first, alone: their blocks stay in the cache, so the second time only decodes.
    let streams = begin(engine, &prompts, 1).await?;
    futures::stream::iter(streams)
        .flatten_unordered(None)
        .count()
        .await;
    let prefill = started.elapsed();

    let streams = begin(engine, &prompts, shape.output as u32).await?;
    let mut events = futures::stream::iter(streams).flatten_unordered(None);
    let mut waiting: Vec<bool> = vec![true; shape.requests];
    let (mut decoding, mut cpu, mut decoded) = (Instant::now(), cpu_used(), 0);
    while let Some((request, event)) = events.next().await {
        if let Event::Token(_) = event? {
            decoded += 1;
            if waiting.iter().any(|w| *w) {
                waiting[request] = false;
                (decoding, cpu, decoded) = (Instant::now(), cpu_used(), 0);
            }
        }
    }
    let decode = decoding.elapsed();
    Ok(Times {
        prefill,
        decode,
        decode_cpu: cpu_used() - cpu,
        decoded,
    })
}

/// All requests at once; events carry the number of theirs.
async fn begin(
    engine: &Embedded,
    prompts: &[Vec<u32>],
    output: u32,
) -> Result<Vec<impl Stream<Item = (usize, Result<Event, EngineError>)> + use<>>, EngineError> {
    let mut streams = Vec::new();
    for (number, prompt) in prompts.iter().enumerate() {
        let request = GenerateRequest::new(Prompt::Tokens(prompt.clone()), output);
        let stream = engine.generate(request).await?;
        streams.push(stream.map(move |event| (number, event)));
    }
    Ok(streams)
}
