//! Which stack pays for a question: one that there is, or one that is bought within a budget.

use super::{
    need::{Tried, worth_buying},
    purchase::{Budget, Lacking, Purchase, Question, purchase, top_up},
};
use crate::{
    named::Named,
    output::{ELLIPSIS, Output, short, usdc},
    values::Usdc,
};
use anyhow::{Context, Result, bail, ensure};
use atoma_client::{BuyRequest, Client, ClientError, Offer, StackHandle, fair_price};
use atoma_ledger::{ExecuteError, top_up_payment};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, TaskId,
    chain::{SubscriptionState, Task},
};
use clap::Args;
use std::collections::BTreeSet;

/// A stack that is bought by the way lives for a day; what isn't used comes back when it is closed.
const LIFETIME: DurationMs = DurationMs(24 * 3_600 * 1_000);
/// One that ends sooner is topped up no more: its units would hardly be used.
const LEAST_LIFE: DurationMs = DurationMs(15 * 60 * 1_000);
/// Each node whose evidence is checked takes some reads of its own: some choice is enough.
const MAX_ACCEPTED: usize = 4;

/// Who pays, and which model answers.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Payer {
    /// The stack that pays: its id, a beginning of it, or its model (default: the one bought last).
    #[arg(long, value_name = "STACK")]
    stack: Option<Named>,
    /// Which model answers (default: that of the stack, or the only one on sale).
    #[arg(long, value_name = "MODEL")]
    model: Option<Named>,
    /// Where no stack has room: buy what the question may need, for at most this much in all.
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
        let (mut choices, mut otherwise) = (Vec::new(), Ok(()));
        for stack in client.stacks().await?.into_iter().rev() {
            let fits = task.is_none_or(|task| stack.task().id == task);
            if !fits || stack.expires_at() <= now {
                continue;
            }
            match ensure_asked_as_it_takes(client, &stack.task()) {
                // one that no node takes is no reason not to pay with another
                Ok(()) => match self.on(stack, client).await {
                    Ok(choice) => choices.extend(choice),
                    Err(error) => otherwise = Err(error),
                },
                Err(error) => otherwise = Err(error),
            }
        }
        if choices.is_empty() && self.budget.is_none() {
            otherwise?;
        }
        Ok(choices)
    }

    /// The task of which a stack is bought, if there is a budget.
    pub(super) async fn to_buy(&self, client: &Client) -> Result<Option<Task>> {
        if self.budget.is_none() {
            return Ok(None);
        }
        let task = match self.task(client).await? {
            Some(task) => task,
            None => only_task(client).await?,
        };
        let task = client.ledger().task(task).await?;
        ensure_asked_as_it_takes(client, &task)?;
        Ok(Some(task))
    }

    /// What may be spent on stacks; nothing without a budget.
    pub(super) fn budget(&self) -> Budget {
        Budget {
            all: self.budget.map_or(MicroUsdc::ZERO, |budget| budget.0),
            spent: MicroUsdc::ZERO,
        }
    }

    /// Buys what the question may need of a task within the budget, and has a node take it: more units for a stack that
    /// lacks them, else a stack; nothing where those that were tried are what there is for it. What is sealed is bought of
    /// nodes alone whose evidence the policy accepts.
    pub(super) async fn buy(
        &self,
        task: &Task,
        (question, tried, lacking): (&Question, &[Tried], &[Choice]),
        budget: &mut Budget,
        (client, output): (&Client, &Output),
    ) -> Result<Option<Choice>> {
        let mut offers = client.offers(task.id).await?;
        let mut fair = fair_price::of(&offers);
        if let Some(node) = &self.node {
            // who names a node takes its price
            let node = node.node(client.ledger()).await?;
            offers.retain(|offer| offer.node == node);
            fair = offers.first().map(|offer| offer.price);
        }
        let fair = fair.context("no node sells this model now")?;
        let Some(mut offers) = worth_buying(&offers, tried, question.needed()) else {
            return Ok(None);
        };
        if client.is_confidential() {
            offers = accepted(client, offers, task.id).await?;
        }
        for choice in lacking {
            let offer = offers.iter().find(|offer| offer.node == choice.node);
            let Some(offer) = offer else { continue };
            if topped_up(choice, (question, offer), fair, (&mut *budget, output)).await? {
                return Ok(Some(choice.clone()));
            }
        }
        let purchase = purchase(question, &offers, fair, *budget)?;
        let stack = bought(task.id, &purchase, budget, (client, output)).await?;
        engaged(stack, &purchase, &offers).await.map(Some)
    }

    /// The node that serves on a stack, if there is one.
    async fn on(&self, stack: StackHandle, client: &Client) -> Result<Option<Choice>> {
        let node = match &self.node {
            Some(node) => Some(node.node(client.ledger()).await?),
            None => match trusted_first(&stack, client) {
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

/// A node of a stack: one for which requests are signed, if there is one.
fn trusted_first(stack: &StackHandle, client: &Client) -> Option<NodeId> {
    let nodes = stack.nodes();
    let mut trusted = nodes
        .iter()
        .filter(|node| client.distrusted(**node).is_none());
    trusted.next().or(nodes.first()).copied()
}

/// Sealed requests go to confidential tasks alone, and those take no others. It is checked before anything is paid.
fn ensure_asked_as_it_takes(client: &Client, task: &Task) -> Result<()> {
    let model = &task.model_name;
    match (task.security_level.confidential(), client.is_confidential()) {
        (true, false) => bail!(
            "{model} takes sealed requests alone (not_sealed): ask with --confidential and --policy FILE, which says \
             whose evidence you accept"
        ),
        (false, true) => bail!(
            "{model} is no confidential model, so no node of it can open sealed requests: leave --confidential out, or \
             name a confidential one with --model"
        ),
        (true, true) | (false, false) => Ok(()),
    }
}

/// Of the offers those of nodes whose evidence is accepted, the cheapest first: as many as a purchase chooses from.
async fn accepted(client: &Client, offers: Vec<Offer>, task: TaskId) -> Result<Vec<Offer>> {
    let (mut accepted, mut refused) = (Vec::new(), None);
    for offer in offers {
        match client.attested(offer.node, task).await {
            Ok(_) => accepted.push(offer),
            Err(error) => refused = Some(error),
        }
        if accepted.len() == MAX_ACCEPTED {
            break;
        }
    }
    match refused {
        Some(error) if accepted.is_empty() => Err(anyhow::Error::from(error)
            .context("nothing was bought: no node's evidence is accepted")),
        _ => Ok(accepted),
    }
}

/// A stack that is bought.
async fn bought(
    task: TaskId,
    purchase: &Purchase,
    budget: &mut Budget,
    (client, output): (&Client, &Output),
) -> Result<StackHandle> {
    let request = BuyRequest {
        task,
        units: purchase.units,
        // whichever node takes it; the difference to its price comes back
        max_price: Some(purchase.max_price),
        nodes: 0,
        lifetime: LIFETIME,
    };
    let price = purchase.max_price.cost(purchase.units).unwrap_or_default();
    // from now on it may be paid, whether or not anybody waits for it
    budget.spend(price);
    let progress = output.progress("buying a stack");
    let stack = client.buy(request).await;
    progress.finish_and_clear();
    let stack = paid(stack, price, budget)?;
    output.note(format!(
        "bought stack {}: {} units for {} USDC, at most {} a million; `atoma stack close` brings back what isn't used",
        short(stack.id()),
        purchase.units.0,
        usdc(stack.view().escrow.0),
        usdc(purchase.max_price.0),
    ));
    Ok(stack)
}

/// A payment's outcome. What the ledger has refused isn't spent; of what is unclear it is said that it may be.
fn paid<T>(done: Result<T, ClientError>, price: MicroUsdc, budget: &mut Budget) -> Result<T> {
    let refused = matches!(
        &done,
        Err(ClientError::Execute(
            ExecuteError::Abort { .. }
                | ExecuteError::InsufficientFunds { .. }
                | ExecuteError::GasBudget { .. }
        ))
    );
    if refused {
        budget.take_back(price);
    }
    Ok(done?)
}

/// Adds to a stack what a question lacks on it and has its node take that, if that can be; whether it was.
async fn topped_up(
    choice: &Choice,
    (question, offer): (&Question, &Offer),
    fair: Price,
    (budget, output): (&mut Budget, &Output),
) -> Result<bool> {
    let Choice { stack, node } = choice;
    let view = stack.refresh().await?;
    let soon = stack.client().runtime().now().saturating_add(LEAST_LIFE);
    let lacking = Lacking {
        units: stack.room(*node).saturating_add(view.ungranted),
        price: stack.price(*node).unwrap_or(offer.price),
        max_price: view.max_price,
        free: offer.free,
    };
    let units = top_up(question, &lacking, fair, *budget).filter(|_| soon < view.expires_at_ms);
    let price = units.and_then(|units| top_up_payment(&view, units));
    let (Some(units), Some(price)) = (units, price.filter(|price| budget.covers(*price))) else {
        return Ok(false);
    };
    budget.spend(price);
    let progress = output.progress("topping up the stack");
    let added = stack.top_up(units).await;
    progress.finish_and_clear();
    paid(added, price, budget)?;
    output.note(format!(
        "topped up stack {}: {} units more for {} USDC, at most {} a million",
        short(stack.id()),
        units.0,
        usdc(price.0),
        usdc(view.max_price.0),
    ));
    let room = grant(stack, *node, question.needed()).await?;
    ensure!(
        room >= question.needed(),
        "the node takes no more units now: `atoma stack revoke {}` brings back what it doesn't",
        short(stack.id()).trim_end_matches(ELLIPSIS)
    );
    Ok(true)
}

/// Has a node take units of a new stack: the cheapest that takes what the question may need.
async fn engaged(stack: StackHandle, purchase: &Purchase, offers: &[Offer]) -> Result<Choice> {
    let able = offers
        .iter()
        .filter(|offer| offer.price <= purchase.max_price && offer.free >= purchase.needed);
    let mut failed = None;
    for offer in able {
        let node = offer.node;
        match grant(&stack, node, purchase.needed).await {
            Ok(room) if room >= purchase.needed => return Ok(Choice { stack, node }),
            Ok(_) => {}
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(()), Err)?;
    bail!(
        "no node takes so many units of {} now: `atoma stack close` brings their price back",
        stack.id()
    )
}

/// Grants a node units of a stack that nobody has, until it has room for so many; the room that it has then.
pub(super) async fn grant(
    stack: &StackHandle,
    node: NodeId,
    needed: ComputeUnits,
) -> Result<ComputeUnits, ClientError> {
    let left = stack.refresh().await?.ungranted;
    if left > ComputeUnits::ZERO {
        stack.grant_in_steps(node, left, needed).await?;
    }
    Ok(stack.room(node))
}

/// The task of the one model on sale.
async fn only_task(client: &Client) -> Result<TaskId> {
    let tasks = client.ledger().all_tasks().await?;
    let sells = |state| state == SubscriptionState::Active;
    let mut on_sale: Vec<_> = tasks
        .iter()
        .filter(|task| !task.is_deprecated() && task.subscriptions.iter().any(|s| sells(s.state)))
        .collect();
    let fits = |task: &&Task| task.security_level.confidential() == client.is_confidential();
    if on_sale.iter().any(fits) {
        on_sale.retain(fits);
    }
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
