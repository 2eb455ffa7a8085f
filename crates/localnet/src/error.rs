//! Why a localnet doesn't start or stops.

use std::path::PathBuf;

/// A localnet can't be started or went down.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalnetError {
    /// The data folder can't be used.
    #[error("cannot use {path}: {source}")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process has the folder.
    #[error("{path} is in use by another localnet")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The address can't be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The database said no.
    #[error("database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The database holds something that this version can't read.
    #[error("the database is damaged or of another version: {0}")]
    Damaged(String),
    /// The administrator's key can't be read or written.
    #[error(transparent)]
    Keystore(#[from] atoma_keys::KeystoreError),
    /// A thread can't be started or died.
    #[error("the ledger's writer is gone: {0}")]
    Writer(String),
}
