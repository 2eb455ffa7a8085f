//! Files that hold secrets.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::Path,
};

/// Writes a file that only its owner can read, and makes it durable.
///
/// # Errors
/// If the file system refuses.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
