//! Files that are wholly there or not at all, and there for good.

use super::error::StoreError;
use atoma_runtime::files;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Ending of files that aren't finished; removed at the next start.
const UNFINISHED: &str = ".part";

/// Writes a file so that it survives the machine once this returns.
pub(super) fn write(folder: &Path, name: &str, parts: &[&[u8]]) -> Result<(), StoreError> {
    let unfinished = begin(folder, name, parts).map_err(StoreError::Io)?;
    finish(folder, &unfinished, name).map_err(StoreError::Io)
}

/// Writes a file's bytes under another name.
pub(super) fn begin(folder: &Path, name: &str, parts: &[&[u8]]) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let unfinished = folder.join(format!("{name}.{count}{UNFINISHED}"));
    // nobody else may read what is a node's, its key above all
    let mut options = files::private_file();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .open(&unfinished)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    Ok(unfinished)
}

/// Gives it its own name.
pub(super) fn finish(folder: &Path, unfinished: &Path, name: &str) -> io::Result<()> {
    files::rename(unfinished, &folder.join(name))
}

/// Removes what a crash left unfinished.
pub(super) fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(UNFINISHED) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
