//! Prefill and decode speed of the embedded engine on a 107 M parameter model with random weights,
//! at 1 and 8 requests, of equal and of different lengths; with `--features llama-cpp` beside
//! llama.cpp on the same weights, in the same run.
//!
//! `cargo run --release [--features llama-cpp] -- [PROMPT] [OUTPUT]`

mod engine;
#[cfg(feature = "llama-cpp")]
mod gguf;
#[cfg(feature = "llama-cpp")]
mod llama;

use std::time::Duration;

use atoma_engine::WeightType;
use atoma_engine::testing::RandomModel;

/// Repetitions; the best counts, as everything else on the machine only makes it slower.
const REPEATS: usize = 3;

type Failure = Box<dyn std::error::Error>;

/// How many requests of which lengths.
#[derive(Clone, Copy)]
struct Shape {
    requests: usize,
    prompt: usize,
    /// By how much each prompt is longer than the one before.
    spread: usize,
    output: usize,
}

/// How long the two phases took.
#[derive(Clone, Copy)]
struct Times {
    prefill: Duration,
    decode: Duration,
}

impl Shape {
    fn lengths(self) -> impl Iterator<Item = usize> {
        (0..self.requests).map(move |i| self.prompt + i * self.spread)
    }

    /// Prompts that differ from run to run, so that no cache helps.
    fn prompts(self, run: u32, vocab: u32) -> Vec<Vec<u32>> {
        let seed = self.requests as u32 * 1_000_000 + self.spread as u32 * 10_000 + run * 100;
        let prompt = |(i, length)| random_tokens(seed + i as u32, length, vocab);
        self.lengths().enumerate().map(prompt).collect()
    }

    fn report(self, name: &str, times: Times) {
        let prompts: usize = self.lengths().sum();
        // The first token of each answer comes out of the prefill.
        let decoded = self.requests * (self.output - 1);
        println!(
            "{name:<22} {} x {}{:<4} prefill {:>6.0} tok/s   decode {:>7.1} tok/s",
            self.requests,
            self.prompt,
            if self.spread > 0 { "+9i" } else { "" },
            prompts as f64 / times.prefill.as_secs_f64(),
            decoded as f64 / times.decode.as_secs_f64(),
        );
    }
}

/// The best of several runs, phase by phase.
fn best(mut run: impl FnMut(u32) -> Result<Times, Failure>) -> Result<Times, Failure> {
    let mut best = Times { prefill: Duration::MAX, decode: Duration::MAX };
    for repeat in 0..REPEATS {
        let times = run(repeat as u32)?;
        best.prefill = best.prefill.min(times.prefill);
        best.decode = best.decode.min(times.decode);
    }
    Ok(best)
}

fn random_tokens(seed: u32, length: usize, vocab: u32) -> Vec<u32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        300 + (state >> 8) % (vocab - 300)
    };
    (0..length).map(next).collect()
}

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let prompt: usize = args.first().map_or(Ok(256), |a| a.parse())?;
    let output: usize = args.get(1).map_or(Ok(32), |a| a.parse())?;
    let shapes = [(1, 0), (8, 0), (8, 9)]
        .map(|(requests, spread)| Shape { requests, prompt, spread, output });
    let folder = std::env::temp_dir().join(format!("bench-engine-{}", std::process::id()));
    let model = RandomModel::m110();
    model.write(&folder)?;
    let result = compare(&model, &folder, &shapes);
    std::fs::remove_dir_all(&folder)?;
    result
}

fn compare(model: &RandomModel, folder: &std::path::Path, shapes: &[Shape]) -> Result<(), Failure> {
    #[cfg(feature = "llama-cpp")]
    let llama = {
        let file = folder.join("model-f32.gguf");
        gguf::write(model, &file)?;
        llama::Llama::load(&file)?
    };
    let _ = model;
    let f32s = engine::Atoma::load(folder, WeightType::F32)?;
    let bf16 = engine::Atoma::load(folder, WeightType::Bf16)?;
    // Shape by shape, so that all meet the same state of the machine.
    for shape in shapes {
        #[cfg(feature = "llama-cpp")]
        shape.report("llama.cpp f32", llama.run(*shape)?);
        shape.report("atoma f32", f32s.run(*shape)?);
        shape.report("atoma bf16", bf16.run(*shape)?);
    }
    Ok(())
}
