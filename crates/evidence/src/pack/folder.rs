//! Durable names of files.

use std::{fs::File, io, path::Path};

/// Waits until the names in a folder are durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // the parent of a relative path of one part is empty
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)?.sync_all()
}
