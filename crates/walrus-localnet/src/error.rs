//! What can go wrong when a store meets its ledger.

use atoma_ledger::{ExecuteError, ReadError};
use atoma_store::OpenError;
use atoma_types::Address;
use atoma_walrus::store::{RegistryError, StoreError};
use std::net::SocketAddr;

/// Why the local Walrus doesn't run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalrusLocalnetError {
    /// The operator may not name storage nodes on this ledger.
    #[error(
        "{0} holds no OperatorCap of the ledger's Walrus: use the key that does (on localnet the administrator's)"
    )]
    NotOperator(Address),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// The ledger doesn't take a transaction, or it isn't known whether it did.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The registry's own file can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The registry's own file, or what the ledger said to it.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The storage nodes failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// The system's own error.
        source: std::io::Error,
    },
}
