//! Stacks: buying, granting, adding, closing.

use crate::{
    call::call_and_tell,
    chat::USUAL_TOKENS,
    client, convicted, due, enough,
    named::Named,
    output::{Facts, Output, money, usdc, utc},
    settings::Settings,
    stack_facts::{lease, of, summary},
    stack_list,
    stack_watch::{self, WatchArgs},
    too_few,
    values::Usdc,
};
use anyhow::{Result, bail, ensure};
use atoma_client::{BuyRequest, Client, ClientError, CloseUntil, KeptReceipt, StackHandle};
use atoma_ledger::{ConnectError, ExecuteError};
use atoma_types::{
    Address, ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, StackId, TaskId,
    chain::{AbortCode, Clock, calls},
};
use clap::Subcommand;
use serde_json::json;
use std::time::Duration;

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
        /// The highest price, USDC per million units (default: the median of what nodes ask, weighted by their
        /// collateral).
        #[arg(long, value_name = "USDC")]
        max_price: Option<Usdc>,
        /// How many nodes the ledger draws that alone may serve it, at most 16; 0 for none: the cheapest that fits.
        #[arg(long, default_value_t = 0, value_name = "N")]
        nodes: u8,
        /// Grant no units yet: `atoma stack grant` does it.
        #[arg(long)]
        ungranted: bool,
        /// How long it lives, in seconds.
        #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
        lifetime: u64,
    },
    /// Give a node units of a stack; it takes as many as its free collateral stands for.
    Grant {
        /// The stack's id or a beginning of it, or a model's name if it has one open stack.
        stack: Named,
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// How many units more.
        units: u64,
    },
    /// Add units to a stack; their price goes into its escrow.
    TopUp {
        /// The stack's id or a beginning of it, or a model's name if it has one open stack.
        stack: Named,
        /// How many units to add.
        units: u64,
    },
    /// Let it live longer.
    Extend {
        /// The stack's id or a beginning of it, or a model's name if it has one open stack.
        stack: Named,
        /// By how many seconds.
        seconds: u64,
    },
    /// Watch what nodes settle, until you stop it: what the receipts here don't show is demanded, and who can be
    /// convicted is. For the owner, or whom `set-watcher` named; at most four fees a stack are paid.
    Watch(WatchArgs),
    /// Name who may demand records and challenge tickets beside you; nobody without an address.
    SetWatcher {
        /// The stack's id or a beginning of it, or a model's name if it has one open stack.
        stack: Named,
        /// The watcher's address.
        watcher: Option<Address>,
    },
    /// End it now: nodes settle, and all that they don't claim comes back.
    Close {
        /// The stack's id or a beginning of it, or a model's name if it has one open stack.
        stack: Named,
        /// Wait until nodes are paid, too: when their window is over.
        #[arg(long)]
        wait: bool,
    },
    /// Take back the units that no node has: their part of the escrow is credit, and grants given out before are void.
    Revoke {
        /// The stack's id or a beginning of it, or a model's name if it has one open stack.
        stack: Named,
    },
    /// Do what anyone may do about a stack now: draw, count verdicts, pay, convict who is late.
    Due {
        /// The stack's whole id, or a beginning of one of yours.
        stack: Named,
    },
    /// Take out what has come back of a stack.
    Withdraw {
        /// The stack's id or a beginning of it, or a model's name if it has one open stack.
        stack: Named,
        /// To which address (default: your own).
        #[arg(long)]
        to: Option<Address>,
    },
}

/// Whether the ledger doesn't answer, and may do so later.
fn is_away(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ConnectError::Read(error)) if error.is_transient())
}

