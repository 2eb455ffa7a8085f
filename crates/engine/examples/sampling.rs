//! What choosing one token of a large vocabulary costs, by the shape of the distribution and by
//! `top_p`: `cargo run --release -p atoma-engine --example sampling`. The median and the best of many.

use atoma_engine::{Sampling, testing::choose};
use tokio::time::Instant;

/// As large as Qwen's.
const VOCABULARY: usize = 152_064;
const ROUNDS: usize = 41;

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

fn main() {
    println!(
        "{:<22} {:>7} {:>9} {:>9}",
        "distribution", "top_p", "median ms", "best ms"
    );
    for (name, spread, peaks) in [
        ("sure of few", 2.5, 40),
        ("wide", 2.5, 0),
        ("hot", 1.2, 0),
        ("flat", 1e-3, 0),
    ] {
        let row = logits(spread, peaks);
        for top_p in [1.0, 0.9, 0.95, 0.99, 0.999] {
            let sampling = Sampling {
                temperature: 1.0,
                top_p,
                ..Sampling::GREEDY
            };
            let mut times: Vec<f64> = (0..ROUNDS)
                .map(|position| {
                    let mut row = row.clone();
                    let started = Instant::now();
                    choose(&mut row, &sampling, position);
                    started.elapsed().as_secs_f64() * 1e3
                })
                .collect();
            times.sort_by(f64::total_cmp);
            println!(
                "{name:<22} {top_p:>7} {:>9.2} {:>9.2}",
                times[ROUNDS / 2],
                times[0]
            );
        }
    }
}
