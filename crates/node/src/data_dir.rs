//! The node's data directory: its files, and the lock that keeps other processes out.

use crate::error::NodeError;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// A data directory that is ours for as long as this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// The system gives it back even after kill -9.
    _lock: File,
}

impl DataDir {
    /// Creates the directory if it isn't there, and takes its lock.
    pub(crate) fn open(path: &Path) -> Result<Self, NodeError> {
        let lock = path.join("lock");
        let io = |source| NodeError::Io {
            path: lock.clone(),
            source,
        };
        fs::create_dir_all(path).map_err(io)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: file,
            }),
            Err(fs::TryLockError::WouldBlock) => Err(NodeError::InUse(path.to_owned())),
            Err(fs::TryLockError::Error(source)) => Err(io(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the node must not forget.
    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join("journal.sqlite")
    }

    /// The key that signs receipts.
    pub(crate) fn response_key(&self) -> PathBuf {
        self.path.join("response.key")
    }
}
