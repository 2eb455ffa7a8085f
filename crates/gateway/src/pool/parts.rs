//! What all pools share.

use crate::{
    budget::{Account, BudgetStore},
    metrics::Metrics,
};
use atoma_client::Client;
use std::sync::Arc;
use tokio::time::Instant;

/// The wallet and its budget.
#[derive(Clone, Debug)]
pub(crate) struct PoolParts {
    pub(crate) client: Client,
    /// What may be put into stacks.
    pub(crate) account: Arc<Account>,
    pub(crate) budgets: Arc<BudgetStore>,
    pub(crate) metrics: Arc<Metrics>,
    /// The router's clock counts from here.
    pub(crate) started: Instant,
}
