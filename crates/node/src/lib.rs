//! A node: serves paid requests for inference, signs a receipt for each, and collects what it
//! earned on the ledger.
//!
//! The serving path is [`Node`]'s heart and touches neither ledger nor database on its way to the
//! first token:
//!
//! ```text
//! bytes in -> parse header -> verify signature -> admit (in memory) -> reserve -> engine stream
//!   -> forward each token at once, hash as it goes -> commit usage (group commit) -> sign receipt
//!   -> last bytes out
//! ```
//!
//! * `admission`, `pricing` and `account` decide; they are pure.
//! * `flight` is one admitted request, `serve` the HTTP around it, `openai` its JSON.
//! * `journal` makes receipts durable before they leave.
//! * `evidence` keeps what was asked and answered, stores it on Walrus and shows it.
//! * `ledger` works in the background: events, grants, settlement, registration.

mod account;
mod admin;
mod admission;
mod bodies;
mod concurrency;
mod config;
mod evidence;
mod in_flight;
mod journal;
mod lease;
mod leases;
mod ledger;
mod metrics;
mod node;
mod openai;
mod pricing;
mod serve;
mod shared;
mod signer;

pub use atoma_http::server::Limits;
pub use config::{
    EvidenceConfig, KeySource, MAX_CLOCK_SKEW_MS, NodeConfig, RequestLimits, SettlementConfig,
    SubscriptionConfig,
};
pub use evidence::EvidenceError;
pub use journal::JournalError;
pub use ledger::RegisterError;
pub use node::{Node, NodeError, RunningNode, ServedModel};
pub use signer::SignerError;
