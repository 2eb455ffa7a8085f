//! Prefill and decode speed of the embedded engine on a 107 M parameter model with random weights,
//! at 1 and 8 requests, of equal and of different lengths; with `--features llama-cpp` beside
//! llama.cpp on the same weights, in the same run.
//!
//! `cargo run --release [--features llama-cpp] -- [ROUNDS] [THREADS] [PROMPT] [OUTPUT] [--report FOLDER]`
//!
//! The engines take turns, round by round, so that all meet the same state of the machine. The best
//! round counts, as everything else on the machine only makes a round slower; the median of the
//! rounds' ratios stands beside it, to show whether the two agree.

mod engine;
#[cfg(feature = "llama-cpp")]
mod gguf;
#[cfg(feature = "llama-cpp")]
mod llama;

use std::path::Path;
use std::time::Duration;

use atoma_bench_report::{Report, Table};
use atoma_engine::WeightType;
use atoma_engine::testing::RandomModel;

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

/// What one round took.
#[derive(Clone, Copy)]
struct Times {
    /// From the start to everybody's first token.
    prefill: Duration,
    decode: Duration,
    /// Processor time of all threads while decoding.
    decode_cpu: Duration,
    /// Tokens that came out while decoding.
    decoded: usize,
}

/// Runs a shape once; the number of the round makes the prompts differ, so that no cache helps.
type Run<'a> = Box<dyn FnMut(u32) -> Result<Times, Failure> + 'a>;

impl Shape {
    fn lengths(self) -> impl Iterator<Item = usize> {
        (0..self.requests).map(move |i| self.prompt + i * self.spread)
    }

    fn prompts(self, round: u32, vocab: u32) -> Vec<Vec<u32>> {
        let seed = self.requests as u32 * 1_000_000 + self.spread as u32 * 10_000 + round * 100;
        let prompt = |(i, length)| random_tokens(seed + i as u32, length, vocab);
        self.lengths().enumerate().map(prompt).collect()
    }

    fn prefill_rate(self, times: &Times) -> f64 {
        self.lengths().sum::<usize>() as f64 / times.prefill.as_secs_f64()
    }

    fn name(self) -> String {
        let spread = if self.spread > 0 {
            format!("+{}i", self.spread)
        } else {
            String::new()
        };
        format!("{} x {}{spread}", self.requests, self.prompt)
    }
}

impl Times {
    fn decode_rate(&self) -> f64 {
        self.decoded as f64 / self.decode.as_secs_f64()
    }

    fn cpu_per_token(&self) -> f64 {
        self.decode_cpu.as_secs_f64() * 1e6 / self.decoded as f64
    }
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
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let report = match args.iter().position(|arg| arg == "--report") {
        None => None,
        Some(at) => {
            let folder = args.drain(at..(at + 2).min(args.len())).nth(1).ok_or("--report needs a folder")?;
            Some(folder)
        }
    };
    let number = |i: usize, usual| args.get(i).map_or(Ok(usual), |a| a.parse::<usize>());
    let all = std::thread::available_parallelism()?.get();
    let (rounds, threads) = (number(0, 5)?, number(1, all)?);
    let (prompt, output) = (number(2, 256)?, number(3, 32)?);
    let shapes = [(1, 0), (8, 0), (8, 9)].map(|(requests, spread)| Shape {
        requests,
        prompt,
        spread,
        output,
    });
    let folder = std::env::temp_dir().join(format!("bench-engine-{}", std::process::id()));
    let model = RandomModel::m110();
    model.write(&folder)?;
    let result = compare(&model, &folder, &shapes, rounds, threads);
    std::fs::remove_dir_all(&folder)?;
    let table = result?;
    if let Some(folder) = report {
        let setup = format!(
            "107 M parameters, {threads} threads, prompts from {prompt} tokens, {output} of output, \
             decoding in tokens a second, the best of {rounds} rounds; goals: 1.0 × llama.cpp at one \
             request, 1.3 × at eight"
        );
        Report::of_today("engine", setup, table).write(Path::new(&folder))?;
    }
    Ok(())
}

fn compare(
    model: &RandomModel,
    folder: &Path,
    shapes: &[Shape],
    rounds: usize,
    threads: usize,
) -> Result<Table, Failure> {
    #[cfg(feature = "llama-cpp")]
    let llama = {
        let file = folder.join("model-f32.gguf");
        gguf::write(model, &file)?;
        llama::Llama::load(&file, threads)?
    };
    let _ = model;
    let f32s = engine::Atoma::load(folder, WeightType::F32, threads)?;
    let bf16 = engine::Atoma::load(folder, WeightType::Bf16, threads)?;
    let mut table = Table::new(
        &["Requests", "Engine"],
        &["tokens a second", "Beside the first", "Median of rounds"],
    );
    for shape in shapes {
        let mut runs: Vec<(&str, Run<'_>)> = Vec::new();
        #[cfg(feature = "llama-cpp")]
        runs.push(("llama.cpp f32", Box::new(llama.run(*shape)?)));
        runs.push(("atoma f32", Box::new(|round| f32s.run(*shape, round))));
        runs.push(("atoma bf16", Box::new(|round| bf16.run(*shape, round))));
        let mut times: Vec<Vec<Times>> = vec![Vec::new(); runs.len()];
        for round in 0..rounds {
            for ((_, run), times) in runs.iter_mut().zip(&mut times) {
                times.push(run(round as u32)?);
            }
        }
        report(*shape, &runs, &times, &mut table);
    }
    Ok(table)
}

/// One line per engine, with its speed relative to the first.
fn report(shape: Shape, runs: &[(&str, Run<'_>)], times: &[Vec<Times>], table: &mut Table) {
    let best =
        |times: &[Times], of: &dyn Fn(&Times) -> f64| times.iter().map(of).fold(0.0, f64::max);
    for ((name, _), own) in runs.iter().zip(times) {
        let prefill = best(own, &|t| shape.prefill_rate(t));
        let decode = best(own, &Times::decode_rate);
        let cpu = 1.0 / best(own, &|t| 1.0 / t.cpu_per_token());
        let pairs = own.iter().zip(&times[0]);
        let mut ratios: Vec<f64> = pairs
            .map(|(a, b)| a.decode_rate() / b.decode_rate())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let beside = decode / best(&times[0], &Times::decode_rate);
        let median = ratios[ratios.len() / 2];
        println!(
            "{:<13} {name:<14} prefill {prefill:>5.0} tok/s  decode {decode:>6.1} tok/s  \
             {cpu:>6.0} CPU-us/tok  x{beside:.2} (median x{median:.2})",
            shape.name(),
        );
        table.row([
            shape.name(),
            (*name).to_owned(),
            format!("{decode:.1}"),
            format!("{beside:.2} ×"),
            format!("{median:.2} ×"),
        ]);
    }
}
