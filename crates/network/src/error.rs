//! Why a network doesn't start.

use atoma_gateway::{ParseApiKeyError, StartError};
use atoma_keys::SecretKeyError;
use atoma_ledger::{ConnectError, ExecuteError, FaucetError, ReadError};
use atoma_localnet::LocalnetError;
use atoma_node::NodeError;
use atoma_walrus_localnet::WalrusLocalnetError;
use std::{io, path::PathBuf};

/// A part of the network doesn't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The localnet does not start.
    #[error("the ledger does not start")]
    Localnet(#[from] LocalnetError),
    /// There is no ledger to work with.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// The ledger doesn't take a transaction, or it isn't known whether it did.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// There is no test money.
    #[error(transparent)]
    Faucet(#[from] FaucetError),
    /// The local Walrus couldn't be started.
    #[error("the local Walrus does not start")]
    Walrus(#[from] WalrusLocalnetError),
    /// A node does not start.
    #[error("node {number} does not start")]
    Node {
        /// Which of the nodes it is, from 1.
        number: usize,
        /// What caused it, as its own error.
        #[source]
        source: Box<NodeError>,
    },
    /// The gateway does not start.
    #[error("the gateway does not start")]
    Gateway(#[source] Box<StartError>),
    /// A file of the network's folder.
    #[error("cannot use {path}")]
    File {
        /// Where the file is.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// A file that should hold a key of Sui's form.
    #[error("{path} holds no key")]
    Key {
        /// Where the file is.
        path: PathBuf,
        /// What caused it, as its own error.
        #[source]
        source: SecretKeyError,
    },
    /// A file that should hold an API key.
    #[error("{path} holds no API key")]
    ApiKey {
        /// Where the file is.
        path: PathBuf,
        /// What caused it, as its own error.
        #[source]
        source: ParseApiKeyError,
    },
    /// A transaction succeeded without the event that it must have.
    #[error("the ledger reported no new {0}")]
    NoEvent(&'static str),
    /// Nodes need a model.
    #[error("nodes were asked for, but nothing to serve")]
    NothingToServe,
}
