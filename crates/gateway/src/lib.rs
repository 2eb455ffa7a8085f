//! An OpenAI endpoint for people with an API key: they need no wallet, no ledger and no other SDK
//! than the one they have. The gateway holds the money, buys stacks within a budget, and passes
//! requests on to nodes; the nodes' signed receipts reach the users unchanged.
//!
//! ```text
//! key -> permit -> body -> model -> budget (reserve) -> node (router) -> lease (pool)
//!   -> request (client) -> first byte -> bytes as they came -> receipt -> budget (settle)
//! ```
//!
//! * `keys`, `budget`, `router`, `body`, `catalog` and `pool::refill` decide; they know no network.
//! * `pool` has the units of a task: buys, grants, tops up, closes.
//! * `user_request` is the life of one request and gives a `reply`; `serve` is the HTTP around it.
//! * `market` follows the ledger.
//! * `gateway` puts it all together.

mod accounts;
mod at_node;
mod body;
mod budget;
mod catalog;
mod concurrency;
mod config;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gateway;
mod keys;
mod lacked;
mod market;
mod metrics;
mod patience;
mod pool;
mod purchase;
mod refusals;
mod reply;
mod router;
mod serve;
mod servers;
mod tried;
mod unsettled;
mod user_request;
mod watch;

pub use atoma_http::server::{Limits, ZeroLimit};
pub use budget::{Amount, BudgetError, Standing};
pub use config::{
    ApiKeyConfig, ConfigError, GatewayConfig, ModelConfig, RequestLimits, StackPolicy,
};
pub use gateway::{Gateway, RunningGateway, StartError};
pub use keys::{ApiKey, KeyHash, ParseApiKeyError, ParseKeyHashError};
pub use metrics::{MetricReference, reference as metrics_reference};
pub use purchase::{Purchase, Purchases};
pub use servers::ListenError;
