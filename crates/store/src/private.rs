//! Folders and files that nobody but their owner may read: keys, bodies and receipts are in there.

use crate::OpenError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

#[cfg(unix)]
const FOLDER_MODE: u32 = 0o700;
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;

/// Makes a folder and those above it, readable by their owner alone and durable in the ones that
/// hold them. A folder that is there stays as it is: its mode is the operator's choice.
///
/// # Errors
/// If the file system refuses.
pub fn create_folder(folder: &Path) -> Result<(), OpenError> {
    // the parent of a relative path of one part is empty
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(Path::new(""));
    create_folder(parent)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER_MODE);
    let made = match builder.create(folder) {
        // another process was faster
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    };
    made.and_then(|()| sync(parent)).map_err(at(folder))
}

/// Opens a file for writing, or makes it; what is in it stays.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE_MODE);
    options.open(path)
}

/// Makes a database's file before SQLite does, which gives `-wal` and `-shm` the mode of the file.
pub(crate) fn create_database(path: &Path) -> Result<(), OpenError> {
    open_file(path).map(drop).map_err(at(path))
}

/// Closes a database of an earlier version to others.
pub(crate) fn close_to_others(path: &Path) -> Result<(), OpenError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).map(|found| found.permissions().mode());
        if mode(path).map_err(at(path))? & 0o777 == FILE_MODE {
            return Ok(());
        }
        for file in companions(path).into_iter().chain([path.to_owned()]) {
            match fs::set_permissions(&file, fs::Permissions::from_mode(FILE_MODE)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => done.map_err(at(&file))?,
            }
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

/// Waits until the names in a folder are durable.
fn sync(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)?.sync_all()
}

pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io {
        path: path.to_owned(),
        source,
    }
}
