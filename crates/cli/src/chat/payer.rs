//! Which stack pays for a question: one that there is, or one that is bought within a budget.

use crate::{
    named::Named,
    output::{Output, usdc},
    values::Usdc,
};
use anyhow::{Context, Result, bail, ensure};
use atoma_client::{BuyRequest, Client, StackHandle};
use atoma_types::{ComputeUnits, DurationMs, NodeId, TaskId, chain::SubscriptionState};
use clap::Args;
use std::collections::BTreeSet;

/// A stack that is bought by the way lives for a day; what isn't used comes back when it is closed.
const LIFETIME: DurationMs = DurationMs(24 * 3_600 * 1_000);

/// Who pays, and which model answers.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Payer {
    /// The stack that pays: its id, a beginning of it, or its model (default: the one bought last).
    #[arg(long, value_name = "STACK")]
    stack: Option<Named>,
    /// Which model answers (default: that of the stack, or the only one on sale).
    #[arg(long, value_name = "MODEL")]
    model: Option<Named>,
    /// Where no stack has room: buy one, for at most this much.
    #[arg(long, value_name = "USDC")]
    budget: Option<Usdc>,
    /// Which node serves: its id, a beginning of it, or its URL (default: one that holds a lease).
    #[arg(long, value_name = "NODE")]
    node: Option<Named>,
}

/// A stack and the node that serves on it.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) stack: StackHandle,
    pub(crate) node: NodeId,
}

impl Payer {
    /// The stacks that may pay, the best first: the one that is named, or all that there are, the newest
    /// first.
    pub(crate) async fn candidates(&self, client: &Client) -> Result<Vec<Choice>> {
        if let Some(stack) = &self.stack {
            let stack = client.open(stack.stack(client).await?).await?;
            let choice = self.on(stack, client).await?;
            return Ok(vec![choice.context(
                "no node has units of this stack: give it some with `atoma stack grant`",
            )?]);
        }
        let task = self.task(client).await?;
        let now = client.runtime().now();
        let mut choices = Vec::new();
        for stack in client.stacks().await?.into_iter().rev() {
            let fits = task.is_none_or(|task| stack.task().id == task);
            if fits && stack.expires_at() > now {
                choices.extend(self.on(stack, client).await?);
            }
        }
        Ok(choices)
    }

    /// Buys a stack, if there is a budget.
    pub(crate) async fn buy(&self, client: &Client, output: &Output) -> Result<Option<Choice>> {
        let Some(budget) = self.budget else {
            return Ok(None);
        };
        let task = match self.task(client).await? {
            Some(task) => task,
            None => only_task(client).await?,
        };
        let offers = client.offers(task).await?;
        let dearest = offers.last().context("no node sells this model now")?;
        let most = offers.iter().map(|offer| offer.free).max();
        let units = dearest.price.affords(budget.0);
        let units = units.min(most.unwrap_or_default());
        ensure!(
            units > ComputeUnits::ZERO,
            "{} USDC buy no unit at {} USDC per million: raise --budget",
            usdc(budget.0.0),
            usdc(dearest.price.0),
        );
        let request = BuyRequest {
            task,
            units,
            // whichever node takes it; the difference to its price comes back
            max_price: dearest.price,
            nodes: 0,
            lifetime: LIFETIME,
        };
        let progress = output.progress("buying a stack");
        let stack = client.buy(request).await;
        progress.finish_and_clear();
        let stack = stack?;
        output.note(format!(
            "bought stack {} for {} USDC; `atoma stack close` brings back what isn't used",
            stack.id(),
            usdc(stack.view().escrow.0),
        ));
        self.on(stack, client).await
    }

    /// The node that serves on a stack, if there is one.
    async fn on(&self, stack: StackHandle, client: &Client) -> Result<Option<Choice>> {
        let node = match &self.node {
            Some(node) => Some(node.node(client.ledger()).await?),
            None => match stack.nodes().first().copied() {
                Some(node) => Some(node),
                None if stack.ungranted_units() > ComputeUnits::ZERO => {
                    Some(stack.engage().await?.node)
                }
                None => None,
            },
        };
        Ok(node.map(|node| Choice { stack, node }))
    }

    async fn task(&self, client: &Client) -> Result<Option<TaskId>> {
        match &self.model {
            Some(model) => Ok(Some(model.task(client.ledger()).await?)),
            None => Ok(None),
        }
    }
}

/// The task of the one model on sale.
async fn only_task(client: &Client) -> Result<TaskId> {
    let tasks = client.ledger().all_tasks().await?;
    let sells = |state| state == SubscriptionState::Active;
    let on_sale: Vec<_> = tasks
        .iter()
        .filter(|task| !task.is_deprecated() && task.subscriptions.iter().any(|s| sells(s.state)))
        .collect();
    let models: BTreeSet<&str> = on_sale.iter().map(|t| t.model_name.as_str()).collect();
    match (&on_sale[..], models.len()) {
        ([], _) => bail!("no model is on sale: `atoma task list` shows what there is"),
        ([first, ..], 1) => Ok(first.id),
        _ => {
            let models: Vec<&str> = models.into_iter().collect();
            bail!("which model? Name one with --model: {}", models.join(", "))
        }
    }
}
