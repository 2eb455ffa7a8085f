//! Files that hold secrets.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};
use zeroize::Zeroizing;

/// Others can read a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "other users of this machine can read this secret (its mode is {mode:o}): make it private with \
     `chmod 600`, and think of it as known if they are strangers"
)]
pub struct ExposedSecret {
    /// The file's permissions.
    pub mode: u32,
}

/// Makes a folder and those above it, open to their owner alone; one that is there stays as it is.
fn private_folder(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file that only its owner can read, and makes it durable. It is there wholly or not at all,
/// even after a kill. Folders that lack are made, for their owner alone.
///
/// # Errors
/// If the file system refuses.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        private_folder(folder)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = Path::new(&name);
    // one that a kill left may be anybody's to read: its mode would stay
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Reads a secret's text. `None` if there is no such file, or it is empty: an earlier program was killed
/// between making it and filling it, so that nothing was ever done with what it should hold.
///
/// # Errors
/// If the file system refuses, or with an [`ExposedSecret`] if others can read the file.
pub fn read_private(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = Zeroizing::new(String::new());
    file.read_to_string(&mut text)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                ExposedSecret { mode },
            ));
        }
    }
    Ok(Some(text))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_private_whole_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        assert!(read_private(&path).unwrap().is_none());
        fs::write(&path, "").unwrap();
        assert!(read_private(&path).unwrap().is_none(), "left by a kill");
        // a kill before the rename leaves this, and the next writer takes it over
        fs::write(folder.path().join("a.key.new"), "half").unwrap();
        write_private(&path, b"secret").unwrap();
        assert_eq!(read_private(&path).unwrap().unwrap().as_str(), "secret");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_private(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn folders_that_are_made_for_a_secret_are_private_and_others_stay() {
        let root = tempfile::tempdir().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let open = root.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let inner = open.join("home").join("keys");
        write_private(&inner.join("a.key"), b"secret").unwrap();
        let modes = [&open, &open.join("home"), &inner].map(|path| mode(path));
        assert_eq!(modes, [0o755, 0o700, 0o700]);
    }
}
