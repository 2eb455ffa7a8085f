//! A development ledger that speaks Sui's gRPC protocol: what anvil is for Ethereum, for Atoma's
//! contract. It executes signed programmable transactions on real coin objects and the contract's
//! shared objects, keeps everything in one database, and survives being killed at any moment. It is
//! one process that everybody must trust, and no blockchain.
//!
//! ```text
//! gRPC, faucet ──> writer (one thread): execute in memory ─> one commit ─> answer, publish
//!       │                                                        │
//!       └──── reads: committed state in memory, history ─── SQLite
//! ```

mod access;
mod audit;
mod balances;
mod beacon;
mod checkpoint;
mod clock;
mod config;
mod error;
mod execution;
mod faucet;
mod freeze;
mod genesis;
mod grpc;
mod move_types;
mod objects;
mod open;
mod record;
mod rules;
mod server;
mod state;
mod store;
mod treasury;
mod trouble;
mod view;
mod writer;

pub use audit::Audit;
pub use config::{CheckpointMode, ClockMode, FaucetConfig, LocalnetConfig};
pub use error::{Damage, LocalnetError};
pub use server::{Localnet, RunningLocalnet};
