//! Why a localnet doesn't start or stops.

use atoma_store::OpenError;

/// A localnet can't be started or went down.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalnetError {
    /// The data folder or its database can't be opened: another localnet uses it, say.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The address can't be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where it was to listen.
        address: std::net::SocketAddr,
        /// The system's own error.
        source: std::io::Error,
    },
    /// The database can't be read or written.
    #[error("cannot use the ledger's database")]
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
