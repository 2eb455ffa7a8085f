//! The pool of one task.

use super::{
    LeaseError, PoolContext,
    dispatch::{Attempt, Dispatch},
    parted::Parted,
    refill,
    stack_pool::{Fate, StackPool},
};
use crate::{catalog::Offer, router::Measure};
use arc_swap::ArcSwap;
use atoma_client::StackHandle;
use atoma_runtime::Runtime;
use atoma_types::{ComputeUnits, NodeId, TimestampMs};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

/// A task's sellers, the router among them, and the stacks that pay them.
#[derive(Debug)]
pub(crate) struct TaskPool {
    offer: ArcSwap<Offer>,
    since: TimestampMs,
    dispatch: Arc<Dispatch>,
    stacks: StackPool,
    /// Nodes that aren't asked for a while.
    parted: Mutex<Parted>,
    /// One grant at a time for each node.
    granting: Mutex<HashMap<NodeId, Arc<tokio::sync::Mutex<()>>>>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl TaskPool {
    pub(crate) fn new(offer: Offer, context: PoolContext) -> Self {
        let runtime = context.client.runtime();
        let seed = runtime.random.next_u64();
        let pool = Self {
            since: runtime.now(),
            dispatch: Dispatch::new(seed, context.started),
            granting: Mutex::default(),
            parted: Mutex::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            stacks: StackPool::new(offer.task, context),
            offer: ArcSwap::from_pointee(offer.clone()),
        };
        pool.update(offer);
        pool
    }

    /// Takes over what the ledger says now.
    pub(crate) fn update(&self, offer: Offer) {
        // nothing is signed for those that charged what can't be
        let sellers = offer.sellers.iter();
        let sellers = sellers.filter(|seller| self.stacks.trusts(seller.node));
        let nodes: Vec<_> = sellers.map(|seller| (seller.node, seller.price)).collect();
        self.dispatch.set_nodes(&nodes);
        self.offer.store(Arc::new(offer));
    }

    /// The task and its sellers, as last read.
    pub(crate) fn offer(&self) -> Arc<Offer> {
        self.offer.load_full()
    }

    /// What the pool's client runs on.
    pub(crate) fn runtime(&self) -> &Runtime {
        self.stacks.runtime()
    }

    /// When this gateway first saw the task.
    pub(crate) fn since(&self) -> TimestampMs {
        self.since
    }

    /// The next node for a request of so many units, none of those tried. Where the user's own stacks pay, those come
    /// first on which they have room.
    pub(crate) fn pick(
        &self,
        measure: Measure,
        tried: &[NodeId],
        units: ComputeUnits,
    ) -> Option<Attempt> {
        let offer = self.offer();
        let now = self.runtime().clock.instant();
        let takes = |node| {
            let seller = offer.seller(node).filter(|seller| seller.most >= units);
            let seller = seller.filter(|_| !self.parted.lock().is_out(node, now));
            seller.map(|seller| self.stacks.takes(seller, units))
        };
        self.dispatch.pick(measure, tried, takes)
    }

    /// The most room that any seller has on a stack.
    pub(crate) fn most_room(&self) -> ComputeUnits {
        let offer = self.offer();
        let rooms = offer.sellers.iter();
        let rooms = rooms.map(|seller| self.stacks.room(seller.node));
        rooms.max().unwrap_or_default()
    }

    /// Before a request of so many units: where the user's own stacks pay and none is known that has room, they may have
    /// bought one by hand.
    pub(crate) async fn look_again(&self, units: ComputeUnits) {
        let has_room = |node| self.stacks.with_room(node, units).is_some();
        let has_room = || self.offer().sellers.iter().any(|s| has_room(s.node));
        if !self.stacks.grants_ahead() && !has_room() {
            self.stacks.look_again().await;
        }
    }

    /// A stack on which this node has room for so many units, if need be after a grant.
    ///
    /// # Errors
    ///
    /// If the node gets no units: see [`LeaseError`].
    pub(crate) async fn lease(
        self: &Arc<Self>,
        node: NodeId,
        units: ComputeUnits,
        timeout: Duration,
    ) -> Result<StackHandle, LeaseError> {
        if let Some(stack) = self.stacks.with_room(node, units) {
            let left = stack.room(node).saturating_sub(units);
            let low = refill::runs_low(left, self.offer().policy.grant_units);
            if low && self.stacks.grants_ahead() {
                self.refill_soon(node, units);
            }
            return Ok(stack);
        }
        // nothing is bought for a node that can't take it on
        let offer = self.offer();
        let seller = offer.seller(node).ok_or(LeaseError::NotSelling)?;
        if seller.most < units {
            return Err(LeaseError::TooLarge);
        }
        self.refill(node, units, timeout).await
    }

    /// The node says that its lease is used up, whatever our own account says: grants it more, unless it has
    /// a whole grant by it. (After a crash it may miss what was under way, which is far less.)
    /// Otherwise a node could have all units of the stack granted by saying so.
    ///
    /// # Errors
    ///
    /// If the node gets no units: see [`LeaseError`].
    pub(crate) async fn renew(
        self: &Arc<Self>,
        node: NodeId,
        units: ComputeUnits,
        timeout: Duration,
    ) -> Result<StackHandle, LeaseError> {
        let room = self.stacks.room(node);
        let grant = self.offer().policy.grant_units;
        if room >= units.saturating_add(grant) {
            return Err(LeaseError::Unfounded);
        }
        self.refill(node, room.saturating_add(units), timeout).await
    }

    /// A node says that a stack is over, or that it knows it no more: looks at the ledger. A stack that is over
    /// is used for no request any more; a lease that the node has settled has no room from now on.
    ///
    /// # Errors
    ///
    /// [`LeaseError::Unfounded`] if it isn't, or if the ledger can't be asked.
    pub(crate) async fn retire_ended(
        &self,
        stack: &StackHandle,
        node: NodeId,
    ) -> Result<(), LeaseError> {
        match self.stacks.fate(stack, node).await? {
            Fate::Over => self.stacks.retire(stack.id()),
            // other nodes may still serve on it
            Fate::Settled => {}
            Fate::Open => return Err(LeaseError::Unfounded),
        }
        Ok(())
    }

    /// Nothing more is signed for a node on a stack. A stack of ours is closed, so that its money comes back; others get
    /// their units on a new one, and the node is asked again after a while.
    pub(crate) fn part_with(self: &Arc<Self>, stack: &StackHandle, node: NodeId) {
        let now = self.runtime().clock.instant();
        self.parted.lock().part(node, now);
        let in_use = self
            .stacks
            .stacks
            .lock()
            .iter()
            .any(|used| used.id() == stack.id());
        if !in_use || !self.stacks.is_ours(stack.id()) {
            return;
        }
        self.stacks.retire(stack.id());
        let (pool, stop, stack) = (Arc::clone(self), self.stop.clone(), stack.clone());
        let ending = async move {
            let _ = stop.run_until_cancelled(pool.stacks.end(&stack)).await;
        };
        self.tasks.spawn(ending.in_current_span());
    }

    /// Closes stacks that are about to end, and keeps the charges in step with the ledger.
    pub(crate) fn tend(self: &Arc<Self>) {
        let (pool, stop) = (Arc::clone(self), self.stop.clone());
        self.tasks.spawn(async move {
            let _ = stop.run_until_cancelled(pool.stacks.balance()).await;
        });
        for stack in self.stacks.ended() {
            let (pool, stop) = (Arc::clone(self), self.stop.clone());
            // closing waits for nodes and windows, perhaps for hours; it is taken up again later
            self.tasks.spawn(async move {
                let closing = pool.stacks.close(stack.clone());
                if stop.run_until_cancelled(closing).await.is_none() {
                    pool.stacks.put_back(stack);
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
            self.stacks.close_all().await;
        }
    }

    async fn refill(
        self: &Arc<Self>,
        node: NodeId,
        units: ComputeUnits,
        timeout: Duration,
    ) -> Result<StackHandle, LeaseError> {
        // that may be known only since its last answer, and with a new stack the node would begin anew
        if let Some(stack) = self.stacks.unsigned(node) {
            self.part_with(&stack, node);
            return Err(LeaseError::Parted);
        }
        let pool = Arc::clone(self);
        let granting = self.granting_of(node);
        let refill = async move {
            let _one = granting.lock_owned().await;
            pool.stacks.refill(&pool.offer(), node, units).await
        };
        let refill = self.tasks.spawn(refill.in_current_span());
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
        let span = tracing::info_span!("refill", %node);
        let refill = async move {
            let _one = one;
            let offer = pool.offer();
            let ahead = units.max(offer.policy.grant_units);
            if let Err(error) = pool.stacks.refill(&offer, node, ahead).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot grant units ahead");
            }
        };
        self.tasks.spawn(refill.instrument(span));
    }

    fn granting_of(&self, node: NodeId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.granting.lock().entry(node).or_default())
    }
}
