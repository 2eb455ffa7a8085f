//! A node's operator: running it, and the steps on the ledger one by one.

mod engines;
mod run;

use crate::{
    named::Named,
    output::{Facts, Output, money},
    settings::Settings,
    values::Usdc,
};
use anyhow::Result;
use atoma_ledger::Ledger;
use atoma_types::{
    ComputeUnits, Price, PublicKey,
    chain::{Call, Clock, Event, Node, NodeStatus, Payment, calls},
};
use clap::Subcommand;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Run a node until Ctrl-C or SIGTERM, then drain.
    Run {
        /// Configuration file (TOML).
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// List the registered nodes.
    List {
        /// Those that have left as well.
        #[arg(long)]
        all: bool,
    },
    /// Show one node.
    Show {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
    /// Register a node; the keystore's address becomes its owner.
    Register {
        /// Where it serves.
        #[arg(long)]
        url: String,
        /// Collateral in USDC.
        #[arg(long, value_name = "USDC")]
        collateral: Usdc,
        /// Public key (hex) that signs its receipts.
        #[arg(long, value_name = "HEX")]
        response_key: PublicKey,
    },
    /// Subscribe a node to a task, or change its price and capacity.
    Subscribe {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
        /// USDC per million units.
        #[arg(long, value_name = "USDC")]
        price: Usdc,
        /// Units under lease at once.
        #[arg(long, value_name = "UNITS")]
        capacity: u64,
    },
    /// Take no more leases of a task.
    Unsubscribe {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
    },
    /// Add collateral, which counts in the draw of nodes for stacks.
    AddCollateral {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// How much, in USDC.
        amount: Usdc,
    },
    /// Begin to leave the network.
    Unbond {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
    /// Take the collateral out after the wait.
    Withdraw {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
}

pub(crate) async fn run(command: NodeCommand, settings: Settings, output: &Output) -> Result<()> {
    if let NodeCommand::Run { config } = &command {
        return run::run(config, &settings, output).await;
    }
    let ledger = settings.ledger().await?;
    match &command {
        NodeCommand::List { all } => {
            let nodes = ledger.all_nodes().await?;
            let shown = nodes.iter();
            let shown = shown.filter(|node| *all || node.status != NodeStatus::Left);
            let empty = "no node is registered";
            output.narrow_table(shown.map(summary).collect(), &ONLY_WIDE, empty);
        }
        NodeCommand::Show { node } => {
            let node = ledger.node(node.node(&ledger).await?).await?;
            output.object(summary(&node));
        }
        _ => {
            let Some(call) = call_for(&ledger, &command).await? else {
                return Ok(());
            };
            execute(&ledger, &settings, call, output).await?;
        }
    }
    Ok(())
}

async fn execute(ledger: &Ledger, settings: &Settings, call: Call, output: &Output) -> Result<()> {
    let done = ledger.execute(&settings.key()?, vec![call]).await?;
    let mut facts: Facts = vec![
        ("transaction", json!(done.digest.to_string())),
        ("gas_mist", json!(done.gas_used)),
    ];
    for event in &done.events {
        if let Event::NodeRegistered(registered) = event {
            facts.insert(0, ("node", json!(registered.node)));
        }
    }
    output.object(facts);
    Ok(())
}

/// The ledger call of a command, where it is one.
async fn call_for(ledger: &Ledger, command: &NodeCommand) -> Result<Option<Call>> {
    let db = ledger.deployment().db;
    Ok(Some(match command {
        NodeCommand::Run { .. } | NodeCommand::List { .. } | NodeCommand::Show { .. } => {
            return Ok(None);
        }
        NodeCommand::Register {
            url,
            collateral,
            response_key,
        } => calls::RegisterNode {
            db: db.into(),
            collateral: Payment(collateral.0),
            url: url.clone(),
            response_key: *response_key,
            sealing_key: None,
        }
        .into(),
        NodeCommand::Subscribe {
            node,
            task,
            price,
            capacity,
        } => calls::Subscribe {
            db: db.into(),
            task: task.task(ledger).await?.into(),
            node: node.node(ledger).await?.into(),
            price: Price(price.0.0),
            capacity: ComputeUnits(*capacity),
        }
        .into(),
        NodeCommand::Unsubscribe { node, task } => calls::Unsubscribe {
            task: task.task(ledger).await?.into(),
            node: node.node(ledger).await?.into(),
        }
        .into(),
        NodeCommand::AddCollateral { node, amount } => calls::AddCollateral {
            node: node.node(ledger).await?.into(),
            collateral: Payment(amount.0),
        }
        .into(),
        NodeCommand::Unbond { node } => calls::BeginUnbonding {
            db: db.into(),
            node: node.node(ledger).await?.into(),
            clock: Clock,
        }
        .into(),
        NodeCommand::Withdraw { node } => calls::WithdrawCollateral {
            node: node.node(ledger).await?.into(),
            clock: Clock,
        }
        .into(),
    }))
}

/// What a list shows only where there is room.
const ONLY_WIDE: [&str; 4] = ["status_until_ms", "settled", "failed", "owner"];

fn summary(node: &Node) -> Facts {
    let (status, until) = match node.status {
        NodeStatus::Active => ("active", None),
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
        ("reputation", json!(node.reputation)),
        ("settled", json!(node.settled)),
        ("failed", json!(node.failed)),
        ("owner", json!(node.owner)),
    ]
}