pub(crate) async fn run(command: StackCommand, settings: Settings, output: &Output) -> Result<()> {
    let client = match (client::open(&settings, None).await, &command) {
        (Err(error), StackCommand::List { all }) if is_away(&error) => {
            return stack_list::without_ledger(*all, &settings, &error, output);
        }
        (opened, _) => opened?,
    };
    let ledger = client.ledger();
    match command {
        StackCommand::Show { stack } => show(&client, stack.stack(&client).await?, output).await?,
        StackCommand::List { all } => stack_list::list(&client, all, &settings, output).await?,
        StackCommand::Buy {
            task,
            units,
            max_price,
            nodes,
            ungranted,
            lifetime,
        } => {
            let task = task.task(ledger).await?;
            let max_price = match max_price {
                Some(price) => Price(price.0.0),
                None => fair(&client, task, output).await?,
            };
            let request = BuyRequest {
                task,
                units: ComputeUnits(units),
                max_price: Some(max_price),
                nodes,
                lifetime: of_seconds(lifetime),
            };
            buy(&client, request, ungranted, output).await?;
        }
        StackCommand::Grant { stack, node, units } => {
            let stack = client.open(stack.only_stack(&client).await?).await?;
            let node = node.node(ledger).await?;
            grant(&stack, node, ComputeUnits(units), output).await?;
        }
        StackCommand::TopUp { stack, units } => {
            let stack = client.open(stack.only_stack(&client).await?).await?;
            stack.top_up(ComputeUnits(units)).await?;
            output.object(refreshed(&stack).await?);
        }
        StackCommand::Extend { stack, seconds } => {
            let stack = client.open(stack.only_stack(&client).await?).await?;
            stack.extend(of_seconds(seconds)).await?;
            output.object(refreshed(&stack).await?);
        }
        StackCommand::Watch(args) => stack_watch::run(args, &client, &settings, output).await?,
        StackCommand::SetWatcher { stack, watcher } => {
            let stack = client.open(stack.only_stack(&client).await?).await?;
            stack.set_watcher(watcher).await?;
            output.object(refreshed(&stack).await?);
        }
        StackCommand::Close { stack, wait } => {
            let stack = client.open(stack.only_stack(&client).await?).await?;
            close(&stack, wait, output).await?;
        }
        StackCommand::Revoke { stack } => {
            let call = calls::RevokeUngranted {
                stack: stack.only_stack(&client).await?.into(),
                clock: Clock,
            };
            call_and_tell(ledger, &settings, call, output).await?;
        }
        StackCommand::Due { stack } => {
            due::run(ledger, stack.only_stack(&client).await?, &settings, output).await?;
        }
        StackCommand::Withdraw { stack, to } => {
            let stack = client.open(stack.only_stack(&client).await?).await?;
            withdraw(&stack, to.unwrap_or_else(|| client.address()), output).await?;
        }
    }
    Ok(())
}

fn of_seconds(seconds: u64) -> DurationMs {
    DurationMs(seconds.saturating_mul(1_000))
}

async fn show(client: &Client, stack: StackId, output: &Output) -> Result<()> {
    let ledger = client.ledger();
    let stack = ledger.stack(stack).await?;
    let model = ledger.task(stack.task).await?.model_name;
    output.object(summary(&stack, &model, client)?);
    output.table(
        stack.leases.iter().map(lease).collect(),
        "no node has a lease",
    );
    Ok(())
}

async fn buy(client: &Client, request: BuyRequest, ungranted: bool, output: &Output) -> Result<()> {
    let weights = client.ledger().task(request.task).await?.weights;
    if let Some(remark) = enough::remark(request.units, &weights, USUAL_TOKENS.into()) {
        output.note(remark);
    }
    let progress = output.progress("buying");
    let stack = client.buy(request).await;
    progress.finish_and_clear();
    let stack = match stack {
        Err(error) if is_too_few(&error) => {
            let (ledger, price) = (client.ledger(), request.max_price.unwrap_or_default());
            let why = too_few::why(ledger, request.task, price, request.nodes).await?;
            return Err(anyhow::Error::from(error).context(why));
        }
        stack => stack?,
    };
    if !ungranted {
        engage(&stack, output).await;
    }
    output.object(of(&stack)?);
    if stack.task().security_level.confidential() {
        output.note(
            "this model takes sealed requests alone: `atoma chat --confidential --policy FILE`",
        );
    }
    Ok(())
}

/// Whether fewer nodes fit than are to be drawn.
fn is_too_few(error: &ClientError) -> bool {
    let ClientError::Execute(ExecuteError::Abort { code, .. }) = error else {
        return false;
    };
    *code == AbortCode::TooFewEligible.code()
}

async fn withdraw(stack: &StackHandle, to: Address, output: &Output) -> Result<()> {
    let withdrawn = stack.withdraw_to(to).await?;
    output.object(vec![
        ("stack", json!(stack.id())),
        ("withdrawn_micro_usdc", money(withdrawn)),
    ]);
    let view = stack.view();
    let tickets = view.leases.iter().flat_map(|lease| &lease.tickets);
    let paid = tickets.map(|ticket| ticket.deadline_ms.0).max();
    if withdrawn > MicroUsdc::ZERO || view.escrow == MicroUsdc::ZERO {
        return Ok(());
    }
    if let Some(paid) = paid {
        output.note(format!(
            "nothing has come back: {} USDC are in escrow for what nodes claim, whose window ends at {}Z; the rest comes \
             back then",
            usdc(view.escrow.0),
            utc(paid)
        ));
    } else {
        output.note(format!(
            "nothing has come back: {} USDC are still in escrow for its units. `atoma stack close` ends it, `atoma stack \
             revoke` takes back what no node has",
            usdc(view.escrow.0)
        ));
    }
    Ok(())
}

