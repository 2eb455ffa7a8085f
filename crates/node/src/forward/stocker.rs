//! Buys stacks, grants units of them, and closes what ends: what [`Reading::next`] says, carried out.

use super::{
    choice,
    forwarder::Forwarder,
    supply::{Command, Reading, StackReading},
};
use crate::{
    metrics::Metrics,
    tasks::{ServedTask, Tasks},
};
use atoma_client::{BuyRequest, Client, ClientError, CloseUntil, StackHandle};
use atoma_runtime::WithCauses;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{Subscription, Task},
};
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Purchases and grants of one look: a stack, and a try with each of some nodes.
const STEPS: usize = 8;
/// Nodes settle a stack that is closed at once; those that don't are looked at again.
const CLOSE_PATIENCE: Duration = Duration::from_secs(60);
/// A node for which nothing more is signed on a stack gets units of another one after this: with each it could lose a few
/// answers more.
const PARTED: Duration = Duration::from_secs(3_600);

/// Keeps leases ready with the nodes that may be asked.
pub(crate) struct Stocker {
    pub node: NodeId,
    pub forwarder: Arc<Forwarder>,
    pub client: Client,
    pub tasks: Arc<Tasks>,
    pub metrics: Arc<Metrics>,
    /// Nodes for which too much is charged for answers that never came: they get no units until then.
    pub parted: HashMap<NodeId, Instant>,
    /// Stacks that are being closed.
    pub closing: HashMap<StackId, AbortOnDropHandle<()>>,
}

impl Stocker {
    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let tick = Duration::from_millis(self.forwarder.config().tick_ms.max(100));
        loop {
            if let Err(error) = self.look().await {
                self.metrics.ledger_errors.inc();
                tracing::warn!(error = %WithCauses(&error), "no stock of leases with other nodes yet");
            }
            tokio::time::sleep(tick).await;
        }
    }

    async fn look(&mut self) -> Result<(), ClientError> {
        let now = self.client.ledger().clock().await?;
        let mut stacks = self.client.stacks().await?;
        let clock = Instant::now();
        self.parted.retain(|_, until| *until > clock);
        for stack in stacks.extract_if(.., |stack| {
            !reading(stack).lives(now) || !parted(stack).is_empty()
        }) {
            // what it has with the others gives its money back, too, and they get units of another one
            let until = clock + PARTED;
            let parted = parted(&stack).into_iter();
            self.parted.extend(parted.map(|node| (node, until)));
            self.close(stack);
        }
        for task in self.tasks.clone().iter() {
            let of_task = stacks.iter().filter(|stack| stack.task().id == task.id);
            self.stock(task, of_task.cloned().collect(), now).await?;
        }
        Ok(())
    }

    /// Brings one task's stacks to what they should be.
    async fn stock(
        &self,
        task: &ServedTask,
        mut stacks: Vec<StackHandle>,
        now: TimestampMs,
    ) -> Result<(), ClientError> {
        let on_ledger = self.client.ledger().task(task.id).await?;
        let config = self.forwarder.config();
        let max_price = choice::most(task.price, config.max_price_permille);
        let mut now_known = Reading {
            budget: MicroUsdc(config.budget.0 / self.tasks.iter().count().max(1) as u64),
            max_price: max_price.min(on_ledger.price_ceiling),
            now,
            offers: Vec::new(),
            stacks: Vec::new(),
        };
        let offers = self.client.offers(task.id).await?;
        let offers = offers.into_iter().filter(|offer| {
            offer.price <= now_known.max_price && self.may_ask(&on_ledger, offer.node, now)
        });
        now_known.offers = offers.map(|offer| offer.node).collect();
        let mut refused = Vec::new();
        for _ in 0..STEPS {
            self.forwarder.set_stacks(task.id, stacks.clone());
            now_known.stacks = stacks.iter().map(reading).collect();
            match now_known.next(&refused) {
                Some(Command::Buy(units)) => {
                    stacks.push(self.buy(task, units, &now_known).await?);
                }
                Some(Command::Grant(stack, node, units)) => {
                    let granted = stacks.iter().find(|other| other.id() == stack);
                    let Some(stack) = granted else { break };
                    if let Err(error) = stack.grant_some(node, units).await {
                        tracing::debug!(error = %WithCauses(&error), %node, "a node takes no units");
                        refused.push(node);
                    }
                }
                None => break,
            }
        }
        Ok(())
    }

    /// Whether the operator lets it be asked, and it is attested where this node is.
    fn may_ask(&self, task: &Task, other: NodeId, now: TimestampMs) -> bool {
        let named = &self.forwarder.config().nodes;
        let attested = |node| {
            let offer: Option<&Subscription> = task.subscription(node);
            offer.is_some_and(|offer| offer.attested_until_ms > now)
        };
        other != self.node
            && !self.parted.contains_key(&other)
            && (named.is_empty() || named.contains(&other))
            && (!attested(self.node) || attested(other))
    }

    async fn buy(
        &self,
        task: &ServedTask,
        units: ComputeUnits,
        now_known: &Reading,
    ) -> Result<StackHandle, ClientError> {
        let request = BuyRequest {
            task: task.id,
            units,
            max_price: Some(now_known.max_price),
            nodes: 0,
            lifetime: self.forwarder.config().stack_lifetime,
        };
        let stack = self.client.buy(request).await?;
        tracing::info!(
            stack = %stack.id(), model = task.model, %units,
            "bought a stack to pass requests on with"
        );
        Ok(stack)
    }

    /// Ends a stack and takes back what is left of it, beside the rest.
    fn close(&mut self, stack: StackHandle) {
        self.closing.retain(|_, closing| !closing.is_finished());
        let id = stack.id();
        self.closing.entry(id).or_insert_with(|| {
            let closing = async move {
                let closed = stack.close_with(CloseUntil::Settled, CLOSE_PATIENCE, |_| {});
                match closed.await {
                    Ok(closed) => {
                        tracing::info!(stack = %id, withdrawn = %closed.withdrawn, "closed a stack");
                    }
                    Err(error) => {
                        tracing::debug!(error = %WithCauses(&error), stack = %id, "cannot close a stack yet");
                    }
                }
            };
            AbortOnDropHandle::new(tokio::spawn(closing))
        });
    }
}

