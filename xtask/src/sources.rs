//! The files that checks read.

use crate::shell::root;
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The Rust files of every crate's `src`.
pub(crate) fn sources() -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for krate in entries(&root().join("crates"))? {
        folders.push(krate.join("src"));
    }
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let at = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(folder).with_context(at)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<std::io::Result<_>>().with_context(at)
}
