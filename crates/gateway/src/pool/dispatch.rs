//! The router in use: who is asked next, and how it went.

use crate::router::{Measure, Outcome, Router};
use atoma_types::{NodeId, Price};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::time::Instant;

/// A router and its clock.
#[derive(Debug)]
pub(super) struct Dispatch {
    router: Mutex<Router>,
    started: Instant,
}

/// One try of a request at one node: pending there until dropped; then the router learns how it went.
#[derive(Debug)]
pub(crate) struct Attempt {
    dispatch: Arc<Dispatch>,
    node: NodeId,
    outcome: Outcome,
}

impl Dispatch {
    pub(super) fn new(seed: u64, started: Instant) -> Arc<Self> {
        Arc::new(Self {
            router: Mutex::new(Router::new(seed)),
            started,
        })
    }

    pub(super) fn set_nodes(&self, nodes: &[(NodeId, Price)]) {
        self.router.lock().set_nodes(nodes);
    }

    /// The next node for a request, none of those tried and one that is able to serve it: that has a rank, the lowest
    /// first.
    pub(super) fn pick<R: Ord + Copy>(
        self: &Arc<Self>,
        measure: Measure,
        tried: &[NodeId],
        rank: impl Fn(NodeId) -> Option<R>,
    ) -> Option<Attempt> {
        let now = self.started.elapsed();
        let node = self.router.lock().pick_able(measure, tried, rank, now)?;
        Some(Attempt {
            dispatch: Arc::clone(self),
            node,
            outcome: Outcome::Nothing,
        })
    }
}

impl Attempt {
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    /// How it went, as far as is known.
    pub(crate) fn went(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let now = self.dispatch.started.elapsed();
        let mut router = self.dispatch.router.lock();
        router.done(self.node, self.outcome, now);
    }
}