/// The price for whoever names none.
async fn fair(client: &Client, task: TaskId, output: &Output) -> Result<Price> {
    let fair = match client.fair_price(task).await {
        Err(ClientError::NotOnSale { .. }) => {
            bail!("no node sells this model now: --max-price buys a stack all the same")
        }
        fair => fair?,
    };
    output.note(format!(
        "at most {} USDC per million units: nodes with half of the collateral ask no more",
        usdc(fair.0)
    ));
    Ok(fair)
}

async fn grant(
    stack: &StackHandle,
    node: NodeId,
    units: ComputeUnits,
    output: &Output,
) -> Result<()> {
    let progress = output.progress("the node takes the grant to the ledger");
    let granted = stack.grant_some(node, units).await;
    progress.finish_and_clear();
    granted?;
    output.object(refreshed(stack).await?);
    Ok(())
}

/// Has a node take the units of a stack that was bought. One that is bought without is no failure.
async fn engage(stack: &StackHandle, output: &Output) {
    let progress = output.progress("a node takes the units to the ledger");
    let engaged = stack.engage().await;
    progress.finish_and_clear();
    if let Err(error) = engaged {
        output.note(format!(
            "no node has taken its units yet ({error}): `atoma stack grant` tries again"
        ));
    }
}

/// Nodes settle at once; one that is away can do so until its grace is over.
const SETTLE_PATIENCE: Duration = Duration::from_secs(120);

async fn close(stack: &StackHandle, wait: bool, output: &Output) -> Result<()> {
    ensure!(
        !stack.is_closed(),
        "stack {} is closed already, and what was left of it has come back: `atoma stack list --all` shows it",
        stack.id()
    );
    let progress = output.progress(if wait {
        "the nodes settle, the dispute window passes"
    } else {
        "the nodes settle"
    });
    let closed = if wait {
        stack.close().await
    } else {
        let until = CloseUntil::Settled;
        stack.close_with(until, SETTLE_PATIENCE, |_| {}).await
    };
    progress.finish_and_clear();
    let closed = closed?;
    convicted::tell(stack.client().ledger(), &[stack.view()], output).await;
    let waiting = closed.waiting.iter().map(|ticket| ticket.value).sum();
    let payable = closed.waiting.iter().map(|ticket| ticket.deadline.0).max();
    output.object(vec![
        ("stack", json!(stack.id())),
        ("withdrawn_micro_usdc", money(closed.withdrawn)),
        ("paid_to_nodes_micro_usdc", money(closed.paid)),
        ("fees_micro_usdc", money(closed.fees)),
        ("dues_micro_usdc", money(closed.dues)),
        ("claimed_micro_usdc", money(waiting)),
        ("payable_at_ms", json!(payable)),
        ("in_escrow_micro_usdc", money(closed.escrow)),
    ]);
    tell_of_unclaimed(stack, output)?;
    if !closed.waiting.is_empty() {
        output.note(format!(
            "what nodes claim is paid when their window is over; `atoma stack withdraw {}` then takes out the rest",
            stack.id()
        ));
    }
    Ok(())
}

/// Says why nodes aren't paid all that their receipts charge: on examined tasks a claim that is too small isn't taken.
fn tell_of_unclaimed(stack: &StackHandle, output: &Output) -> Result<()> {
    let view = stack.view();
    let smallest = view.terms.smallest_ticket();
    if view.terms.sampling.is_none() {
        return Ok(());
    }
    let receipts = stack.client().receipts().list(Some(stack.id()))?;
    let mut unclaimed = MicroUsdc::ZERO;
    for lease in &view.leases {
        let good = |kept: &&KeptReceipt| kept.node == lease.node && kept.fault.is_none();
        let charged: u64 = receipts.iter().filter(good).map(|kept| kept.units.0).sum();
        let more = ComputeUnits(charged).saturating_sub(lease.claimed_units());
        let value = lease.price.cost(more).unwrap_or_default();
        // of more there is another reason
        if value < smallest {
            unclaimed.0 = unclaimed.0.saturating_add(value.0);
        }
    }
    if unclaimed > MicroUsdc::ZERO {
        output.note(format!(
            "answers worth {} USDC cost you nothing: answers are examined on this task, and a node is paid for none as \
             long as they are worth less than {} USDC together",
            usdc(unclaimed.0),
            usdc(smallest.0)
        ));
    }
    Ok(())
}

async fn refreshed(stack: &StackHandle) -> Result<Facts> {
    stack.refresh().await?;
    of(stack)
}
