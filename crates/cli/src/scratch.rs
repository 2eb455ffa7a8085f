//! The temporary folder of a command that runs a network. It goes last: what still runs when a command
//! is over (tasks of the runtime, threads of its stores) may write a file while the folder is emptied,
//! which then stays.

use anyhow::{Context, Result};
use std::path::Path;
use std::sync::OnceLock;
use tempfile::TempDir;

/// How often the folder is emptied anew where a thread that nobody can stop wrote into it meanwhile.
const REMOVALS: usize = 8;

/// At most one folder a process, made when it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    folder: OnceLock<TempDir>,
}

impl Scratch {
    /// The folder, whose name tells `command`.
    pub(crate) fn folder(&self, command: &str) -> Result<&Path> {
        if self.folder.get().is_none() {
            let made = tempfile::Builder::new()
                .prefix(&format!("atoma-{command}-"))
                .tempdir()
                .context("cannot make a temporary folder")?;
            // of two that ask at once the second one's folder goes again
            let _ = self.folder.set(made);
        }
        let folder = self.folder.get().context("no temporary folder")?;
        Ok(folder.path())
    }

    /// Removes the folder. To be called when nothing runs any more.
    ///
    /// # Errors
    /// It could not be removed.
    pub(crate) fn remove(self) -> Result<()> {
        let Some(folder) = self.folder.into_inner() else {
            return Ok(());
        };
        let path = folder.keep();
        let mut removed = std::fs::remove_dir_all(&path);
        for _ in 1..REMOVALS {
            if removed.is_ok() {
                break;
            }
            removed = std::fs::remove_dir_all(&path);
        }
        removed.with_context(|| format!("cannot remove {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_folder_until_it_is_removed_and_none_unless_asked_for() {
        let scratch = Scratch::default();
        let path = scratch.folder("demo").unwrap().to_owned();
        assert_eq!(scratch.folder("demo").unwrap(), path);
        std::fs::write(path.join("a"), "b").unwrap();
        scratch.remove().unwrap();
        assert!(!path.exists());
        Scratch::default().remove().unwrap();
    }
}
