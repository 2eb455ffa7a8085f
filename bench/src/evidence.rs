//! What evidence costs a node: the bodies' way into its log, which is on the serving path, and sealing,
//! packing and storing, which is not.

use crate::{
    network::{Bench, Evidence},
    rounds::{self, Lane, Size, median},
    serving::{Signer, body},
};
use anyhow::Result;
use std::path::Path;

/// Goal of the project: what the serving path may use for it, in CPU-microseconds per request.
const GOAL: f64 = 10.0;

pub(crate) async fn run(atoma: &Path, size: Size) -> Result<()> {
    let mut benches = Vec::new();
    for (name, evidence) in [
        ("node without evidence", Evidence::None),
        ("with bodies in its log", Evidence::Logged),
        ("sealing, packing and storing too", Evidence::Packed),
    ] {
        let bench = Bench::start(atoma, None, evidence).await?;
        benches.push((name, Signer::new(&bench), bench));
    }
    let body = &body(false);
    let lanes: Vec<_> = benches
        .iter()
        .map(|(name, signer, bench)| Lane {
            name,
            goal: None,
            measured: vec![&bench.node],
            address: bench.node_address.clone(),
            prepare: Box::new(move |count| Box::new(signer.requests(body, count))),
        })
        .collect();
    rounds::head(size);
    let all = rounds::run(&lanes, size, || {}).await?;
    for turns in &all {
        turns.print();
    }
    let added = |lane: usize| {
        let pairs = all[lane].totals().into_iter().zip(all[0].totals());
        median(
            &pairs
                .map(|(with, without)| with - without)
                .collect::<Vec<_>>(),
        )
    };
    println!(
        "added on the serving path: {:.1} CPU-us (goal under {GOAL}); with all work in the background: {:.1}; each the \
         median of the rounds' differences",
        added(1),
        added(2),
    );
    Ok(())
}