/// The nodes for which nothing more is signed on a stack.
fn parted(stack: &StackHandle) -> Vec<NodeId> {
    unsigned(stack.nodes(), |node| stack.signs_for(node))
}

/// Each of some nodes for which nothing is signed.
fn unsigned(nodes: Vec<NodeId>, signs_for: impl Fn(NodeId) -> bool) -> Vec<NodeId> {
    let nodes = nodes.into_iter();
    nodes.filter(|node| !signs_for(*node)).collect()
}

/// What a stack is, as it was last read.
fn reading(stack: &StackHandle) -> StackReading {
    let view = stack.view();
    let rooms = stack.nodes().into_iter();
    StackReading {
        stack: view.id,
        expires_at: view.expires_at_ms,
        holds: MicroUsdc(view.escrow.0.saturating_add(view.free.0)),
        ungranted: view.ungranted,
        rooms: rooms.map(|node| (node, stack.room(node))).collect(),
    }
}

impl fmt::Debug for Stocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stocker")
            .field("forwarder", &self.forwarder)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    /// The first alone was noted, and the others got units of the next stack at once.
    #[test]
    fn every_node_of_a_stack_that_is_signed_nothing_gets_no_units_for_a_while() {
        let node = |n| NodeId(Address::new([n; 32]));
        let signed = [node(2), node(4)];
        let nodes = (1..=5).map(node).collect();
        let parted = unsigned(nodes, |node| signed.contains(&node));
        assert_eq!(parted, [node(1), node(3), node(5)]);
    }
}
