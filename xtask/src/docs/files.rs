//! Files of the repository.

use crate::shell::root;
use anyhow::{Context, Result};

/// The text of a file, named from the repository's root.
pub(super) fn read(path: &str) -> Result<String> {
    let path = root().join(path);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
