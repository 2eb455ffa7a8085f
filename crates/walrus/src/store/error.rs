//! What can go wrong in the store.

use super::{registry::RegistryError, report::Report};
use crate::{
    BlobId, ObjectId,
    coding::{CodingError, WireError},
    committee::CertificateError,
    quilt::QuiltError,
};
use atoma_store::OpenError;
use std::{error::Error, io, path::PathBuf, sync::Arc};
use tokio::task::JoinError;

/// Why a blob isn't stored or can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No certified blob of that id, or it has expired.
    #[error("no blob {0}")]
    NotFound(BlobId),
    /// There is no blob object of that id.
    #[error("no blob object {0}")]
    NoObject(ObjectId),
    /// Too few nodes took the blob; nothing of it is kept.
    #[error("{confirmed} of the {needed} needed shards confirm blob {blob_id}")]
    NoQuorum {
        /// The blob's id, which follows from its bytes.
        blob_id: BlobId,
        /// Shards of the nodes that confirmed.
        confirmed: usize,
        /// The least that certify.
        needed: usize,
    },
    /// Too few nodes gave good slivers.
    #[error("{good} of the {needed} needed slivers of blob {blob_id} can be had")]
    Unavailable {
        /// The blob's id, which follows from its bytes.
        blob_id: BlobId,
        /// How many good ones were found.
        good: usize,
        /// How many it takes.
        needed: usize,
        /// What the others got wrong.
        reports: Vec<Report>,
    },
    /// More epochs than may be paid ahead, or none.
    #[error("{0} epochs: 1 to 53 may be paid ahead")]
    Epochs(u32),
    /// A range that isn't within the blob.
    #[error("the range isn't within the {size} bytes of the blob")]
    Range {
        /// The blob's length in bytes.
        size: u64,
    },
    /// The numbers of nodes and shards don't fit.
    #[error("{nodes} nodes can't share {shards} shards")]
    Nodes {
        /// How many storage nodes were asked for.
        nodes: u16,
        /// How many shards were asked for.
        shards: u16,
    },
    /// There's no such node.
    #[error("no node {0}")]
    NoNode(usize),
    /// The folder is another store's.
    #[error("the folder is of a store of {0}")]
    OtherShards(String),
    /// The folder's blobs are registered elsewhere.
    #[error("the folder's blobs are registered by {0}")]
    OtherRegistry(String),
    /// The folder or its registry can't be opened: another program uses it, say.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The registry said no, or nothing.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The blob cannot be coded.
    #[error(transparent)]
    Coding(#[from] CodingError),
    /// The quilt cannot be made or read.
    #[error(transparent)]
    Quilt(#[from] QuiltError),
    /// The certificate is not good.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The store's own files can't be read or written.
    #[error("cannot use the store's files")]
    Io(#[source] std::io::Error),
    /// A storage node's key can't be read or made.
    #[error("cannot use the key of the node in {folder}", folder = folder.display())]
    Key {
        /// The node's folder.
        folder: PathBuf,
        /// What is wrong with the key or its file.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A mistake of this program.
    #[error("the store failed")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

/// Why a node didn't do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The node doesn't answer: a test has switched it off, say.
    #[error("the node is down")]
    Down,
    /// It hasn't what was asked for.
    #[error("the node has nothing of the blob")]
    Missing,
    /// What it was given to store isn't the blob's.
    #[error("the node refuses")]
    Refused(#[from] CodingError),
    /// Its disk failed.
    #[error("the node's disk failed")]
    Disk(#[source] Arc<io::Error>),
    /// What its disk holds isn't a sliver.
    #[error("the node's disk holds something else than a sliver")]
    Damaged(#[source] WireError),
    /// The thread that reads and writes for it broke down.
    #[error("the node's thread is gone")]
    Thread(#[source] Arc<JoinError>),
}
