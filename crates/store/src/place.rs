//! Where a database is.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// A file, or memory that ends with its last connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file on the disk.
    File(PathBuf),
    /// Memory; connections of one process find it by the name.
    Memory(String),
}

impl Place {
    /// Memory of its own.
    #[must_use]
    pub fn memory() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::Memory(format!("atoma-store-{number}"))
    }

    /// What errors call it.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Memory(name) => Path::new(name),
        }
    }

    /// The name that SQLite opens.
    pub(crate) fn name(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Memory(name) => format!("file:{name}?mode=memory&cache=shared").into(),
        }
    }
}
