//! Files that hold secrets.

use std::{
    fs::File,
    io::{self, Read},
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
    use atoma_runtime::files::write_private;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_secret_is_private_or_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        assert!(read_private(&path).unwrap().is_none());
        fs::write(&path, "").unwrap();
        assert!(read_private(&path).unwrap().is_none(), "left by a kill");
        write_private(&path, b"secret").unwrap();
        assert_eq!(read_private(&path).unwrap().unwrap().as_str(), "secret");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_private(&path).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}
