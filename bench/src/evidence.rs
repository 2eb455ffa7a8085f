//! What evidence costs a node: the bodies' way into its log, which is on the serving path, and sealing,
//! packing and storing, which is not.
//!
//! The log is written by the journal's own thread, and nothing else of the serving path changes. So what
//! the log adds is told by that thread's time beside the other threads' of the same process: on a machine
//! whose speed changes from second to second, differences between processes say little.

use crate::{
    network::{Bench, Evidence},
    process::Process,
    rounds::{self, CPU_A_REQUEST, Lane, Size, median},
    serving::{ALONE, Signer, body},
};
use anyhow::{Result, bail, ensure};
use atoma_bench_report::{Report, Table};
use std::path::Path;

/// Goal of the project: what the serving path may use for it, in CPU-microseconds per request.
const GOAL: f64 = 10.0;
/// The thread that writes the node's journal, and with it the evidence log.
const JOURNAL: &str = "store-journal";

pub(crate) async fn run(atoma: &Path, size: Size) -> Result<Report> {
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
            prepare: Box::new(move |count| Box::new(signer.requests(body, count, ALONE))),
        })
        .collect();
    rounds::head(size);
    let all = rounds::run(&lanes, size, || {}).await?;
    for turns in &all {
        turns.print();
    }
    let [none, logged, packed] = &all[..] else {
        bail!("there are three lanes");
    };
    let (without, with) = (journal(&benches[0].2.node)?, journal(&benches[1].2.node)?);
    let node = median(&none.totals());
    let serving = (with - without) * node / (1.0 + without);
    let background: Vec<_> = (packed.totals().iter().zip(logged.totals()))
        .map(|(packed, logged)| packed - logged)
        .collect();
    let background = median(&background);
    println!(
        "the journal's thread, per second of the others': {without:.3} without, {with:.3} with a log"
    );
    println!("added on the serving path: {serving:.1} CPU-us of {node:.0} (goal under {GOAL})");
    println!(
        "by the work in the background: {background:.1}, the median of the rounds' differences"
    );

    let mut table = Table::new(&["Figure", "Unit"], &["Goal", "Median"]);
    for (name, goal, value) in [
        ("node without evidence", String::new(), node),
        (
            "added on the serving path by the log of bodies",
            format!("< {GOAL}"),
            serving,
        ),
        (
            "added in the background by sealing, packing and storing",
            String::new(),
            background,
        ),
    ] {
        table.row([name, CPU_A_REQUEST, &goal, &format!("{value:.1}")]);
    }
    Ok(Report::of_today("evidence", size.setup(), table))
}

/// What the journal's thread used beside all others.
///
/// # Errors
/// No thread has its name: a figure of nothing would look like a goal that is met.
fn journal(node: &Process) -> Result<f64> {
    let journal = node.cpu_of(|name| name == JOURNAL)?;
    ensure!(!journal.is_zero(), "no thread is called {JOURNAL}");
    let others = node.cpu_of(|name| name != JOURNAL)?;
    Ok(journal.as_secs_f64() / others.as_secs_f64())
}
