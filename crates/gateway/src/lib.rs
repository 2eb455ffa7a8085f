//! An OpenAI endpoint for people with an API key: they need no wallet, no ledger and no other SDK
//! than the one they have. The gateway holds the money, buys stacks within a budget, and passes
//! requests on to nodes; the nodes' signed receipts reach the users unchanged.
//!
//! ```text
//! key -> place -> body -> model -> budget (reserve) -> node (router) -> lease (pool)
//!   -> request (client) -> first byte -> bytes as they came -> receipt -> budget (settle)
//! ```
//!
//! * `keys`, `budget`, `router`, `errors`, `body` and `catalog` decide; they know no network.
//! * `pool` has the units of a task: buys, grants, tops up, closes.
//! * `order` is the life of one request, `serve` the HTTP around it.
//! * `market` follows the ledger.

mod body;
mod budget;
mod catalog;
mod config;
mod errors;
mod gateway;
mod keys;
mod listen;
mod market;
mod metrics;
mod order;
mod pool;
mod router;
mod serve;
mod stall;

pub use budget::{Amount, BookError, Standing};
pub use config::{ApiKeyConfig, ConfigError, GatewayConfig, Limits, ModelConfig, StackPolicy};
pub use gateway::{Gateway, RunningGateway, StartError};
pub use keys::{ApiKey, KeyHash, ParseApiKeyError, ParseKeyHashError};
