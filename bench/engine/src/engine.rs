//! The embedded engine through its public face: requests in, streams out.

use std::path::Path;
use std::time::Instant;

use atoma_engine::{
    Embedded, EmbeddedOptions, Engine, Event, GenerateRequest, Prompt, WeightType,
};
use futures::StreamExt;

use crate::{Failure, Shape, Times, best};

/// Measures one way of keeping the weights.
pub fn run(folder: &Path, name: &str, weights: WeightType, shapes: &[Shape]) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let options = EmbeddedOptions {
        weights: Some(weights),
        // A whole prompt per step, as llama.cpp's own benchmark does.
        token_budget: 256,
        ..EmbeddedOptions::default()
    };
    let engine = Embedded::open(folder, options)?;
    let name = format!("{name} {:?}", engine.isa());
    for shape in shapes {
        let times = best(|repeat| runtime.block_on(measure(&engine, *shape, repeat)))?;
        shape.report(&name, times);
    }
    Ok(())
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
