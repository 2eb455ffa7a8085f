//! The response key: signs receipts, once per request. It is a key of its own, apart from the
//! wallet's, and lives in the data directory; the ledger knows its public half.

use atoma_keys::{SigningKey, read_private, write_private};
use atoma_runtime::Random;
use std::path::{Path, PathBuf};

/// The response key can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The file system said no.
    #[error("cannot use key file {path}")]
    Io {
        /// Where the file is.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{path} does not hold an ed25519 key")]
    Format {
        /// Where the file is.
        path: PathBuf,
    },
}

/// Reads the key, or makes one that only this user can read.
pub(crate) fn open(path: &Path, random: &dyn Random) -> Result<SigningKey, SignerError> {
    let io = |source| SignerError::Io {
        path: path.to_owned(),
        source,
    };
    let format = |_| SignerError::Format {
        path: path.to_owned(),
    };
    if let Some(text) = read_private(path).map_err(io)? {
        return SigningKey::from_suiprivkey(text.trim()).map_err(format);
    }
    let key = SigningKey::from_seed(&random.bytes());
    let text = key.to_suiprivkey().map_err(format)?;
    write_private(path, text.as_bytes()).map_err(io)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_runtime::SystemRandom;
    use std::fs;

    #[test]
    fn the_file_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("response.key");
        let first = open(&path, &SystemRandom).unwrap().public_key();
        assert_eq!(open(&path, &SystemRandom).unwrap().public_key(), first);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::write(&path, "nonsense").unwrap();
        assert!(matches!(
            open(&path, &SystemRandom),
            Err(SignerError::Format { .. })
        ));
    }
}
