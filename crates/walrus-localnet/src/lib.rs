//! A local Walrus whose blobs are objects on a ledger: `atoma-walrus` keeps the bytes, the ledger says
//! what is registered, certified, whose it is and until when.
//!
//! * [`LedgerRegistry`] is the store's registry: it registers, certifies, extends and deletes by
//!   transactions of one operator, who holds the ledger's `OperatorCap`.
//! * [`LocalWalrus`] is all of it running: storage nodes, registry, epochs, publisher and aggregator over
//!   HTTP.
//!
//! It is a crate of its own because it needs both sides: `walrus` knows no ledger, and `ledger` no
//! storage.

mod convert;
mod error;
mod index;
mod registry;
mod service;

pub use error::WalrusLocalnetError;
pub use registry::LedgerRegistry;
pub use service::{LocalWalrus, LocalWalrusConfig};
