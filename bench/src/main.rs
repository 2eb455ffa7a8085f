//! Measurements. Each prints its figure beside its goal and a peer or limit measured in the same
//! run. CPU time comes from the kernel's books of child processes, so the load generator's own
//! work doesn't count.

mod attackers;
mod attacks;
mod builds;
mod evidence;
mod floor;
mod ledger;
mod load;
mod network;
mod process;
mod rounds;
mod serving;
mod streams;
mod upstream;

use crate::rounds::Size;
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Parser)]
#[command(about = "measurements beside peers and limits")]
struct Args {
    /// The binary to measure.
    #[arg(long, default_value = "target/release/atoma")]
    atoma: PathBuf,
    /// Folder for the figures' table, which `cargo xtask performance` puts into the documents.
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// CPU per request and memory of node and gateway over an instant upstream.
    Serving(Size),
    /// Time to first token and CPU per stream of a node over an upstream at a model's pace.
    Streams(Size),
    /// CPU per request that evidence adds to a node.
    Evidence(Size),
    /// Honest clients of a node beside all attacks on its port at once: failures, waiting, memory.
    Attacks(attacks::Crowd),
    /// Transactions per second of localnet.
    Localnet {
        /// How many transactions are sent, from several wallets at once.
        #[arg(long, default_value_t = 5_000)]
        transactions: usize,
    },
    /// A clean release build: time, CPU, its longest crates; and how long the demo takes.
    Builds,
    /// An OpenAI-compatible server that answers at once (used by the others).
    Upstream {
        /// Pause before each token of a stream.
        #[arg(long)]
        pause_ms: Option<u64>,
    },
    /// A bare proxy before an upstream's address (used by the others).
    Floor {
        /// Host and port.
        upstream: String,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    if matches!(
        args.what,
        What::Serving { .. } | What::Streams { .. } | What::Evidence { .. } | What::Localnet { .. }
    ) {
        process::pin_self()?;
    }
    let report = match args.what {
        What::Serving(size) => serving::run(&args.atoma, size).await?,
        What::Streams(size) => streams::run(&args.atoma, size).await?,
        What::Evidence(size) => evidence::run(&args.atoma, size).await?,
        What::Attacks(crowd) => attacks::run(&args.atoma, crowd).await?,
        What::Localnet { transactions } => ledger::run(&args.atoma, transactions).await?,
        What::Builds => builds::run()?,
        What::Upstream { pause_ms } => return upstream::run(pause_ms).await,
        What::Floor { upstream } => return floor::run(upstream).await,
    };
    match args.report {
        Some(folder) => report.write(&folder),
        None => Ok(()),
    }
}
