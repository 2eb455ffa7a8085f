//! A node: serves paid requests for inference, signs a receipt for each, and collects what it
//! earned on the ledger.
//!
//! The serving path is [`Node`]'s heart and touches neither ledger nor database on its way to the
//! first token (only a stack that the node hasn't seen is read from the ledger, once):
//!
//! ```text
//! bytes in -> parse header -> verify signature -> admit (in memory) -> reserve -> engine stream
//!   -> forward each token at once, hash as it goes -> sign receipt -> commit (both for many at once)
//!   -> last bytes out
//! ```
//!
//! * `admission`, `pricing` and `account` decide; they are pure.
//! * `in_flight` is one admitted request, `serve` the HTTP around it; its JSON is the crate `openai`.
//! * `lease` and `leases` are the accounts in memory, with their way to the journal.
//! * `journal` signs receipts and makes them durable before they leave.
//! * `evidence` keeps what was asked and answered, stores it on Walrus and shows it.
//! * `attest` looks at others' answers, where the ledger has drawn this node to.
//! * `forward` passes requests on that are too much, as a client of other nodes.
//! * `ledger` works in the background: events, grants, settlement, registration.
//! * `node` starts and stops all of it; `components` says who gets what.
//!
//! What happens in the background is decided by step functions (`step`, `heard`): events in, commands
//! out, no I/O; the module around each carries the commands out.

mod account;
mod address;
mod admin;
mod admission;
mod attest;
mod billing;
mod bodies;
mod cache_secret;
mod components;
mod concurrency;
mod confidential;
mod config;
mod data_dir;
mod error;
mod evidence;
mod forward;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod held;
mod identity;
mod in_flight;
mod journal;
mod keys;
mod lease;
mod leases;
mod ledger;
mod limits;
mod metrics;
mod node;
mod pricing;
mod serve;
mod signer;
mod tasks;

pub use atoma_http::server::Limits;
pub use attest::AttestStoreError;
pub use confidential::{
    AttesterError, ConfidentialConfig, GuestError, GuestKind, SealedModel, SealedModelError,
};
pub use config::{
    AttestConfig, EvidenceConfig, ForwardConfig, KeySource, MAX_CLOCK_SKEW_MS, NodeConfig,
    RequestLimits, SettlementConfig, SubscriptionConfig, UpkeepConfig,
};
pub use error::NodeError;
pub use evidence::EvidenceError;
pub use journal::JournalError;
pub use ledger::RegisterError;
pub use metrics::{MetricReference, reference as metrics_reference};
pub use node::{Node, RunningNode, ServedModel};
pub use signer::SignerError;
