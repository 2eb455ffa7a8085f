//! The temporary folder of a command that runs a network. It goes last: what still runs when a command
//! is over (tasks of the runtime, threads of its stores) may write a file while the folder is emptied,
//! which then stays.
//!
//! A command that is killed leaves its folder behind. The next one of the same kind removes it: as long as a folder's
//! program lives, it holds a lock there, which the system gives back however the program ends.

use anyhow::{Context, Result};
use atoma_store::FileLock;
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// How often the folder is emptied anew where a thread that nobody can stop wrote into it meanwhile.
const REMOVALS: usize = 8;
/// What is locked in a folder as long as its program lives.
const HELD: &str = "scratch";
const LOCK_FILE: &str = "scratch.lock";
/// A folder's lock is there this long before anybody else touches it: who has just made it takes it meanwhile.
const LEAST_AGE: Duration = Duration::from_secs(60);

/// At most one folder a process, made when it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    held: OnceLock<Held>,
}

#[derive(Debug)]
struct Held {
    folder: TempDir,
    _lock: FileLock,
}

impl Scratch {
    /// The folder, whose name tells `command`. Those that killed programs of that name have left are removed.
    pub(crate) fn folder(&self, command: &str) -> Result<&Path> {
        if self.held.get().is_none() {
            let prefix = format!("atoma-{command}-");
            let folder = tempfile::Builder::new()
                .prefix(&prefix)
                .tempdir()
                .context("cannot make a temporary folder")?;
            let lock = FileLock::take(&folder.path().join(HELD))?;
            if let Some(root) = folder.path().parent() {
                remove_left(root, &prefix, folder.path());
            }
            // of two that ask at once the second one's folder goes again
            let _ = self.held.set(Held {
                folder,
                _lock: lock,
            });
        }
        let held = self.held.get().context("no temporary folder")?;
        Ok(held.folder.path())
    }

    /// Removes the folder. To be called when nothing runs any more.
    ///
    /// # Errors
    /// It could not be removed.
    pub(crate) fn remove(self) -> Result<()> {
        let Some(held) = self.held.into_inner() else {
            return Ok(());
        };
        let path = held.folder.keep();
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

/// Removes what programs have left in `root` whose folders begin so and whose locks nobody holds; only of the user whose
/// `own` folder is. What can't be removed stays.
fn remove_left(root: &Path, prefix: &str, own: &Path) {
    // what was made just now says who asks, and when
    let made = own.join(LOCK_FILE).symlink_metadata();
    let made = made.and_then(|about| Ok((about.uid(), about.modified()?)));
    let Ok((user, now)) = made else {
        return;
    };
    let Ok(entries) = std::fs::read_dir(root) else {
        return;
    };
    let named = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with(prefix)) && path != own
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    for path in paths.filter(named) {
        if is_left(&path, user, now) {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

/// Whether a folder is one of this user whose program has ended.
fn is_left(path: &Path, user: u32, now: SystemTime) -> bool {
    // no link is followed
    let is_own = path
        .symlink_metadata()
        .is_ok_and(|about| about.is_dir() && about.uid() == user);
    let lock = path.join(LOCK_FILE);
    let made = lock.symlink_metadata().and_then(|about| about.modified());
    let is_old = made.is_ok_and(|made| {
        let age = now.duration_since(made);
        age.is_ok_and(|age| age >= LEAST_AGE)
    });
    is_own && is_old && FileLock::take(&path.join(HELD)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

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

    #[test]
    fn what_a_killed_program_has_left_goes_and_what_lives_stays() {
        let root = tempfile::tempdir().unwrap();
        let now = root.path().metadata().unwrap().modified().unwrap();
        let made = |name: &str, lock: bool, age: Duration| {
            let path = root.path().join(name);
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("state"), "x").unwrap();
            if lock {
                let file = File::create(path.join(LOCK_FILE)).unwrap();
                file.set_modified(now - age).unwrap();
            }
            path
        };
        let old = LEAST_AGE * 2;
        let own = made("atoma-devnet-own", true, Duration::ZERO);
        let left = made("atoma-devnet-left", true, old);
        let just_made = made("atoma-devnet-new", true, Duration::ZERO);
        let unlocked = made("atoma-devnet-none", false, old);
        let another = made("atoma-demo-left", true, old);
        let lives = made("atoma-devnet-lives", true, old);
        let _held = FileLock::take(&lives.join(HELD)).unwrap();
        remove_left(root.path(), "atoma-devnet-", &own);
        assert!(!left.exists());
        for path in [own, just_made, unlocked, another, lives] {
            assert!(path.join("state").exists(), "{}", path.display());
        }
    }
}
