//! What choosing one token of a large vocabulary costs, by the shape of the distribution and by
//! `top_p`: `cargo run --release -p atoma-engine --example sampling`. `-- --report FOLDER` keeps the table for
//! `cargo xtask performance`.

use atoma_bench_report::{Report, Table};
use atoma_engine::{Sampling, testing::choose};
use std::path::PathBuf;
use tokio::time::Instant;

/// As large as Qwen's.
const VOCABULARY: usize = 152_064;
const ROUNDS: usize = 41;
const TOP_P: [f32; 5] = [1.0, 0.9, 0.95, 0.99, 0.999];

/// Numbers that look normal, the same in each run.
fn normal(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed;
    let mut uniform = move || {
        state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    move || (0..12).map(|_| uniform()).sum::<f32>() - 6.0
}

fn logits(spread: f32, peaks: usize) -> Vec<f32> {
    let mut normal = normal(7);
    let mut logits: Vec<f32> = (0..VOCABULARY).map(|_| normal() * spread).collect();
    for peak in 0..peaks {
        logits[peak * 97] = 14.0 - peak as f32 * 0.3;
    }
    logits
}

fn main() -> anyhow::Result<()> {
    let words = ["Distribution"];
    let heads = TOP_P.map(|top_p| format!("`top_p` {top_p}"));
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&words, &heads);
    for (name, spread, peaks) in [
        ("sure of few", 2.5, 40),
        ("wide", 2.5, 0),
        ("hot", 1.2, 0),
        ("flat", 1e-3, 0),
    ] {
        let row = logits(spread, peaks);
        let times = TOP_P.map(|top_p| format!("{:.1}", best_ms(&row, top_p)));
        table.row([name.to_owned()].into_iter().chain(times));
    }
    println!("{}", table.to_markdown());
    let setup = format!(
        "milliseconds of one core to choose a token of {VOCABULARY}, the best of {ROUNDS} rounds; goal: 2"
    );
    match folder() {
        Some(folder) => Report::of_today("sampling", setup, table).write(&folder),
        None => Ok(()),
    }
}

/// The folder behind `--report`.
fn folder() -> Option<PathBuf> {
    let mut args = std::env::args().skip_while(|arg| arg != "--report");
    args.nth(1).map(PathBuf::from)
}

/// Milliseconds of the quickest of many choices.
fn best_ms(row: &[f32], top_p: f32) -> f64 {
    let sampling = Sampling {
        temperature: 1.0,
        top_p,
        ..Sampling::GREEDY
    };
    let times = (0..ROUNDS).map(|position| {
        let mut row = row.to_vec();
        let started = Instant::now();
        choose(&mut row, &sampling, position);
        started.elapsed().as_secs_f64() * 1e3
    });
    times.fold(f64::INFINITY, f64::min)
}
