//! One task's nodes and units: which node is next, and that it has a lease to serve on.
//!
//! Stacks are bought for `Any` node, and units of them granted to the nodes that the router
//! chooses, a little before a lease runs dry, so that requests rarely wait. Purchases, top-ups and
//! grants run in tasks of their own: a user who leaves can't cancel a payment half-way.
//!
//! Promised units are counted here: a grant once signed may be taken to the ledger by its node
//! whenever it likes, even after it seemed to fail, so its units are never promised to another.

mod purse;
mod trip;

use crate::{
    budget::{Account, Book},
    catalog::{Offer, Seller},
    metrics::Metrics,
    router::{Measure, Router},
};
use arc_swap::ArcSwap;
use atoma_client::{Client, StackHandle};
use atoma_types::{ComputeUnits, NodeId, RequestId, TimestampMs};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use purse::LeaseError;
use purse::Purse;
pub(crate) use trip::Trip;

/// What all pools share.
#[derive(Clone, Debug)]
pub(crate) struct PoolParts {
    pub(crate) client: Client,
    /// What may be put into stacks.
    pub(crate) account: Arc<Account>,
    pub(crate) book: Arc<Book>,
    pub(crate) metrics: Arc<Metrics>,
    /// The router's clock counts from here.
    pub(crate) started: Instant,
}

/// One task.
#[derive(Debug)]
pub(crate) struct Pool {
    offer: ArcSwap<Offer>,
    since: TimestampMs,
    router: Mutex<Router>,
    purse: Purse,
    /// One grant at a time for each node.
    granting: Mutex<HashMap<NodeId, Arc<tokio::sync::Mutex<()>>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
    started: Instant,
}

impl Pool {
    pub(crate) fn new(offer: Offer, parts: PoolParts) -> Self {
        // any seed will do; the request id's generator is at hand
        let [.., a, b, c, d, e, f, g, h] = RequestId::random().0;
        let pool = Self {
            since: TimestampMs::now(),
            router: Mutex::new(Router::new(u64::from_le_bytes([a, b, c, d, e, f, g, h]))),
            granting: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            started: parts.started,
            purse: Purse::new(offer.task, parts),
            offer: ArcSwap::from_pointee(offer.clone()),
        };
        pool.update(offer);
        pool
    }

    /// Takes over what the ledger says now.
    pub(crate) fn update(&self, offer: Offer) {
        let nodes: Vec<_> = offer
            .sellers
            .iter()
            .map(|s: &Seller| (s.node, s.price))
            .collect();
        self.router.lock().set_nodes(&nodes);
        self.offer.store(Arc::new(offer));
    }

    pub(crate) fn offer(&self) -> Arc<Offer> {
        self.offer.load_full()
    }

    /// When this gateway first saw the task.
    pub(crate) fn since(&self) -> TimestampMs {
        self.since
    }

    /// The next node for a request, none of those tried.
    pub(crate) fn pick(self: &Arc<Self>, measure: Measure, tried: &[NodeId]) -> Option<Trip> {
        let node = self
            .router
            .lock()
            .pick(measure, tried, self.started.elapsed())?;
        Some(Trip::new(Arc::clone(self), node))
    }

    /// A stack on which this node has room for so many units, if need be after a grant.
    pub(crate) async fn lease(
        self: &Arc<Self>,
        node: NodeId,
        units: ComputeUnits,
        timeout: Duration,
    ) -> Result<StackHandle, LeaseError> {
        if let Some(stack) = self.purse.with_room(node, units) {
            let left = stack.room(node).saturating_sub(units);
            if left.0 < self.offer().policy.grant_units.0 / 2 {
                self.refill_soon(node, units);
            }
            return Ok(stack);
        }
        self.refill(node, units, timeout).await
    }

    /// The node says that its lease is used up, whatever our books say: grants it more.
    pub(crate) async fn relet(
        self: &Arc<Self>,
        node: NodeId,
        units: ComputeUnits,
        timeout: Duration,
    ) -> Result<StackHandle, LeaseError> {
        let room = self.purse.room(node);
        self.refill(node, room.saturating_add(units), timeout).await
    }

    /// No request uses this stack any more.
    pub(crate) fn retire(&self, stack: &StackHandle) {
        self.purse.retire(stack.id());
    }

    /// Closes stacks that are about to end.
    pub(crate) fn tend(self: &Arc<Self>) {
        for stack in self.purse.ended() {
            let (pool, stop) = (Arc::clone(self), self.stop.clone());
            // closing waits for nodes and windows, perhaps for hours; it is taken up again later
            self.tasks.spawn(async move {
                let closing = pool.purse.close(stack.clone());
                if stop.run_until_cancelled(closing).await.is_none() {
                    pool.purse.put_back(stack);
                }
            });
        }
    }

    /// Lets what runs in the background end; closes all stacks if told to.
    pub(crate) async fn stop(&self, close: bool) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        if close {
            self.purse.close_all().await;
        }
    }

    async fn refill(
        self: &Arc<Self>,
        node: NodeId,
        units: ComputeUnits,
        timeout: Duration,
    ) -> Result<StackHandle, LeaseError> {
        let pool = Arc::clone(self);
        let granting = self.granting_of(node);
        let refill = self.tasks.spawn(async move {
            let _one = granting.lock_owned().await;
            pool.purse.grant(&pool.offer(), node, units).await
        });
        match tokio::time::timeout(timeout, refill).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(LeaseError::Interrupted),
            Err(_) => Err(LeaseError::TimedOut),
        }
    }

    /// Grants ahead, unless a grant to the node is under way.
    fn refill_soon(self: &Arc<Self>, node: NodeId, units: ComputeUnits) {
        let Ok(one) = self.granting_of(node).try_lock_owned() else {
            return;
        };
        let pool = Arc::clone(self);
        self.tasks.spawn(async move {
            let _one = one;
            let offer = pool.offer();
            let ahead = units.max(offer.policy.grant_units);
            if let Err(error) = pool.purse.grant(&offer, node, ahead).await {
                tracing::warn!(%error, %node, "cannot grant units ahead");
            }
        });
    }

    fn granting_of(&self, node: NodeId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.granting.lock().entry(node).or_default())
    }
}
