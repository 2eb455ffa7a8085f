//! Who may use a folder. Both locks are the system's own: it gives them back when their process
//! ends, however it ends, so that no lock is ever left behind. (They need a file system with working
//! `flock`; network file systems often have none.)

use crate::{
    OpenError,
    private::{at, create_folder, open_file},
};
use std::{
    ffi::OsStr,
    fs::{File, TryLockError},
    path::Path,
};

/// The lock's file in a folder.
const LOCK_FILE: &str = "lock";

/// A folder held by this program alone, until this is dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder, which is made if it isn't there.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if another program has it, or if the file system refuses.
    pub fn take(folder: &Path) -> Result<Self, OpenError> {
        let held = try_take(folder, LOCK_FILE.as_ref())?;
        let taken = held.map(|file| Self { _file: file });
        taken.ok_or_else(|| OpenError::InUse {
            path: folder.to_owned(),
        })
    }

    /// Takes the folder as soon as it is free: for what takes moments only. Blocks.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn wait(folder: &Path) -> Result<Self, OpenError> {
        create_folder(folder)?;
        let path = folder.join(LOCK_FILE);
        let file = open_file(&path).map_err(at(&path))?;
        file.lock().map_err(at(&path))?;
        Ok(Self { _file: file })
    }
}

/// A database held by this program alone, where a folder has several, until this is dropped.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the database: by a file beside it, of the same name with `.lock` behind.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if another program has it, or if the file system refuses.
    pub fn take(database: &Path) -> Result<Self, OpenError> {
        let mut name = database.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let folder = database.parent().unwrap_or(Path::new(""));
        let held = try_take(folder, &name)?;
        let taken = held.map(|file| Self { _file: file });
        taken.ok_or_else(|| OpenError::InUse {
            path: database.to_owned(),
        })
    }
}

/// A place among the programs that share a folder: a small number that no other of them has as long
/// as this lives. What belongs to a number belongs to one program at a time, and when that has died
/// to the next one that takes the number.
#[derive(Debug)]
pub struct Slot {
    number: u16,
    _file: File,
}

impl Slot {
    /// Takes the lowest number below `most` that is free.
    ///
    /// # Errors
    /// [`OpenError::Crowded`] if all are taken, or if the file system refuses.
    pub fn take(folder: &Path, most: u16) -> Result<Self, OpenError> {
        for number in 0..most {
            if let Some(slot) = Self::take_number(folder, number)? {
                return Ok(slot);
            }
        }
        Err(OpenError::Crowded {
            folder: folder.to_owned(),
            most,
        })
    }

    /// Takes one number, if it is free.
    ///
    /// # Errors
    /// If the file system refuses.
    pub fn take_number(folder: &Path, number: u16) -> Result<Option<Self>, OpenError> {
        let held = try_take(folder, format!("slot-{number}").as_ref())?;
        Ok(held.map(|file| Self {
            number,
            _file: file,
        }))
    }

    /// Number of the slot, from 0.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}

fn try_take(folder: &Path, name: &OsStr) -> Result<Option<File>, OpenError> {
    create_folder(folder)?;
    let path = folder.join(name);
    let file = open_file(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(at(&path)(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        let held = FolderLock::take(&inner).unwrap();
        assert!(matches!(
            FolderLock::take(&inner),
            Err(OpenError::InUse { .. })
        ));
        drop(held);
        FolderLock::take(&inner).unwrap();
    }

    #[test]
    fn databases_of_one_folder_have_locks_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join("a").join(name);
        let held = FileLock::take(&path("one")).unwrap();
        let _other = FileLock::take(&path("two")).unwrap();
        let refused = FileLock::take(&path("one")).unwrap_err();
        assert!(refused.to_string().contains("a/one is in use"), "{refused}");
        drop(held);
        FileLock::take(&path("one")).unwrap();
    }

    #[test]
    fn slots_are_taken_from_the_lowest_and_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let take = || Slot::take(folder.path(), 3);
        let (first, second, third) = (take().unwrap(), take().unwrap(), take().unwrap());
        let numbers = [&first, &second, &third].map(Slot::number);
        assert_eq!(numbers, [0, 1, 2]);
        assert!(matches!(take(), Err(OpenError::Crowded { most: 3, .. })));
        drop(second);
        assert_eq!(take().unwrap().number(), 1);
    }
}
