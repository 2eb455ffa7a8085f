//! Files that are wholly there or not at all, and there for good.

use super::error::StoreError;
use std::{
    fs::{self, File},
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
    let mut file = create(&unfinished)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()?;
    Ok(unfinished)
}

/// Nobody else may read what is a node's, its key above all.
fn create(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gives it its own name.
pub(super) fn finish(folder: &Path, unfinished: &Path, name: &str) -> io::Result<()> {
    fs::rename(unfinished, folder.join(name))?;
    sync_folder(folder)
}

/// Waits until the names in a folder are durable.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // the parent of a relative path of one part is empty
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)?.sync_all()
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
