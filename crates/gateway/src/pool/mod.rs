//! One task's nodes and units: which node is next, and that it has a lease to serve on.
//!
//! Stacks are bought for `Any` node, and units of them granted to the nodes that the router
//! chooses, a little before a lease runs dry, so that requests rarely wait. Purchases, top-ups and
//! grants run in tasks of their own: a user who leaves can't cancel a payment half-way.
//!
//! `refill` decides what is bought and granted, and knows no ledger; `stack_pool` does it.

mod affordable;
mod context;
mod dispatch;
mod error;
mod knock;
mod looks;
mod own_use;
mod parted;
mod purchasing;
mod refill;
mod stack_pool;
mod task_pool;
mod views;

pub(crate) use context::PoolContext;
pub(crate) use dispatch::Attempt;
pub(crate) use error::LeaseError;
pub(crate) use task_pool::TaskPool;
