//! Speed of the embedded engine: prefill, and decoding at 1 and 8 requests, of equal and of
//! different lengths.
//!
//! `cargo run --release -p atoma-engine --example engine_bench -- FOLDER [PROMPT] [OUTPUT] [f32|bf16]`

use std::path::PathBuf;
use std::time::{Duration, Instant};

use atoma_engine::{Embedded, EmbeddedOptions, Engine, Event, GenerateRequest, Prompt, WeightType};
use futures::StreamExt;

/// Repetitions; the best counts, as everything else on the machine only makes it slower.
const REPEATS: usize = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(args.first().ok_or("which folder?")?);
    let prompt: usize = args.get(1).map_or(Ok(256), |a| a.parse())?;
    let output: u32 = args.get(2).map_or(Ok(32), |a| a.parse())?;
    let weights = match args.get(3).map(String::as_str) {
        Some("bf16") => Some(WeightType::Bf16),
        Some(_) => Some(WeightType::F32),
        None => None,
    };
    let options = EmbeddedOptions {
        weights,
        token_budget: 256,
        // Prompts differ in each repetition, so nothing comes from the cache.
        ..EmbeddedOptions::default()
    };
    let started = Instant::now();
    let engine = Embedded::open(&folder, options)?;
    println!(
        "isa {:?} load {:.2} s",
        engine.isa(),
        started.elapsed().as_secs_f64()
    );
    for (requests, spread) in [(1, 0), (8, 0), (8, 9)] {
        let mut best = (Duration::MAX, Duration::MAX);
        for repeat in 0..REPEATS {
            let lengths = (0..requests).map(|i| prompt + spread * i);
            let times = run(&engine, lengths, output, repeat as u32).await?;
            best = (best.0.min(times.0), best.1.min(times.1));
        }
        let prompts: usize = (0..requests).map(|i| prompt + spread * i).sum();
        // The first token of each answer comes out of the prefill.
        let decoded = requests as f64 * f64::from(output - 1);
        println!(
            "requests {requests} lengths {} prefill {:.0} tok/s decode {:.1} tok/s",
            if spread == 0 { "equal" } else { "different" },
            prompts as f64 / best.0.as_secs_f64(),
            decoded / best.1.as_secs_f64(),
        );
    }
    Ok(())
}

/// Time until all prompts are through, and from there until all answers are complete.
async fn run(
    engine: &Embedded,
    lengths: impl Iterator<Item = usize>,
    output: u32,
    seed: u32,
) -> Result<(Duration, Duration), Box<dyn std::error::Error>> {
    let vocab = engine.info().vocab as u32;
    let started = Instant::now();
    let mut streams = Vec::new();
    for (i, length) in lengths.enumerate() {
        let prompt = Prompt::Tokens(random_tokens(seed * 1000 + i as u32, length, vocab));
        streams.push(
            engine
                .generate(GenerateRequest::new(prompt, output))
                .await?,
        );
    }
    let mut all = futures::stream::iter(streams).flatten_unordered(None);
    let (mut tokens, mut firsts, mut prefill) = (0, 0, Duration::ZERO);
    let mut open = 0;
    while let Some(event) = all.next().await {
        match event? {
            Event::Started { .. } => open += 1,
            Event::Token(_) => {
                tokens += 1;
                if firsts < open {
                    firsts += 1;
                    prefill = started.elapsed();
                }
            }
            Event::Done(_) | Event::Raw(_) => {}
        }
    }
    let _ = tokens;
    Ok((prefill, started.elapsed() - prefill))
}

fn random_tokens(seed: u32, length: usize, vocab: u32) -> Vec<u32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        300 + (state >> 8) % (vocab - 300)
    };
    (0..length).map(next).collect()
}
