//! Why a localnet doesn't start or stops.

use atoma_contract::DecodeObjectError;
use atoma_store::OpenError;
use atoma_types::ObjectId;
use tokio::task::JoinError;

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
    #[error("the database is damaged or of another version")]
    Damaged(#[from] Damage),
    /// The administrator's key can't be read or written.
    #[error(transparent)]
    Keystore(#[from] atoma_keys::KeystoreError),
    /// What reads the database broke down.
    #[error("the ledger's thread is gone")]
    Thread(#[from] JoinError),
    /// What writes the database stopped at once; it has logged why.
    #[error("the ledger's writer is gone")]
    Writer,
}

/// What of the database can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// Something that every ledger has.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// Bytes that aren't what they should be.
    #[error("cannot read {what}")]
    Bytes {
        /// What they should be.
        what: &'static str,
        /// Where reading ended.
        source: bcs::Error,
    },
    /// An object whose contents aren't of its type.
    #[error("object {id} is not of its type")]
    Object {
        /// Its id on the ledger.
        id: ObjectId,
        /// Why its contents can't be read; nothing where they are a table's entry.
        source: Option<DecodeObjectError>,
    },
}
