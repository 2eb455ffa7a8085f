//! A node's operator: running it, and the steps on the ledger one by one.

mod engines;
mod run;

use crate::{
    output::{Facts, Output},
    settings::Settings,
    values::Usdc,
};
use anyhow::Result;
use atoma_ledger::Ledger;
use atoma_types::{
    ComputeUnits, NodeId, Price, PublicKey, TaskId,
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
    List,
    /// Show one node.
    Show {
        /// The node's id, as `atoma node list` shows it.
        node: NodeId,
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
        /// The node's id, as `atoma node list` shows it.
        node: NodeId,
        /// The task's id, as `atoma task list` shows it.
        task: TaskId,
        /// USDC per million units.
        #[arg(long, value_name = "USDC")]
        price: Usdc,
        /// Units under lease at once.
        #[arg(long, value_name = "UNITS")]
        capacity: u64,
    },
    /// Take no more leases of a task.
    Unsubscribe {
        /// The node's id, as `atoma node list` shows it.
        node: NodeId,
        /// The task's id, as `atoma task list` shows it.
        task: TaskId,
    },
    /// Add collateral, which counts in the draw of nodes for stacks.
    AddCollateral {
        /// The node's id, as `atoma node list` shows it.
        node: NodeId,
        /// How much, in USDC.
        amount: Usdc,
    },
    /// Begin to leave the network.
    Unbond {
        /// The node's id, as `atoma node list` shows it.
        node: NodeId,
    },
    /// Take the collateral out after the wait.
    Withdraw {
        /// The node's id, as `atoma node list` shows it.
        node: NodeId,
    },
}

pub(crate) async fn run(command: NodeCommand, settings: Settings, output: &Output) -> Result<()> {
    if let NodeCommand::Run { config } = &command {
        return run::run(config, &settings, output).await;
    }
    let ledger = settings.ledger().await?;
    match &command {
        NodeCommand::List => {
            let rows = ledger.all_nodes().await?.iter().map(summary).collect();
            output.table(rows, "no node is registered");
        }
        NodeCommand::Show { node } => output.object(summary(&ledger.node(*node).await?)),
        _ => {
            let Some(call) = call_for(&ledger, &command) else {
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
fn call_for(ledger: &Ledger, command: &NodeCommand) -> Option<Call> {
    let db = ledger.deployment().db;
    Some(match command {
        NodeCommand::Run { .. } | NodeCommand::List | NodeCommand::Show { .. } => return None,
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
            task: (*task).into(),
            node: (*node).into(),
            price: Price(price.0.0),
            capacity: ComputeUnits(*capacity),
        }
        .into(),
        NodeCommand::Unsubscribe { node, task } => calls::Unsubscribe {
            task: (*task).into(),
            node: (*node).into(),
        }
        .into(),
        NodeCommand::AddCollateral { node, amount } => calls::AddCollateral {
            node: (*node).into(),
            collateral: Payment(amount.0),
        }
        .into(),
        NodeCommand::Unbond { node } => calls::BeginUnbonding {
            db: db.into(),
            node: (*node).into(),
            clock: Clock,
        }
        .into(),
        NodeCommand::Withdraw { node } => calls::WithdrawCollateral {
            node: (*node).into(),
            clock: Clock,
        }
        .into(),
    })
}

fn summary(node: &Node) -> Facts {
    let status = match node.status {
        NodeStatus::Active => "active".to_owned(),
        NodeStatus::Jailed { until_ms } => format!("jailed until {until_ms}"),
        NodeStatus::Unbonding { until_ms } => format!("unbonding until {until_ms}"),
        NodeStatus::Left => "left".to_owned(),
    };
    vec![
        ("node", json!(node.id)),
        ("url", json!(node.url)),
        ("status", json!(status)),
        ("collateral", json!(node.collateral.to_string())),
        ("reputation", json!(node.reputation)),
        ("settled", json!(node.settled)),
        ("failed", json!(node.failed)),
        ("owner", json!(node.owner)),
    ]
}
