//! Files that are there for good, whole, and for nobody but their owner: keys, bodies, receipts, transactions on
//! their way.
//!
//! A name is durable once the folder that holds it is synced, and so is a folder's own name in the one above it.

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

#[cfg(unix)]
const FOLDER_MODE: u32 = 0o700;
#[cfg(unix)]
const FILE_MODE: u32 = 0o600;
/// Ends the name of a file that isn't whole yet.
const UNFINISHED: &str = ".new";

/// Options that make a file for its owner alone. One that is there keeps its mode.
#[must_use]
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, FILE_MODE);
    options
}

/// Closes a file that is there to everybody but its owner.
///
/// # Errors
/// If the file system refuses.
pub fn close_to_others(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(
        path,
        std::os::unix::fs::PermissionsExt::from_mode(FILE_MODE),
    )?;
    Ok(())
}

/// Makes a folder and those above it, for their owner alone and durable in the ones that hold them. A folder that is
/// there stays as it is: its mode is the operator's choice.
///
/// # Errors
/// If the file system refuses.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    // the parent of a relative path of one part is empty
    if folder.as_os_str().is_empty() || folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(Path::new(""));
    create_folder(parent)?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, FOLDER_MODE);
    match builder.create(folder) {
        // another process was faster
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        made => made?,
    }
    sync_folder(parent)
}

/// Waits until the names in a folder are durable.
///
/// # Errors
/// If the file system refuses.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // the parent of a relative path of one part is empty
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)?.sync_all()
}

/// Waits until a file's name is durable.
///
/// # Errors
/// If the file system refuses.
pub fn sync_name(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_folder)
}

/// Gives a file its name for good, in place of what had it before.
///
/// # Errors
/// If the file system refuses.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_name(to)
}

/// Writes a file that only its owner can read, and makes it durable. It is there wholly or not at all, even after a
/// kill, and of several programs that write it at once the last one's is. Folders that lack are made, for their owner
/// alone.
///
/// # Errors
/// If the file system refuses.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    let mut name = OsString::from(path);
    name.push(UNFINISHED);
    let unfinished = PathBuf::from(name);
    let mut file = open_alone(&unfinished)?;
    // what a kill left
    file.set_len(0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(&unfinished, path)
}

/// A file that no other program writes before this one has closed it.
fn open_alone(path: &Path) -> io::Result<File> {
    loop {
        let mut options = private_file();
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        // whoever had it may have given it its name by now
        if is_at(&file, path)? {
            close_to_others(path)?;
            return Ok(file);
        }
    }
}

/// Whether it is this file that has the name.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let of = |found: fs::Metadata| (found.dev(), found.ino());
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            found => Ok(of(found?) == of(file.metadata()?)),
        }
    }
    #[cfg(not(unix))]
    path.try_exists()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn folders_that_are_made_are_private_and_others_stay() {
        let root = tempfile::tempdir().unwrap();
        let open = root.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let inner = open.join("home").join("keys");
        write_private(&inner.join("a.key"), b"secret").unwrap();
        let modes = [&open, &open.join("home"), &inner].map(|path| mode(path));
        assert_eq!(modes, [0o755, 0o700, 0o700]);
    }

    #[test]
    fn a_file_is_private_and_whole_whatever_a_kill_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        // a kill before the rename leaves this, and the next writer takes it over
        let left = folder.path().join("a.key.new");
        fs::write(&left, "half").unwrap();
        fs::set_permissions(&left, fs::Permissions::from_mode(0o644)).unwrap();
        write_private(&path, b"secret").unwrap();
        assert_eq!(
            (fs::read(&path).unwrap(), mode(&path)),
            (b"secret".to_vec(), 0o600)
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        close_to_others(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn of_many_who_write_at_once_one_wins_and_all_of_its_file_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("networks.toml");
        std::thread::scope(|scope| {
            for letter in b'a'..=b'h' {
                let path = &path;
                scope.spawn(move || {
                    for length in 1..50 {
                        write_private(path, &vec![letter; length * 100]).unwrap();
                    }
                });
            }
        });
        let written = fs::read(&path).unwrap();
        assert_eq!(written.len(), 4_900);
        assert!(written.iter().all(|byte| *byte == written[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
