//! `atoma cost`: what a workload costs and where the money goes. The arithmetic is `atoma-cost`'s.

use crate::{config_file::ConfigFile, help, output::Output};
use anyhow::{Context, Result};
use atoma_cost::{Basis, CostError, Usd};
use clap::Args;
use serde::Serialize;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Cost {
    /// Figures in a TOML file, under the names of the flags with underscores; flags win.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the picture to this file (SVG).
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    figures: Figures,
}

/// Every figure of `atoma_cost::Assumptions` but the price list of others, which only a file can bring.
#[derive(Debug, Default, Args, Serialize)]
struct Figures {
    /// llama-3.1-70b or llama-3.1-405b: its prices and speed are the defaults of those below.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// What compute is priced by: tokens (what nodes charge) or gpu (what nodes pay).
    #[arg(long)]
    basis: Option<Basis>,
    /// Requests a day.
    #[arg(long, value_name = "N")]
    requests_per_day: Option<u64>,
    /// Input tokens of a request.
    #[arg(long, value_name = "N")]
    input_tokens: Option<u64>,
    /// Output tokens of a request.
    #[arg(long, value_name = "N")]
    output_tokens: Option<u64>,
    /// Dollars for a million input tokens.
    #[arg(long, value_name = "USD")]
    input_price: Option<Usd>,
    /// Dollars for a million output tokens.
    #[arg(long, value_name = "USD")]
    output_price: Option<Usd>,
    /// Dollars for an hour of a GPU.
    #[arg(long, value_name = "USD")]
    gpu_hour: Option<Usd>,
    /// Input tokens a second of a busy GPU.
    #[arg(long, value_name = "N")]
    input_tokens_per_second: Option<u64>,
    /// Output tokens a second of a busy GPU.
    #[arg(long, value_name = "N")]
    output_tokens_per_second: Option<u64>,
    /// How much of its time a rented GPU is busy, thousandths.
    #[arg(long, value_name = "N")]
    utilisation_permille: Option<u64>,
    /// Dollars for a transaction on the ledger.
    #[arg(long, value_name = "USD")]
    sui_transaction: Option<Usd>,
    /// Tokens that a stack pays for.
    #[arg(long, value_name = "N")]
    stack_tokens: Option<u64>,
    /// Transactions in the life of a stack.
    #[arg(long, value_name = "N")]
    stack_transactions: Option<u64>,
    /// The longest life of a stack, days.
    #[arg(long, value_name = "N")]
    stack_days: Option<u64>,
    /// Nodes that share the requests; each fills packs of its own.
    #[arg(long, value_name = "N")]
    nodes: Option<u64>,
    /// Bytes of a record beside its text.
    #[arg(long, value_name = "N")]
    record_overhead: Option<u64>,
    /// Bytes of text that a token is.
    #[arg(long, value_name = "N")]
    bytes_per_token: Option<u64>,
    /// A pack closes at this size, bytes.
    #[arg(long, value_name = "N")]
    pack_bytes: Option<u64>,
    /// A pack closes at so many records.
    #[arg(long, value_name = "N")]
    pack_records: Option<u64>,
    /// A pack closes at this age, seconds.
    #[arg(long, value_name = "N")]
    pack_seconds: Option<u64>,
    /// Transactions that store a pack.
    #[arg(long, value_name = "N")]
    pack_transactions: Option<u64>,
    /// How long evidence is kept, days.
    #[arg(long, value_name = "N")]
    retention_days: Option<u64>,
    /// Dollars for a billed GB on Walrus for a year.
    #[arg(long, value_name = "USD")]
    walrus_gb_year: Option<Usd>,
    /// Dollars for writing a billed GB, once.
    #[arg(long, value_name = "USD")]
    walrus_gb_write: Option<Usd>,
    /// Shards of the storage network.
    #[arg(long, value_name = "N")]
    walrus_shards: Option<u16>,
    /// Days of an epoch of the storage network.
    #[arg(long, value_name = "N")]
    walrus_epoch_days: Option<u64>,
    /// How likely a settled stack is audited, thousandths.
    #[arg(long, value_name = "N")]
    audit_permille: Option<u64>,
    /// Attesters of an audit.
    #[arg(long, value_name = "N")]
    audit_attesters: Option<u64>,
    /// Answers that each attester checks.
    #[arg(long, value_name = "N")]
    audit_samples: Option<u64>,
    /// The protocol's part of what nodes are paid, thousandths.
    #[arg(long, value_name = "N")]
    protocol_fee_permille: Option<u64>,
    /// What a gateway adds to everything, thousandths.
    #[arg(long, value_name = "N")]
    gateway_fee_permille: Option<u64>,
    /// The chain's share to find batches and stacks for, thousandths.
    #[arg(long, value_name = "N")]
    target_permille: Option<u64>,
}

pub(crate) fn run(cost: &Cost, output: &Output) -> Result<()> {
    let file = cost.config.as_deref().map(ConfigFile::read).transpose()?;
    let text = file.as_ref().map(ConfigFile::text);
    let figures =
        atoma_cost::resolve(text, &cost.figures).map_err(|error| match (error, &file) {
            (CostError::Settings(error), Some(file)) => file.wrong(&error).into(),
            (error, _) => anyhow::Error::from(error),
        })?;
    let report = atoma_cost::report(&figures)?;
    if let Some(path) = &cost.plot {
        std::fs::write(path, atoma_cost::to_svg(&report))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if output.is_json() {
        output.bytes(format!("{}\n", serde_json::to_string(&report)?).as_bytes());
    } else {
        output.bytes(help::fitting(&atoma_cost::to_text(&report)).as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::collections::BTreeSet;

    #[derive(Debug, Parser)]
    struct CommandLine {
        #[command(flatten)]
        cost: Cost,
    }

    /// A figure without a flag, or a flag without a figure, is a mistake.
    #[test]
    fn every_figure_has_a_flag() -> Result<()> {
        let names = |value: serde_json::Value| -> BTreeSet<String> {
            let object = value.as_object().cloned().unwrap_or_default();
            object.into_iter().map(|(name, _)| name).collect()
        };
        let mut figures = names(serde_json::to_value(atoma_cost::resolve(
            None,
            &Figures::default(),
        )?)?);
        assert!(figures.remove("web2"));
        assert_eq!(names(serde_json::to_value(Figures::default())?), figures);
        Ok(())
    }

    #[test]
    fn flags_reach_the_figures() -> Result<()> {
        let line = CommandLine::try_parse_from([
            "cost",
            "--requests-per-day",
            "7",
            "--gpu-hour",
            "2.5",
            "--basis",
            "gpu",
        ])?;
        let figures = atoma_cost::resolve(Some("nodes = 3"), &line.cost.figures)?;
        assert_eq!((figures.requests_per_day, figures.nodes), (7, 3));
        assert_eq!(figures.gpu_hour.to_string(), "2.50");
        assert_eq!(figures.basis, Basis::Gpu);
        assert!(CommandLine::try_parse_from(["cost", "--gpu-hour", "free"]).is_err());
        Ok(())
    }
}
