//! Stacks: buying, granting, adding, closing.

use crate::{
    client::{self, client_folder},
    named::Named,
    output::{Facts, Output, money, price},
    settings::Settings,
    values::Usdc,
};
use anyhow::Result;
use atoma_client::{BuyRequest, Client, StackHandle, known_networks};
use atoma_types::{
    ComputeUnits, DurationMs, NetworkId, NodeId, Price,
    chain::{Lease, LeaseState, Selection, Stack},
};
use clap::Subcommand;
use serde_json::json;
use std::{path::Path, str::FromStr};

#[derive(Debug, Subcommand)]
pub(crate) enum StackCommand {
    /// Show a stack: units, leases, money.
    Show {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
    },
    /// List the stacks bought with this data folder.
    List {
        /// Closed ones, and those of other networks, as well.
        #[arg(long)]
        all: bool,
    },
    /// Buy units of a task, paid into escrow.
    Buy {
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
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
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// Units in all.
        units: u64,
    },
    /// Add units to a stack; their price goes into its escrow.
    TopUp {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
        /// How many units to add.
        units: u64,
    },
    /// Let it live longer.
    Extend {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
        /// By how many seconds.
        seconds: u64,
    },
    /// End it now: nodes settle, the rest comes back.
    Close {
        /// The stack's id or a beginning of it, or a model's name for its newest stack.
        stack: Named,
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
            let stack = ledger.stack(stack.stack(&client).await?).await?;
            let model = ledger.task(stack.task).await?.model_name;
            output.object(summary(&stack, &model));
            output.table(
                stack.leases.iter().map(lease).collect(),
                "no node has a lease",
            );
        }
        StackCommand::List { all } => list(&client, all, &settings, output).await?,
        StackCommand::Buy {
            task,
            units,
            max_price,
            selection,
            lifetime,
        } => {
            let request = BuyRequest {
                task: task.task(ledger).await?,
                units: ComputeUnits(units),
                max_price: Price(max_price.0.0),
                selection: selection.0,
                lifetime: DurationMs(lifetime.saturating_mul(1_000)),
            };
            let progress = output.progress("buying");
            let stack = client.buy(request).await;
            progress.finish_and_clear();
            output.object(of(&stack?));
        }
        StackCommand::Grant { stack, node, units } => {
            let stack = client.open(stack.stack(&client).await?).await?;
            let node = node.node(ledger).await?;
            grant(&stack, node, ComputeUnits(units), output).await?;
        }
        StackCommand::TopUp { stack, units } => {
            let stack = client.open(stack.stack(&client).await?).await?;
            stack.top_up(ComputeUnits(units)).await?;
            output.object(refreshed(&stack).await?);
        }
        StackCommand::Extend { stack, seconds } => {
            let stack = client.open(stack.stack(&client).await?).await?;
            stack
                .extend(DurationMs(seconds.saturating_mul(1_000)))
                .await?;
            output.object(refreshed(&stack).await?);
        }
        StackCommand::Close { stack } => {
            let stack = client.open(stack.stack(&client).await?).await?;
            close(&stack, output).await?;
        }
    }
    Ok(())
}

async fn grant(
    stack: &StackHandle,
    node: NodeId,
    units: ComputeUnits,
    output: &Output,
) -> Result<()> {
    let progress = output.progress("the node takes the grant to the ledger");
    let granted = stack.grant(node, units).await;
    progress.finish_and_clear();
    granted?;
    output.object(refreshed(stack).await?);
    Ok(())
}

async fn close(stack: &StackHandle, output: &Output) -> Result<()> {
    let progress = output.progress("the nodes settle, the dispute window passes");
    let closed = stack.close().await;
    progress.finish_and_clear();
    let closed = closed?;
    output.object(vec![
        ("stack", json!(stack.id())),
        ("paid_to_nodes_micro_usdc", money(closed.paid)),
        ("fees_micro_usdc", money(closed.fees)),
        ("refunded_micro_usdc", money(closed.refunded)),
        ("damages_micro_usdc", money(closed.damages)),
    ]);
    Ok(())
}

/// What a list shows only where there is room.
const ONLY_WIDE: [&str; 3] = ["task", "selection", "ungranted_units"];

async fn list(client: &Client, all: bool, settings: &Settings, output: &Output) -> Result<()> {
    let stacks = client.stacks().await?;
    let mut rows: Vec<Facts> = stacks.iter().map(of).collect();
    if all {
        for id in client.closed_stacks()? {
            let stack = client.ledger().stack(id).await?;
            let model = client.ledger().task(stack.task).await?.model_name;
            rows.push(summary(&stack, &model));
        }
    }
    output.narrow_table(
        rows,
        &ONLY_WIDE,
        "no open stacks: buy one with `atoma stack buy`",
    );
    let others = of_other_networks(&client_folder(settings), client.ledger().network())?;
    match others.len() {
        0 => {}
        _ if all => {
            output.say("\non networks other than the one in use:");
            output.table(others, "");
        }
        count => output.note(format!(
            "{count} stacks of other networks are not shown: --all shows them"
        )),
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

async fn refreshed(stack: &StackHandle) -> Result<Facts> {
    Ok(summary(&stack.refresh().await?, &stack.task().model_name))
}

/// A stack as last read.
pub(crate) fn of(stack: &StackHandle) -> Facts {
    summary(&stack.view(), &stack.task().model_name)
}

fn summary(stack: &Stack, model: &str) -> Facts {
    let selection = match stack.selection {
        Selection::Single => "single".to_owned(),
        Selection::Limited { nodes } => format!("limited:{nodes}"),
        Selection::Any => "any".to_owned(),
    };
    vec![
        ("stack", json!(stack.id)),
        ("model", json!(model)),
        ("state", json!(if stack.closed { "closed" } else { "open" })),
        ("task", json!(stack.task)),
        ("selection", json!(selection)),
        ("units", json!(stack.total_units.0)),
        ("ungranted_units", json!(stack.ungranted_units().0)),
        ("escrow_micro_usdc", money(stack.escrow)),
        (
            "max_price_micro_usdc_per_million_units",
            price(stack.max_price),
        ),
        ("expires_at_ms", json!(stack.expires_at_ms.0)),
    ]
}

fn lease(lease: &Lease) -> Facts {
    let row = |state: &str, units: Option<u64>, paid: Option<u64>, payable: Option<u64>| -> Facts {
        vec![
            ("node", json!(lease.node)),
            ("units", json!(lease.units.0)),
            ("price_micro_usdc_per_million_units", price(lease.price)),
            ("state", json!(state)),
            ("claimed_units", json!(units)),
            ("paid_micro_usdc", json!(paid)),
            ("payable_at_ms", json!(payable)),
        ]
    };
    match &lease.state {
        LeaseState::Open => row("open", None, None, None),
        LeaseState::Settling(ticket) => row(
            "settling",
            Some(ticket.claimed_units.0),
            None,
            Some(ticket.deadline_ms.0),
        ),
        LeaseState::Closed { paid_units, paid } => {
            row("closed", Some(paid_units.0), Some(paid.0), None)
        }
    }
}
