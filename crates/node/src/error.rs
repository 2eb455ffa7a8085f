//! Why a node can't start.

use crate::{
    attest::AttestStoreError, confidential::GuestError, evidence::EvidenceError,
    journal::JournalError, ledger::RegisterError, signer::SignerError,
};
use atoma_client::ClientError;
use atoma_engine::probe::ProbeFault;
use atoma_http::server::ZeroLimit;
use atoma_keys::{KeystoreError, SecretKeyError};
use atoma_ledger::{ConnectError, ExecuteError, ReadError};
use atoma_store::OpenError;
use std::{io, net::SocketAddr, path::PathBuf};

/// A node can't start. The message says what was tried; its source says why it failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// Under the configured limits nothing could be served.
    #[error(transparent)]
    Limits(#[from] ZeroLimit),
    /// A file can't be used.
    #[error("cannot use {path}")]
    Io {
        /// Where the file is.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// The data directory can't be used. That another process has it is one reason: two would sign
    /// different receipts with one number.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// The wallet's key can't be read.
    #[error("cannot read the key in {path}")]
    Key {
        /// Where the file is.
        path: PathBuf,
        /// What is wrong with the text.
        #[source]
        source: SecretKeyError,
    },
    /// The keystore can't be read.
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    /// The keystore doesn't have the key.
    #[error("{0} isn't there, or doesn't hold the configured key")]
    NoKey(PathBuf),
    /// The response key can't be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The journal can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Evidence can't be kept as configured.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// What the attester must remember can't be.
    #[error(transparent)]
    Attest(#[from] AttestStoreError),
    /// Records are read from where evidence is stored.
    #[error("`[attest]` needs `[evidence]`: that is where others' records are read")]
    AttestWithoutEvidence,
    /// It can't run where nobody can look, as configured.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// There is no ledger to work with.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// What an earlier run left on its way can't be finished.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// What pays for requests that are passed on can't be used.
    #[error("cannot pass requests on")]
    Client(#[from] ClientError),
    /// The node can't join as configured.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// An engine of an exact class errs: with it the node would be convicted for honest work.
    #[error("the engine of `{model}` may not serve an exact class")]
    Engine {
        /// The model that it was to serve.
        model: String,
        /// Which of the prompt's bits differ.
        #[source]
        source: ProbeFault,
    },
    /// An address can't be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address as it is configured.
        address: SocketAddr,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// Users couldn't find the node.
    #[error("set `public_url`: {0} is not an address that users can reach")]
    NoUrl(SocketAddr),
}
