//! Streams over an upstream at a model's pace: what the node adds to the time to the first token.

use crate::{
    load::Outcome,
    network::{Bench, Evidence},
    rounds::{self, CONNECTIONS, Lane, Size, Turns, median},
    serving::{ALONE, Signer, body, relay},
};
use anyhow::Result;
use atoma_bench_report::{Report, Table};
use std::{path::Path, time::Duration};

/// Added time to the first token, in milliseconds.
const TTFT_GOAL_MS: u32 = 1;
/// A quick model's pace.
const PACE: Duration = Duration::from_millis(5);

/// Time to the first token at 64 streams, at the pace of a model: what the node adds is its own
/// work and not the queue before a saturated core.
pub(crate) async fn run(atoma: &Path, size: Size) -> Result<Report> {
    let bench = Bench::start(atoma, Some(PACE), Evidence::None).await?;
    let (signer, body) = (&Signer::new(&bench), &body(true));
    let (floor, floor_address) = bench.floor()?;
    let lanes = [
        Lane {
            name: "direct",
            goal: None,
            measured: Vec::new(),
            address: bench.upstream_address.clone(),
            prepare: Box::new(move |_| relay(body, None)),
        },
        Lane {
            name: "bare hyper proxy",
            goal: None,
            measured: vec![&floor],
            address: floor_address,
            prepare: Box::new(move |_| relay(body, None)),
        },
        Lane {
            name: "node",
            goal: None,
            measured: vec![&bench.node],
            address: bench.node_address.clone(),
            prepare: Box::new(move |count| Box::new(signer.requests(body, count, ALONE))),
        },
    ];
    let all = rounds::run(&lanes, size, || {}).await?;
    let setup = format!(
        "{CONNECTIONS} streams, a token every {} ms, {} turns of {} streams each",
        PACE.as_millis(),
        size.rounds,
        size.requests
    );
    println!("\n{setup}");
    let mut table = Table::new(&["Figure", "Unit"], &["Goal", "Node", "Bare hyper proxy"]);
    for (name, quantile, goal) in [
        ("median", 0.5, Some(TTFT_GOAL_MS)),
        ("99th percentile", 0.99, None),
    ] {
        let added = Added::of(&all, quantile);
        println!(
            "time to first token, {name}: direct {:.2} ms; added, median of the rounds: bare proxy {:.2} ms, node {:.2} ms{}",
            added.direct,
            added.proxy,
            added.node,
            goal.map_or_else(String::new, |goal| format!(" (goal {goal})")),
        );
        table.row([
            format!("added time to first token, {name}"),
            "ms".to_owned(),
            goal.map_or_else(String::new, |goal| format!("< {goal}")),
            format!("{:.2}", added.node),
            format!("{:.2}", added.proxy),
        ]);
    }
    let (proxy, node) = (median(&all[1].totals()), median(&all[2].totals()));
    println!("CPU-us per stream of 16 tokens: bare proxy {proxy:.0}, node {node:.0}");
    table.row([
        "a stream of 16 tokens",
        "CPU-µs",
        "",
        &format!("{node:.0}"),
        &format!("{proxy:.0}"),
    ]);
    Ok(Report::of_today("streams", setup, table))
}

/// Times to the first token, in milliseconds: of the upstream itself, and what stands before it adds,
/// the median of the rounds.
struct Added {
    direct: f64,
    proxy: f64,
    node: f64,
}

impl Added {
    fn of(all: &[Turns], quantile: f64) -> Self {
        let first = |lane: usize| -> Vec<f64> {
            let turns = all[lane].turns.iter();
            let times = turns.map(|turn| Outcome::quantile(&turn.outcome.first_byte, quantile));
            times.map(|first| first.as_secs_f64() * 1e3).collect()
        };
        let direct = first(0);
        let added = |lane: usize| {
            let each = first(lane);
            let added = each.iter().zip(&direct).map(|(by, direct)| by - direct);
            median(&added.collect::<Vec<_>>())
        };
        Self {
            proxy: added(1),
            node: added(2),
            direct: median(&direct),
        }
    }
}
