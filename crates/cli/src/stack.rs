//! Stacks: buying, granting, adding, closing.

use crate::{
    client::{self, client_folder},
    output::{Facts, Output},
    settings::Settings,
    values::Usdc,
};
use anyhow::Result;
use atoma_client::{BuyRequest, known_networks};
use atoma_types::{
    ComputeUnits, DurationMs, NetworkId, NodeId, Price, StackId, TaskId,
    chain::{Lease, LeaseState, Selection, Stack},
};
use clap::Subcommand;
use serde_json::json;
use std::{path::Path, str::FromStr};

#[derive(Debug, Subcommand)]
pub(crate) enum StackCommand {
    /// Show a stack: units, leases, money.
    Show {
        /// The stack's id, as `atoma stack list` shows it.
        stack: StackId,
    },
    /// List the stacks bought with this data folder.
    List,
    /// Buy units of a task, paid into escrow.
    Buy {
        /// The task's id, as `atoma task list` shows it.
        task: TaskId,
        /// How many units.
        #[arg(long)]
        units: u64,
        /// The highest price, USDC per million units.
        #[arg(long, value_name = "USDC")]
        max_price: Usdc,
        /// `single`, `limited:N` or `any`.
        #[arg(long, default_value = "single")]
        selection: SelectionArg,
        /// How long it lives, in seconds.
        #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
        lifetime: u64,
    },
    /// Give a node units of a stack (limited, any).
    Grant {
        /// The stack's id, as `atoma stack list` shows it.
        stack: StackId,
        /// The node's id, as `atoma node list` shows it.
        node: NodeId,
        /// Units in all.
        units: u64,
    },
    /// Add units to a stack; their price goes into its escrow.
    TopUp {
        /// The stack's id, as `atoma stack list` shows it.
        stack: StackId,
        /// How many units to add.
        units: u64,
    },
    /// Let it live longer.
    Extend {
        /// The stack's id, as `atoma stack list` shows it.
        stack: StackId,
        /// By how many seconds.
        seconds: u64,
    },
    /// End it now: nodes settle, the rest comes back.
    Close {
        /// The stack's id, as `atoma stack list` shows it.
        stack: StackId,
    },
}

/// `single`, `limited:N`, `any`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SelectionArg(Selection);

impl FromStr for SelectionArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "single" => Ok(Self(Selection::Single)),
            None if text == "any" => Ok(Self(Selection::Any)),
            Some(("limited", n)) => n
                .parse()
                .map(|nodes| Self(Selection::Limited { nodes }))
                .map_err(|_| "limited takes a number from 1 to 16".to_owned()),
            _ => Err("expected single, limited:N or any".to_owned()),
        }
    }
}

pub(crate) async fn run(command: StackCommand, settings: Settings, output: &Output) -> Result<()> {
    let client = client::open(&settings, None).await?;
    let ledger = client.ledger();
    match command {
        StackCommand::Show { stack } => {
            let stack = ledger.stack(stack).await?;
            output.object(summary(&stack));
            output.table(
                stack.leases.iter().map(lease).collect(),
                "no node has a lease",
            );
        }
        StackCommand::List => {
            let mut rows = Vec::new();
            for stack in client.stacks().await? {
                rows.push(summary(&stack.view()));
            }
            output.table(rows, "no stacks yet: buy one with `atoma stack buy`");
            let others = of_other_networks(&client_folder(&settings), ledger.network())?;
            if !others.is_empty() {
                output.say("\non networks other than the one in use:");
                output.table(others, "");
            }
        }
        StackCommand::Buy {
            task,
            units,
            max_price,
            selection,
            lifetime,
        } => {
            let request = BuyRequest {
                task,
                units: ComputeUnits(units),
                max_price: Price(max_price.0.0),
                selection: selection.0,
                lifetime: DurationMs(lifetime.saturating_mul(1_000)),
            };
            let progress = output.progress("buying");
            let stack = client.buy(request).await?;
            progress.finish_and_clear();
            output.object(summary(&stack.view()));
        }
        StackCommand::Grant { stack, node, units } => {
            let progress = output.progress("the node takes the grant to the ledger");
            let stack = client.open(stack).await?;
            stack.grant(node, ComputeUnits(units)).await?;
            progress.finish_and_clear();
            output.object(summary(&stack.refresh().await?));
        }
        StackCommand::TopUp { stack, units } => {
            let stack = client.open(stack).await?;
            stack.top_up(ComputeUnits(units)).await?;
            output.object(summary(&stack.refresh().await?));
        }
        StackCommand::Extend { stack, seconds } => {
            let stack = client.open(stack).await?;
            stack
                .extend(DurationMs(seconds.saturating_mul(1_000)))
                .await?;
            output.object(summary(&stack.refresh().await?));
        }
        StackCommand::Close { stack } => {
            let progress = output.progress("the nodes settle, the dispute window passes");
            let closed = client.open(stack).await?.close().await?;
            progress.finish_and_clear();
            output.object(vec![
                ("stack", json!(stack)),
                ("paid_to_nodes", json!(closed.paid.0)),
                ("fees", json!(closed.fees.0)),
                ("refunded", json!(closed.refunded.0)),
                ("damages", json!(closed.damages.0)),
            ]);
        }
    }
    Ok(())
}

/// The stacks in the data folder that the network in use can know nothing of: their own may be gone, as a
/// devnet is that was started anew.
fn of_other_networks(folder: &Path, here: NetworkId) -> Result<Vec<Facts>> {
    let mut rows = Vec::new();
    for known in known_networks(folder)? {
        if known.network == here {
            continue;
        }
        rows.extend(known.stacks.iter().map(|stack| {
            vec![
                ("stack", json!(stack)),
                ("state", json!("of another network")),
                ("network", json!(known.network)),
            ]
        }));
    }
    Ok(rows)
}

fn summary(stack: &Stack) -> Facts {
    vec![
        ("stack", json!(stack.id)),
        ("task", json!(stack.task)),
        (
            "selection",
            json!(format!("{:?}", stack.selection).to_lowercase()),
        ),
        ("units", json!(stack.total_units.0)),
        ("ungranted", json!(stack.ungranted_units().0)),
        ("escrow", json!(stack.escrow.to_string())),
        ("max_price", json!(stack.max_price.to_string())),
        ("expires_at_ms", json!(stack.expires_at_ms.0)),
        ("closed", json!(stack.closed)),
    ]
}

fn lease(lease: &Lease) -> Facts {
    let state = match &lease.state {
        LeaseState::Open => "open".to_owned(),
        LeaseState::Settling(ticket) => {
            format!(
                "claims {}, payable from {}",
                ticket.claimed_units, ticket.deadline_ms
            )
        }
        LeaseState::Closed { paid_units, paid } => format!("paid {paid} for {paid_units}"),
    };
    vec![
        ("node", json!(lease.node)),
        ("units", json!(lease.units.0)),
        ("price", json!(lease.price.to_string())),
        ("state", json!(state)),
    ]
}
