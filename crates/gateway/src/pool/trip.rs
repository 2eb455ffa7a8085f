//! A request's stay at one node, as the router counts it.

use super::Pool;
use crate::router::Outcome;
use atoma_types::NodeId;
use std::sync::Arc;

/// Pending at a node until dropped; then the router learns how it went.
#[derive(Debug)]
pub(crate) struct Trip {
    pool: Arc<Pool>,
    node: NodeId,
    outcome: Outcome,
}

impl Trip {
    pub(super) fn new(pool: Arc<Pool>, node: NodeId) -> Self {
        Self {
            pool,
            node,
            outcome: Outcome::Nothing,
        }
    }

    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    /// How it went, as far as is known.
    pub(crate) fn went(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Trip {
    fn drop(&mut self) {
        let now = self.pool.started.elapsed();
        self.pool.router.lock().done(self.node, self.outcome, now);
    }
}
