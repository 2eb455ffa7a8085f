//! The stacks of one task: bought, topped up, granted and closed within the gateway's budget.

use super::PoolParts;
use crate::{budget::Amount, catalog::Offer};
use atoma_client::{BuyRequest, ClientError, StackHandle};
use atoma_ledger::{LedgerError, required_escrow, top_up_payment};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, StackId, TaskId, TimestampMs,
    chain::{LeaseState, Selection},
};
use parking_lot::Mutex;
use std::{collections::HashMap, time::Duration};
use tokio::net::TcpStream;

/// A stack that ends within this time takes no new requests: a request signed now is good for two
/// minutes and must not outlive it.
const LAST_MINUTES: DurationMs = DurationMs(3 * 60 * 1_000);
/// Whether a node is there at all is asked before money is locked up for it.
const KNOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// There is no lease to serve on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    /// The gateway's budget for stacks.
    #[error("the budget for stacks is spent: {needed} more are needed")]
    Budget {
        /// What the stack would cost.
        needed: MicroUsdc,
    },
    /// The node doesn't answer.
    #[error("nobody answers at {url}")]
    Unreachable {
        /// Where it should be.
        url: String,
    },
    /// It isn't a seller any more.
    #[error("the node does not sell this task")]
    NotSelling,
    /// Ledger, wallet or node said no.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It takes too long.
    #[error("no lease stood in time")]
    TimedOut,
    /// The task that was at it is gone.
    #[error("the purchase was interrupted")]
    Interrupted,
}

impl LeaseError {
    /// Whether it is the node that failed, rather than the ledger or our own purse.
    pub(crate) fn is_nodes_fault(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NotSelling | Self::TimedOut => true,
            Self::Client(error) => !matches!(error, ClientError::Ledger(_) | ClientError::Store(_)),
            Self::Budget { .. } | Self::Interrupted => false,
        }
    }
}

impl From<LedgerError> for LeaseError {
    fn from(error: LedgerError) -> Self {
        Self::Client(error.into())
    }
}

#[derive(Debug)]
pub(super) struct Purse {
    task: TaskId,
    parts: PoolParts,
    /// Stacks in use, the newest last.
    stacks: Mutex<Vec<StackHandle>>,
    /// Stacks that wait to be closed.
    retired: Mutex<Vec<StackHandle>>,
    /// One purchase at a time; with it, what is promised to nodes.
    promises: tokio::sync::Mutex<Promises>,
}

/// The highest grant signed for each node, by stack.
#[derive(Debug, Default)]
struct Promises {
    adopted: bool,
    granted: HashMap<StackId, HashMap<NodeId, ComputeUnits>>,
}

impl Purse {
    pub(super) fn new(task: TaskId, parts: PoolParts) -> Self {
        Self {
            task,
            parts,
            stacks: Mutex::default(),
            retired: Mutex::default(),
            promises: tokio::sync::Mutex::default(),
        }
    }

    /// A stack on which the node has room. The hot path: no await, no ledger.
    pub(super) fn with_room(&self, node: NodeId, units: ComputeUnits) -> Option<StackHandle> {
        let until = TimestampMs::now();
        let stacks = self.stacks.lock();
        let found = stacks
            .iter()
            .find(|stack| lives(stack, until) && stack.room(node) >= units);
        found.cloned()
    }

    /// The most room that the node has on one stack.
    pub(super) fn room(&self, node: NodeId) -> ComputeUnits {
        let stacks = self.stacks.lock();
        let rooms = stacks.iter().map(|stack| stack.room(node));
        rooms.max().unwrap_or_default()
    }

    /// Takes a stack out of use.
    pub(super) fn retire(&self, id: StackId) {
        let mut stacks = self.stacks.lock();
        if let Some(place) = stacks.iter().position(|stack| stack.id() == id) {
            self.retired.lock().push(stacks.remove(place));
        }
    }

    /// Takes out of use what is about to end, and hands over what can be closed.
    pub(super) fn ended(&self) -> Vec<StackHandle> {
        let now = TimestampMs::now();
        let ended: Vec<StackId> = {
            let stacks = self.stacks.lock();
            let ended = stacks.iter().filter(|stack| !lives(stack, now));
            ended.map(StackHandle::id).collect()
        };
        ended.into_iter().for_each(|id| self.retire(id));
        // requests admitted to a retired stack may still run; they end before it does
        let mut retired = self.retired.lock();
        let (over, waiting) = retired
            .drain(..)
            .partition(|stack| stack.expires_at() <= now);
        *retired = waiting;
        over
    }

    /// Makes room for the node: on a stack it can use, topped up if need be, or on a new one.
    pub(super) async fn grant(
        &self,
        offer: &Offer,
        node: NodeId,
        units: ComputeUnits,
    ) -> Result<StackHandle, LeaseError> {
        let mut promises = self.promises.lock().await;
        self.adopt(&mut promises).await?;
        if let Some(stack) = self.with_room(node, units) {
            return Ok(stack);
        }
        let wanted = units.max(offer.policy.grant_units);
        let stack = match self.usable(node).await? {
            Some(stack) => stack,
            None => {
                knock(offer, node).await?;
                self.buy(offer, wanted).await?
            }
        };
        let missing = wanted.saturating_sub(stack.room(node));
        let target = stack.leased(node).saturating_add(missing);
        let granted = promises.granted.entry(stack.id()).or_default();
        let before = granted
            .get(&node)
            .copied()
            .unwrap_or_default()
            .max(stack.leased(node));
        let target = target.max(before);
        let others = granted.iter().filter(|(other, _)| **other != node);
        let others = others.fold(ComputeUnits::ZERO, |sum, (_, units)| {
            sum.saturating_add(*units)
        });
        let lacking = others
            .saturating_add(target)
            .saturating_sub(stack.total_units());
        if lacking > ComputeUnits::ZERO {
            knock(offer, node).await?;
            self.top_up(&stack, lacking.max(offer.policy.stack_units))
                .await?;
        }
        granted.insert(node, target);
        // others may buy and grant while this node takes its grant to the ledger
        drop(promises);
        stack
            .grant(node, target.saturating_sub(stack.leased(node)))
            .await?;
        Ok(stack)
    }

