//! Streams over an upstream at a model's pace: what the node adds to the time to the first token.

use crate::{
    load::Outcome,
    network::{Bench, Evidence},
    rounds::{self, CONNECTIONS, Lane, Size, median, per},
    serving::{ALONE, Signer, body, relay},
};
use anyhow::Result;
use std::{path::Path, time::Duration};

/// Added time to the first token.
const TTFT_GOAL_US: u32 = 1_000;
/// A quick model's pace.
const PACE: Duration = Duration::from_millis(5);

/// Time to the first token at 64 streams, at the pace of a model: what the node adds is its own
/// work and not the queue before a saturated core.
pub(crate) async fn run(atoma: &Path, size: Size) -> Result<()> {
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
    println!(
        "\n{CONNECTIONS} streams, a token every {} ms, {} streams a turn",
        PACE.as_millis(),
        size.requests
    );
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        let first = |lane: usize| -> Vec<f64> {
            let turns = all[lane].turns.iter();
            let micros = turns.map(|turn| Outcome::quantile(&turn.outcome.first_byte, quantile));
            micros.map(|first| per(first, 1)).collect()
        };
        let (direct, proxy, node) = (first(0), first(1), first(2));
        let added = |by: &[f64]| {
            let added = by.iter().zip(&direct).map(|(by, direct)| by - direct);
            median(&added.collect::<Vec<_>>())
        };
        println!(
            "time to first token {name}: direct {:.0} us; added, median of the rounds: bare proxy {:.0} us, node {:.0} us (goal {TTFT_GOAL_US})",
            median(&direct),
            added(&proxy),
            added(&node),
        );
    }
    println!(
        "CPU-us per stream of 16 tokens: bare proxy {:.0}, node {:.0}",
        median(&all[1].totals()),
        median(&all[2].totals()),
    );
    Ok(())
}
