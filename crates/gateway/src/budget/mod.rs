//! Budgets: what a key may spend, and what the gateway may put into stacks.
//!
//! Money is reserved atomically before a request leaves and settled when its receipt is here; it is
//! never checked first and added later, so no number of concurrent requests can spend more than
//! the limit. [`BudgetStore`] keeps what is spent across restarts.

mod account;
mod amount;
mod stack_charges;
mod store;

pub use account::Standing;
pub(crate) use account::{Account, Hold, NoHold};
pub use amount::Amount;
pub use store::BudgetError;
pub(crate) use store::BudgetStore;
