//! Stacks: buying, granting, adding, closing.

use crate::{
    args::StackCommand,
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::Result;
use atoma_client::{BuyRequest, Client, ClientConfig};
use atoma_types::{
    ComputeUnits, DurationMs, Price,
    chain::{Lease, LeaseState, Stack},
};
use atoma_walrus::client::WalrusClient;
use serde_json::json;

/// The user's client, with its keys and receipts in the data folder.
pub(crate) async fn client(settings: &Settings) -> Result<Client> {
    client_with(settings, None).await
}

/// The same, with a Walrus where requests can be stored before they are sent.
pub(crate) async fn client_with(
    settings: &Settings,
    walrus: Option<WalrusClient>,
) -> Result<Client> {
    let config = ClientConfig {
        data_dir: Some(settings.home.join("client")),
        walrus,
        ..ClientConfig::default()
    };
    // the ledger first: its error says what to do
    let ledger = settings.ledger().await?;
    Ok(Client::with_ledger(ledger, settings.key()?, config)?)
}

pub(crate) async fn run(command: StackCommand, settings: Settings, output: &Output) -> Result<()> {
    let client = client(&settings).await?;
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
