//! `atoma sim`: who earns what under the contract's rules. The simulation is `atoma-sim`'s.

use crate::output::Output;
use anyhow::{Context, Result, bail};
use atoma_sim::{Plan, Progress, Report, Size, Strategy};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Play one strategy against honesty.
    Run(Run),
    /// The parameters under which no strategy pays, and what each strategy earns under them.
    Advise(Advise),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// What a coalition does: honest, cheap-model, selective, withholding, overcounting, capacity-bluff, sybil,
    /// self-convicting, wash-trading, colluding-share, lazy-examiner, copying-examiner, helped-examiner, bribed-examiners,
    /// griefing-user, accusing-owner, squatting-user, regional-outage.
    #[arg(long, value_name = "NAME", default_value = "cheap-model", value_parser = strategy)]
    strategy: Strategy,
    #[command(flatten)]
    network: Network,
    /// A parameter of the contract or an assumption of the simulation, by name; repeat for more.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, u64)>,
}

#[derive(Debug, Args)]
pub(crate) struct Advise {
    #[command(flatten)]
    network: Network,
    /// Write the plots into this folder (SVG).
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
}

/// How large a network is simulated.
#[derive(Debug, Args)]
struct Network {
    /// How many nodes there are.
    #[arg(long, value_name = "N", default_value_t = Size::default().nodes)]
    nodes: u64,
    /// How many requests are made, by all users together.
    #[arg(long, value_name = "N", default_value_t = Size::default().requests)]
    requests: u64,
    /// Where all chance comes from: the same seed gives the same bytes.
    #[arg(long, value_name = "N", default_value_t = Size::default().seed)]
    seed: u64,
}

fn strategy(name: &str) -> Result<Strategy, String> {
    Strategy::named(name).ok_or_else(|| "no such strategy".to_owned())
}

fn setting(text: &str) -> Result<(String, u64), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let value = value.parse().map_err(|_| "a whole number is needed")?;
    Ok((name.to_owned(), value))
}

pub(crate) fn run(command: &SimCommand, output: &Output) -> Result<()> {
    match command {
        SimCommand::Run(run) => play(run, output),
        SimCommand::Advise(advise) => advice(advise, output),
    }
}

fn play(run: &Run, output: &Output) -> Result<()> {
    let Network {
        nodes,
        requests,
        seed,
    } = run.network;
    let mut plan = Plan::new(run.strategy, nodes, requests, seed);
    for (name, value) in &run.set {
        if !plan.rules.params.set(name, *value) && !plan.market.set(name, *value) {
            bail!("there is no parameter or assumption {name}");
        }
    }
    let progress = output.progress("simulating");
    let measured = atoma_sim::measure(&plan);
    progress.finish_and_clear();
    let report = Report::new(&measured?);
    if output.is_json() {
        output.bytes(format!("{}\n", serde_json::to_string(&report)?).as_bytes());
    } else {
        output.bytes(report.to_text().as_bytes());
    }
    Ok(())
}

fn advice(advise: &Advise, output: &Output) -> Result<()> {
    let progress = output.progress("simulating");
    let size = Size {
        nodes: advise.network.nodes,
        requests: advise.network.requests,
        seed: advise.network.seed,
    };
    let advice = atoma_sim::advise_telling(size, |at| {
        let Progress { now, done, all } = at;
        progress.set_message(format!("simulating: {now} ({done} of {all} done)"));
    });
    progress.finish_and_clear();
    let advice = advice?;
    if let Some(folder) = &advise.plots {
        for (name, svg) in advice.plots() {
            let path = folder.join(name);
            std::fs::write(&path, svg)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    let text = if output.is_json() {
        advice.to_json()?
    } else {
        advice.to_text()
    };
    output.bytes(text.as_bytes());
    Ok(())
}
