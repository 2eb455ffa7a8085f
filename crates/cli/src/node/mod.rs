//! A node's operator: running it, and the steps on the ledger one by one.

mod at_risk;
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
    Address, Price, PublicKey, TimestampMs,
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
    /// Show one node, and what it loses at most if it stays away.
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
    /// Subscribe a node to a task, or change its price.
    Subscribe {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
        /// USDC per million units.
        #[arg(long, value_name = "USDC")]
        price: Usdc,
    },
    /// Take no more leases of a task.
    Unsubscribe {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
    },
    /// Add collateral, which stands for more leases at once, and counts in draws when it has matured.
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
    /// Leave after the wait: the collateral becomes credit.
    Leave {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
    /// Pay the node's whole credit out.
    Withdraw {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// To which address (default: the owner's).
        #[arg(long)]
        to: Option<Address>,
    },
    /// Give the node other keys; open leases keep the old response key until they end.
    SetKeys {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// Public key (hex) that signs its receipts from now on.
        #[arg(long, value_name = "HEX")]
        response_key: PublicKey,
    },
    /// Move fines whose time for a pardon is over to the treasury. Anyone may.
    Forfeit {
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
            let (nodes, now) = (ledger.all_nodes().await?, ledger.clock().await?);
            let shown = nodes.iter();
            let shown = shown.filter(|node| *all || node.status != NodeStatus::Left);
            let empty = "no node is registered";
            output.narrow_table(
                shown.map(|node| summary(node, now)).collect(),
                &ONLY_WIDE,
                empty,
            );
        }
        NodeCommand::Show { node } => {
            let node = ledger.node(node.node(&ledger).await?).await?;
            let mut facts = summary(&node, ledger.clock().await?);
            facts.extend(at_risk::at_risk(&ledger, &node).await?);
            output.object(facts);
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
            clock: Clock,
        }
        .into(),
        NodeCommand::Subscribe { node, task, price } => calls::Subscribe {
            db: db.into(),
            task: task.task(ledger).await?.into(),
            node: node.node(ledger).await?.into(),
            price: Price(price.0.0),
            clock: Clock,
        }
        .into(),
        NodeCommand::Unsubscribe { node, task } => calls::Unsubscribe {
            task: task.task(ledger).await?.into(),
            node: node.node(ledger).await?.into(),
        }
        .into(),
        NodeCommand::AddCollateral { node, amount } => calls::AddCollateral {
            db: db.into(),
            clock: Clock,
            node: node.node(ledger).await?.into(),
            collateral: Payment(amount.0),
        }
        .into(),
        NodeCommand::Unbond { node } => calls::BeginUnbonding {
            node: node.node(ledger).await?.into(),
            clock: Clock,
        }
        .into(),
        NodeCommand::Leave { node } => calls::LeaveNode {
            node: node.node(ledger).await?.into(),
            clock: Clock,
        }
        .into(),
        NodeCommand::Withdraw { node, to } => {
            let node = ledger.node(node.node(ledger).await?).await?;
            calls::WithdrawEarnings {
                node: node.id.into(),
                to: to.unwrap_or(node.owner),
            }
            .into()
        }
        NodeCommand::SetKeys { node, response_key } => {
            let node = ledger.node(node.node(ledger).await?).await?;
            calls::SetNodeKeys {
                node: node.id.into(),
                response_key: *response_key,
                sealing_key: node.sealing_key,
            }
            .into()
        }
        NodeCommand::Forfeit { node } => calls::Forfeit {
            db: db.into(),
            node: node.node(ledger).await?.into(),
            clock: Clock,
        }
        .into(),
    }))
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
