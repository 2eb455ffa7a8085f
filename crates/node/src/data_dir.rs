//! The node's data directory: its files, and the lock that keeps other processes out.

use atoma_store::{FolderLock, OpenError};
use std::path::{Path, PathBuf};

/// A data directory that is ours for as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: FolderLock,
}

impl DataDir {
    /// Creates the directory if it isn't there, and takes its lock.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            _lock: FolderLock::take(path)?,
            path: path.to_owned(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The key that signs receipts.
    pub(crate) fn response_key(&self) -> PathBuf {
        self.path.join("response.key")
    }

    /// A copy of each response key that the node has had, by its public half.
    pub(crate) fn response_keys(&self) -> PathBuf {
        self.path.join("response-keys")
    }
}