    /// After a restart: takes over the stacks that the client remembers.
    async fn adopt(&self, promises: &mut Promises) -> Result<(), LeaseError> {
        if promises.adopted {
            return Ok(());
        }
        let now = TimestampMs::now();
        for stack in self.parts.client.stacks().await? {
            let view = stack.view();
            if view.task != self.task || view.selection != Selection::Any {
                continue;
            }
            let granted = view.leases.iter().map(|lease| (lease.node, lease.units));
            promises.granted.insert(stack.id(), granted.collect());
            if lives(&stack, now) {
                self.stacks.lock().push(stack);
            } else {
                self.retired.lock().push(stack);
            }
        }
        promises.adopted = true;
        Ok(())
    }

    /// A stack on which the node may still get units: it has an open lease there, or none yet. (A
    /// lease that is settled is final.)
    async fn usable(&self, node: NodeId) -> Result<Option<StackHandle>, LeaseError> {
        let stacks: Vec<StackHandle> = self.stacks.lock().iter().rev().cloned().collect();
        let now = TimestampMs::now();
        for stack in stacks {
            let view = stack.refresh().await?;
            if view.closed || !lives(&stack, now) {
                self.retire(stack.id());
                continue;
            }
            if view
                .lease(node)
                .is_none_or(|lease| lease.state == LeaseState::Open)
            {
                return Ok(Some(stack));
            }
        }
        Ok(None)
    }

    async fn buy(&self, offer: &Offer, units: ComputeUnits) -> Result<StackHandle, LeaseError> {
        let ledger = self.parts.client.ledger();
        let units = units.max(offer.policy.stack_units);
        let (task, db) = (ledger.task(self.task).await?, ledger.db().await?);
        let escrow = required_escrow(&task, &db, units, offer.max_price);
        let request = BuyRequest {
            task: self.task,
            units,
            max_price: offer.max_price,
            selection: Selection::Any,
            lifetime: offer.policy.lifetime,
        };
        let escrow = escrow.ok_or(ClientError::Overflow)?;
        let stack = self.pay(escrow, self.parts.client.buy(request)).await?;
        self.parts.metrics.bought(escrow);
        tracing::info!(stack = %stack.id(), model = offer.model, %units, %escrow, "bought a stack");
        self.stacks.lock().push(stack.clone());
        Ok(stack)
    }

    async fn top_up(&self, stack: &StackHandle, units: ComputeUnits) -> Result<(), LeaseError> {
        let payment = top_up_payment(&stack.view(), units).ok_or(ClientError::Overflow)?;
        self.pay(payment, stack.top_up(units)).await?;
        self.parts.metrics.topped_up(payment);
        tracing::info!(stack = %stack.id(), %units, %payment, "topped up a stack");
        Ok(())
    }

    /// Pays within the budget. It is written down first: a crash in between leaves the budget
    /// smaller than it could be, never larger.
    async fn pay<T>(
        &self,
        amount: MicroUsdc,
        payment: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, LeaseError> {
        let exact = Amount::from(amount);
        let hold = self.parts.account.reserve(exact);
        hold.ok_or(LeaseError::Budget { needed: amount })?
            .settle(exact);
        self.parts.book.flush().await;
        let paid = payment.await;
        if let Err(ClientError::Ledger(error)) = &paid
            && !error.is_transient()
        {
            // the ledger said no: nothing was paid
            self.parts.account.credit(exact);
        }
        Ok(paid?)
    }

    /// Ends a stack and takes back what is left of it.
    pub(super) async fn close(&self, stack: StackHandle) {
        match stack.close().await {
            Ok(closed) => {
                self.parts.account.credit(Amount::from(closed.refunded));
                tracing::info!(stack = %stack.id(), refunded = %closed.refunded, "closed a stack");
            }
            Err(error) => {
                tracing::warn!(%error, stack = %stack.id(), "cannot close a stack yet");
                self.put_back(stack);
            }
        }
    }

    /// A stack that was not closed after all.
    pub(super) fn put_back(&self, stack: StackHandle) {
        self.retired.lock().push(stack);
    }

    /// Ends all stacks at once.
    pub(super) async fn close_all(&self) {
        if let Err(error) = self.adopt(&mut *self.promises.lock().await).await {
            tracing::warn!(%error, "cannot read which stacks there are");
        }
        let mut stacks = std::mem::take(&mut *self.stacks.lock());
        stacks.append(&mut self.retired.lock());
        futures::future::join_all(stacks.into_iter().map(|stack| self.close(stack))).await;
    }
}

fn lives(stack: &StackHandle, now: TimestampMs) -> bool {
    stack.expires_at() > now.saturating_add(LAST_MINUTES)
}

/// Whether anybody listens where the node says it is.
async fn knock(offer: &Offer, node: NodeId) -> Result<(), LeaseError> {
    let seller = offer.seller(node).ok_or(LeaseError::NotSelling)?;
    let unreachable = || LeaseError::Unreachable {
        url: seller.url.clone(),
    };
    let uri: http::Uri = seller.url.parse().map_err(|_| unreachable())?;
    let host = uri.host().ok_or_else(unreachable)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let default = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    let port = uri.port_u16().unwrap_or(default);
    let knock = TcpStream::connect((host, port));
    match tokio::time::timeout(KNOCK_TIMEOUT, knock).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(unreachable()),
    }
}
