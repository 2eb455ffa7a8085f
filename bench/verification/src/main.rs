//! The study as a command: see the library.

use anyhow::{Result, ensure};
use atoma_audit::tolerant::CHANCE;
use atoma_bench_verification::{
    Found, Honest, Model, Row, Study, Tolerant, Trials, Wanted, cheats, cost, honest, interval,
    tolerant,
};
use clap::Parser;
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

#[derive(Debug, Parser)]
#[command(about = "a study of audits: what is found, what isn't, and what it costs")]
struct Args {
    /// A model's folder; the built-in model if absent.
    #[arg(long, value_name = "FOLDER")]
    model: Option<PathBuf>,
    /// Wrong answers of each kind of cheat.
    #[arg(long, default_value_t = 400)]
    answers: usize,
    /// Honest answers.
    #[arg(long, default_value_t = 100_000)]
    honest: usize,
    /// After so many minutes no more honest answers are computed, however many there are.
    #[arg(long, value_name = "MINUTES")]
    minutes: Option<u64>,
    /// Which honest answers are drawn: another number draws others.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Answers whose cost is measured, one at a time and eight at once.
    #[arg(long, default_value_t = 96)]
    cost: usize,
    /// Honest tokens of each tolerant class, from which its lines are fitted; 0 leaves the tolerant classes out.
    #[arg(long, value_name = "TOKENS", default_value_t = 0)]
    tolerant: u64,
    /// Tokens of each cheat there.
    #[arg(long, value_name = "TOKENS", default_value_t = 4_000)]
    tolerant_cheats: u64,
    /// Folder for the tables, which `cargo xtask performance` puts into the document.
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let model = Model(args.model.clone());
    // first, while nothing else of this process runs
    let costs = cost(&model, args.cost).await?;
    for cost in &costs {
        let (at_once, ratio) = (cost.at_once, cost.ratio());
        println!("{at_once} at once: a look costs {ratio:.2} of the answer");
    }
    let rows = cheats(&model, args.answers, told).await?;
    let minutes = args
        .minutes
        .map(|minutes| Duration::from_secs(60 * minutes));
    let wanted = Wanted {
        answers: args.honest,
        seed: args.seed,
        until: minutes.map(|minutes| Instant::now() + minutes),
    };
    let honest = honest(&model, &wanted, progress).await?;
    progress(&honest);
    let trials = Trials {
        honest: args.tolerant,
        cheats: args.tolerant_cheats,
        seed: args.seed,
    };
    let classes = tolerant(&model, trials, depart).await?;
    let study = Study {
        model: name(&model),
        honest,
        rows,
        costs,
        classes,
    };
    if let Some(folder) = &args.report {
        for report in study.reports() {
            report.write(folder)?;
        }
    }
    ensure!(
        study.honest.wronged.is_empty(),
        "honest answers were found guilty: {:#?}",
        study.honest.wronged
    );
    let unexpected = study.rows.iter().filter(|row| !row.is_as_expected());
    let unexpected: Vec<&str> = unexpected.map(|row| row.kind.name()).collect();
    ensure!(unexpected.is_empty(), "not as expected: {unexpected:?}");
    Ok(())
}

fn name(model: &Model) -> String {
    let folder = model.0.as_ref().and_then(|folder| folder.file_name());
    folder.map_or("the built-in model".to_owned(), |name| {
        name.to_string_lossy().into_owned()
    })
}

fn told(row: &Row) {
    let (low, high) = interval(row.caught, row.wrong());
    let found: Vec<String> = row
        .findings
        .values()
        .map(|(text, count)| format!("{count} × {text}"))
        .collect();
    println!(
        "{:22} {:5} tried, {:4} alike, {:5} caught ({:.1} to {:.1} %): {}",
        row.kind.name(),
        row.tried,
        row.alike,
        row.caught,
        100.0 * low,
        100.0 * high,
        found.join("; ")
    );
}

fn depart(class: &Tolerant) {
    let (name, honest) = (class.class, &class.fitted);
    println!(
        "{name:?}: {} honest tokens, {:.2e} others, {:.2e} gross; of 200 tokens a line at {:.2e} short, {:.2e} apart",
        class.tokens,
        honest.others,
        honest.gross,
        honest.short.line(200, CHANCE / 4.0) / 200.0,
        honest.apart.line(200, CHANCE / 4.0) / 200.0,
    );
    for row in &class.rows {
        let sums = row.sums();
        let mean = |sum: f64| sum / sums.tokens.max(1) as f64;
        let (alone, audits) = (
            Found::of(honest, &row.answers),
            Found::of(honest, &row.audits),
        );
        println!(
            "  {}: {} tokens, {:.4} others, {} gross, {:.2e} short, {:.2e} apart; answers {alone:?}; audits {audits:?}",
            row.does,
            sums.tokens,
            mean(sums.others as f64),
            sums.gross,
            mean(sums.short),
            mean(sums.apart),
        );
    }
}

fn progress(honest: &Honest) {
    println!(
        "{} honest answers of {} tokens: {} found guilty",
        honest.answers,
        honest.tokens,
        honest.wronged.len()
    );
}
