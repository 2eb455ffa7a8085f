//! A model's key on its owner's disk.

use atoma_channel::model::ModelKey;
use atoma_keys::read_private;
use atoma_runtime::files::write_private;
use atoma_types::hash::{Hash32, ParseHashError};
use std::{
    fmt, io,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// What a key file begins with.
const REMARK: &str = "# the id of a sealed model, and its key: whoever has both can read the model";

/// The key of one sealed model, in a file that only its owner can read: a line with the model's id and the key, in hex.
pub struct KeyFile {
    /// The model's id.
    pub model: Hash32,
    /// What opens it.
    pub key: ModelKey,
}

/// A key file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It can't be read or written, or others can read it.
    #[error("cannot use the key file {path}")]
    Io {
        /// Where it is.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// There is none.
    #[error("there is no key in {0}")]
    Missing(PathBuf),
    /// There is one already, and it may be the only copy.
    #[error("{0} is there already: the key in it may be the only one of its model")]
    Exists(PathBuf),
    /// It isn't one.
    #[error("{path} isn't a key file")]
    Form {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with the id, if that is it.
        #[source]
        source: Option<ParseHashError>,
    },
}

impl KeyFile {
    /// Reads a key file.
    ///
    /// # Errors
    /// If there is none, others can read it, or it has another form.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let text = read_private(path).map_err(|source| KeyFileError::Io {
            path: path.to_owned(),
            source,
        })?;
        let text = text.ok_or_else(|| KeyFileError::Missing(path.to_owned()))?;
        let wrong = |source| KeyFileError::Form {
            path: path.to_owned(),
            source,
        };
        let mut lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return Err(wrong(None));
        };
        let (model, key) = line.split_once(' ').ok_or_else(|| wrong(None))?;
        let model = model.parse().map_err(|source| wrong(Some(source)))?;
        let mut secret = Zeroizing::new([0; 32]);
        hex::decode_to_slice(key, &mut secret[..]).map_err(|_| wrong(None))?;
        let key = ModelKey::from_secret(&secret);
        Ok(Self { model, key })
    }

    /// Writes one where there is none.
    ///
    /// # Errors
    /// If there is one, or the file system refuses.
    pub fn write(model: Hash32, key: &ModelKey, path: &Path) -> Result<(), KeyFileError> {
        let io = |source| KeyFileError::Io {
            path: path.to_owned(),
            source,
        };
        if path.try_exists().map_err(io)? {
            return Err(KeyFileError::Exists(path.to_owned()));
        }
        let secret = Zeroizing::new(hex::encode(&key.secret()[..]));
        let text = Zeroizing::new(format!("{REMARK}\n{model} {}\n", *secret));
        write_private(path, text.as_bytes()).map_err(io)
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyFile")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_runtime::SystemRandom;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_private_is_read_again_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.key");
        assert!(matches!(
            KeyFile::read(&path),
            Err(KeyFileError::Missing(_))
        ));
        let (model, key) = (Hash32([7; 32]), ModelKey::generate(&SystemRandom));
        KeyFile::write(model, &key, &path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = KeyFile::read(&path).unwrap();
        assert_eq!((read.model, read.key.secret()), (model, key.secret()));
        assert!(!format!("{read:?}").contains(&hex::encode(&key.secret()[..])));
        let again = KeyFile::write(model, &key, &path);
        assert!(matches!(again, Err(KeyFileError::Exists(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(KeyFile::read(&path), Err(KeyFileError::Io { .. })));
    }

    #[test]
    fn what_is_no_key_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.key");
        let (id, key) = ("07".repeat(32), "08".repeat(32));
        let texts = [
            "# nothing but a remark\n".to_owned(),
            format!("{id}\n"),
            format!("{id} {key}\n{id} {key}\n"),
            format!("{id} {key}00\n"),
            format!("{key}x {key}\n"),
        ];
        for text in texts {
            write_private(&path, text.as_bytes()).unwrap();
            let read = KeyFile::read(&path);
            assert!(matches!(read, Err(KeyFileError::Form { .. })), "{text}");
        }
    }
}
