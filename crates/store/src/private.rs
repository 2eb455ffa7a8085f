//! Folders and files that nobody but their owner may read: keys, bodies and receipts are in there.

use crate::OpenError;
use atoma_runtime::files;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Makes a folder and those above it, readable by their owner alone and durable in the ones that
/// hold them. A folder that is there stays as it is: its mode is the operator's choice.
///
/// # Errors
/// If the file system refuses.
pub fn create_folder(folder: &Path) -> Result<(), OpenError> {
    files::create_folder(folder).map_err(at(folder))
}

/// Opens a file for writing, or makes it; what is in it stays.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let mut options = files::private_file();
    options.create(true).truncate(false).write(true).open(path)
}

/// Makes a database's file before SQLite does, which gives `-wal` and `-shm` the mode of the file.
pub(crate) fn create_database(path: &Path) -> Result<(), OpenError> {
    open_file(path).map(drop).map_err(at(path))
}

/// Closes a database of an earlier version to others.
pub(crate) fn close_to_others(path: &Path) -> Result<(), OpenError> {
    for file in companions(path).into_iter().chain([path.to_owned()]) {
        match files::close_to_others(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => done.map_err(at(&file))?,
        }
    }
    Ok(())
}

/// Gives a database the name that it has today.
pub(crate) fn rename_database(from: &Path, to: &Path) -> Result<(), OpenError> {
    // the log first: a crash in between leaves a pair of which the next start makes the rest
    let files = companions(from).into_iter().zip(companions(to));
    for (from, to) in files.chain([(from.to_owned(), to.to_owned())]) {
        match fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(&from)(error)),
        }
    }
    Ok(())
}

/// The files that SQLite keeps beside a database: its log first.
fn companions(path: &Path) -> [PathBuf; 2] {
    ["-wal", "-shm"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io {
        path: path.to_owned(),
        source,
    }
}
