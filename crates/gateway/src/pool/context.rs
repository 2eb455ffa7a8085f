//! What all pools share.

use crate::{
    budget::{Account, BudgetStore},
    metrics::Metrics,
    purchase::{Purchase, Purchases},
};
use atoma_client::{Client, NodeReach};
use std::sync::Arc;
use tokio::time::Instant;

/// The wallet and its budget.
#[derive(Clone, Debug)]
pub(crate) struct PoolContext {
    pub(crate) client: Client,
    /// What may be put into stacks.
    pub(crate) account: Arc<Account>,
    pub(crate) budgets: Arc<BudgetStore>,
    pub(crate) metrics: Arc<Metrics>,
    /// Who is told of what is bought.
    pub(crate) purchases: Option<Purchases>,
    /// All stacks that the client remembers were paid from this budget.
    pub(crate) exclusive: bool,
    /// Which nodes are used.
    pub(crate) reach: NodeReach,
    /// The router's clock counts from here.
    pub(crate) started: Instant,
}

impl PoolContext {
    /// Tells of a purchase, if anyone listens.
    pub(super) fn tell(&self, purchase: Purchase) {
        if let Some(listener) = &self.purchases {
            // a listener that is full or gone misses it
            let _ = listener.try_send(purchase);
        }
    }
}
