//! A node's operator: running it, and the steps on the ledger one by one.

mod at_risk;
mod calls;
mod command;
mod engines;
mod run;
mod settle;

pub(crate) use self::command::NodeCommand;
use crate::{
    call::call_and_tell,
    named::Named,
    output::{Facts, Output, money},
    settings::Settings,
};
use anyhow::Result;
use atoma_ledger::Ledger;
use atoma_types::{
    TimestampMs,
    chain::{Node, NodeStatus},
};
use serde_json::json;

pub(crate) async fn run(command: NodeCommand, settings: Settings, output: &Output) -> Result<()> {
    // a node finds its ledger by its own file
    let ledger = async || settings.ledger().await;
    match command {
        NodeCommand::Run { config, model_keys } => {
            run::run(&config, model_keys.as_deref(), &settings, output).await
        }
        NodeCommand::List { all } => list(&ledger().await?, all, output).await,
        NodeCommand::Show { node } => show(&ledger().await?, &node, output).await,
        NodeCommand::Node(about) => {
            let ledger = ledger().await?;
            call_and_tell(&ledger, &settings, about.call(&ledger).await?, output).await
        }
        NodeCommand::Task(about) => {
            let ledger = ledger().await?;
            call_and_tell(&ledger, &settings, about.call(&ledger).await?, output).await
        }
        NodeCommand::Upkeep(what) => {
            let ledger = ledger().await?;
            call_and_tell(&ledger, &settings, what.call(&ledger).await?, output).await
        }
    }
}

async fn list(ledger: &Ledger, all: bool, output: &Output) -> Result<()> {
    let (nodes, now) = (ledger.all_nodes().await?, ledger.clock().await?);
    let shown = nodes.iter();
    let shown = shown.filter(|node| all || node.status != NodeStatus::Left);
    output.narrow_table(
        shown.map(|node| summary(node, now)).collect(),
        &ONLY_WIDE,
        "no node is registered",
    );
    Ok(())
}

async fn show(ledger: &Ledger, node: &Named, output: &Output) -> Result<()> {
    let node = ledger.node(node.node(ledger).await?).await?;
    let mut facts = summary(&node, ledger.clock().await?);
    facts.extend(at_risk::at_risk(ledger, &node).await?);
    output.object(facts);
    Ok(())
}

/// What a list shows only where there is room.
const ONLY_WIDE: [&str; 6] = [
    "status_until_ms",
    "at_stake_micro_usdc",
    "pending_fines_micro_usdc",
    "paid_tickets",
    "convictions",
    "owner",
];

fn summary(node: &Node, now: TimestampMs) -> Facts {
    let (status, until) = match node.status {
        NodeStatus::Active => ("active", None),
        // the ledger keeps the word until something else comes
        NodeStatus::Jailed { until_ms } if until_ms <= now => ("active", None),
        NodeStatus::Jailed { until_ms } => ("jailed", Some(until_ms.0)),
        NodeStatus::Unbonding { until_ms } => ("unbonding", Some(until_ms.0)),
        NodeStatus::Left => ("left", None),
    };
    vec![
        ("node", json!(node.id)),
        ("url", json!(node.url)),
        ("status", json!(status)),
        ("status_until_ms", json!(until)),
        ("collateral_micro_usdc", money(node.collateral)),
        ("at_stake_micro_usdc", money(node.at_stake)),
        ("credit_micro_usdc", money(node.earnings)),
        ("pending_fines_micro_usdc", money(node.pending.fines)),
        ("reputation", json!(node.standing.reputation)),
        ("paid_tickets", json!(node.standing.paid)),
        ("convictions", json!(node.standing.convicted)),
        ("owner", json!(node.owner)),
    ]
}
