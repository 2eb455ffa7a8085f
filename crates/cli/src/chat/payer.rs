//! Which stack pays for a question: one that there is, or one that is bought within a budget.

use crate::{
    named::Named,
    output::{Output, usdc},
    values::Usdc,
};
use anyhow::{Context, Result, bail, ensure};
use atoma_client::{BuyRequest, Client, StackHandle};
use atoma_types::{
    ComputeUnits, DurationMs, NodeId, Price, TaskId,
    chain::{Selection, SubscriptionState},
};
use clap::Args;
use std::collections::BTreeSet;

/// A stack that is bought by the way lives for a day; what isn't used comes back when it is closed.
const LIFETIME: DurationMs = DurationMs(24 * 3_600 * 1_000);
/// A price is for so many units.
const UNITS_PER_PRICE: u128 = 1_000_000;

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
        let units = affordable(budget, dearest.price, surcharge(client, task).await?);
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
            // whichever node is drawn; the difference to its price comes back
            max_price: dearest.price,
            selection: Selection::Single,
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
            None => stack.nodes().first().copied(),
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
        .filter(|task| !task.deprecated && task.subscriptions.iter().any(|s| sells(s.state)))
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

/// What the escrow of a task's stacks holds beyond their price, for audits: thousandths of it.
async fn surcharge(client: &Client, task: TaskId) -> Result<u64> {
    let task = client.ledger().task(task).await?;
    if !task.security_level.samples() {
        return Ok(0);
    }
    Ok(client
        .ledger()
        .db()
        .await?
        .params
        .sampling_surcharge_permille)
}

/// The most units whose escrow a budget covers.
fn affordable(budget: Usdc, price: Price, surcharge_permille: u64) -> ComputeUnits {
    let per_price = u128::from(price.0.max(1)) * (1_000 + u128::from(surcharge_permille));
    let units = u128::from(budget.0.0) * UNITS_PER_PRICE * 1_000 / per_price;
    ComputeUnits(u64::try_from(units).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::MicroUsdc;

    #[test]
    fn a_budget_is_never_exceeded() {
        let cases = [
            (5_000_000, 2_000_000, 0),
            (1, 3, 20),
            (7, 0, 500),
            (999_999, 5_000_001, 20),
        ];
        for (budget, price, surcharge) in cases {
            let price = Price(price);
            let units = affordable(Usdc(MicroUsdc(budget)), price, surcharge);
            let escrow = price.escrow(units, surcharge).map(|escrow| escrow.0);
            assert!(
                escrow.is_some_and(|escrow| escrow <= budget),
                "{budget} at {price}"
            );
        }
        let all = affordable(Usdc(MicroUsdc(5_000_000)), Price(2_000_000), 0);
        assert_eq!(all, ComputeUnits(2_500_000));
    }
}
