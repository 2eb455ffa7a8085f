//! What evidence costs a node: the bodies' way into its log, which is on the serving path, and sealing,
//! packing and storing, which is not.

use crate::{
    network::{Bench, Evidence},
    serving::{CONNECTIONS, Cell, Signer, best, body, row},
};
use anyhow::Result;
use std::path::Path;

/// Goal of the project: what the serving path may use for it, in CPU-microseconds per request.
const GOAL: i128 = 10;

pub(crate) async fn run(atoma: &Path, requests: usize) -> Result<()> {
    println!(
        "instant upstream, {CONNECTIONS} connections, {requests} requests a pass, best of passes"
    );
    println!(
        "{:34} {:>10} {:>8} {:>10} {:>10} {:>10}",
        "", "CPU-us/req", "goal", "p50 us", "p99 us", "req/s"
    );
    let none = cell(atoma, requests, Evidence::None).await?;
    row("node without evidence", None, &none);
    let logged = cell(atoma, requests, Evidence::Logged).await?;
    row("with bodies in its log", None, &logged);
    let packed = cell(atoma, requests, Evidence::Packed).await?;
    row("sealing, packing and storing too", None, &packed);
    let added = |cell: &Cell| cell.total().cast_signed() - none.total().cast_signed();
    println!(
        "added on the serving path: {} CPU-us (goal under {GOAL}); with all work in the background: {}",
        added(&logged),
        added(&packed),
    );
    Ok(())
}

async fn cell(atoma: &Path, requests: usize, evidence: Evidence) -> Result<Cell> {
    let bench = Bench::start(atoma, None, evidence).await?;
    let (signer, body) = (Signer::new(&bench), body(false));
    best(&[&bench.node], &bench.node_address, requests, || {
        signer.requests(&body, requests)
    })
    .await
}
