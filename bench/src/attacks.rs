//! Honest clients beside all attacks at once that docs/threat-model.md has on a node's port: how many of them
//! fail, how long they wait, and how much memory the node takes, beside what the formula allows.

use crate::{
    attackers::{self, Attackers},
    load::{self, Outcome},
    network::{Bench, Evidence},
    serving::{self, ALONE, Signer},
};
use anyhow::Result;
use atoma_bench_report::{Report, Table};
use bytes::Bytes;
use clap::Args;
use std::{path::Path, sync::Arc, time::Duration};

/// Each token of an answer takes the upstream so long.
const PACE: Duration = Duration::from_millis(1);
/// The attackers stand by then.
const GATHERING: Duration = Duration::from_secs(3);

/// How many honest clients, and what they ask.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Crowd {
    /// Honest clients, each with a connection.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Requests of all of them together.
    #[arg(long, default_value_t = 3_200)]
    requests: usize,
}

/// What a node may take in memory, in KiB; docs/operators.md has the same formula.
#[derive(Clone, Copy, Debug)]
struct Formula {
    /// What it takes without anybody.
    base: u64,
    connections: u64,
    requests: u64,
    long_bodies: u64,
}

impl Formula {
    /// Buffers and the state of a connection.
    const CONNECTION: u64 = 32;
    /// A request's body of up to 64 KiB: as it came, parsed, and as the engine gets it.
    const REQUEST: u64 = 3 * 64;
    /// The same of what is beyond.
    const LONG_BODIES: u64 = 3;
    /// What is freed stays with the process for a moment, in case it is needed again: with an allocator that gives
    /// all back at once (`MIMALLOC_PURGE_DELAY=0`) this is 1, and answers are dearer.
    const FREED: u64 = 2;

    fn most(self) -> u64 {
        let live = self.connections * Self::CONNECTION
            + self.requests * Self::REQUEST
            + self.long_bodies * Self::LONG_BODIES;
        self.base + Self::FREED * live
    }
}

/// What was measured.
struct Figures {
    quiet: Outcome,
    beside: Outcome,
    peak_kib: u64,
    formula: Formula,
}

pub(crate) async fn run(atoma: &Path, crowd: Crowd) -> Result<Report> {
    let bench = Bench::start(atoma, Some(PACE), Evidence::None).await?;
    let signer = Arc::new(Signer::new(&bench));
    let body = serving::body(false);
    let base = bench.node.peak_memory_kib()?;
    let quiet = honest(&bench, &signer, &body, crowd).await?;
    let attackers = Attackers::start(&bench.node_address, &signer)?;
    tokio::time::sleep(GATHERING).await;
    let beside = honest(&bench, &signer, &body, crowd).await?;
    let figures = Figures {
        quiet,
        beside,
        peak_kib: bench.node.peak_memory_kib()?,
        formula: Formula {
            base,
            connections: (attackers::CONNECTIONS + crowd.clients) as u64,
            requests: (attackers::REQUESTS + crowd.clients) as u64,
            long_bodies: attackers::LONG_BYTES as u64 / 1_024,
        },
    };
    println!("{}", attackers.stop());
    let table = figures.table();
    println!("{}", table.to_markdown());
    let setup = format!(
        "{} honest clients, {} requests, 16 tokens at one a millisecond",
        crowd.clients, crowd.requests
    );
    Ok(Report::of_today("attacks", setup, table))
}

impl Figures {
    fn table(&self) -> Table {
        let millis = |outcome: &Outcome, quantile| {
            let took = Outcome::quantile(&outcome.total, quantile).as_millis();
            took.to_string()
        };
        let mut table = Table::new(&["Figure", "Unit"], &["Alone", "Beside the attackers"]);
        let mut row = |name: &str, unit: &str, alone: String, beside: String| {
            table.row([name, unit, &alone, &beside]);
        };
        let failed = |outcome: &Outcome| outcome.failed.to_string();
        row(
            "honest requests that failed",
            "",
            failed(&self.quiet),
            failed(&self.beside),
        );
        for (name, quantile) in [
            ("an honest answer, half of them within", 0.5),
            ("99 of 100 within", 0.99),
        ] {
            row(
                name,
                "ms",
                millis(&self.quiet, quantile),
                millis(&self.beside, quantile),
            );
        }
        let mib = |kib: u64| (kib / 1_024).to_string();
        let (base, most) = (self.formula.base, self.formula.most());
        row(
            "the node's memory at most",
            "MiB",
            mib(base),
            mib(self.peak_kib),
        );
        row("the formula's", "MiB", String::new(), mib(most));
        table
    }
}

/// An error if any of them fails.
async fn honest(bench: &Bench, signer: &Signer, body: &Bytes, crowd: Crowd) -> Result<Outcome> {
    let requests = signer.requests(body, crowd.requests, ALONE);
    load::run(&bench.node_address, crowd.clients, crowd.requests, requests).await
}
