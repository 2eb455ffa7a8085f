//! The response key: signs receipts, once per request. It is a key of its own, apart from the
//! wallet's, and lives in the data directory; the ledger knows its public half.

use atoma_types::{PublicKey, Signature, SigningKey};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::{
    fmt, fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The response key can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// The file system said no.
    #[error("cannot use key file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("{path} does not hold an ed25519 key")]
    Format {
        /// The file.
        path: PathBuf,
    },
}

/// Signs with AWS-LC: a third of the time of the portable implementation, the same bytes.
pub(crate) struct ReceiptSigner(Ed25519KeyPair);

impl ReceiptSigner {
    /// Reads the key, or makes one that only this user can read.
    pub(crate) fn open(path: &Path) -> Result<Self, SignerError> {
        let io = |source| SignerError::Io {
            path: path.to_owned(),
            source,
        };
        let format = || SignerError::Format {
            path: path.to_owned(),
        };
        let key = match fs::read_to_string(path) {
            Ok(text) => SigningKey::from_suiprivkey(&text).map_err(|_| format())?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = SigningKey::generate();
                let text = key.to_suiprivkey().map_err(|_| format())?;
                let mut options = fs::OpenOptions::new();
                let mut file = options
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(io)?;
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
                    .map_err(io)?;
                key
            }
            Err(error) => return Err(io(error)),
        };
        Self::new(&key).ok_or_else(format)
    }

    pub(crate) fn new(key: &SigningKey) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(key.to_seed().as_ref())
            .ok()
            .map(Self)
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        let mut bytes = [0; 64];
        // an ed25519 signature always has 64 bytes
        bytes.copy_from_slice(self.0.sign(message).as_ref());
        Signature(bytes)
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        // and its public key 32
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }
}

impl fmt::Debug for ReceiptSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiptSigner({}, secret elided)", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_portable_key_does() {
        let key = SigningKey::from_seed(&[7; 32]);
        let signer = ReceiptSigner::new(&key).unwrap();
        assert_eq!(signer.public_key(), key.public_key());
        assert_eq!(signer.sign(b"receipt"), key.sign(b"receipt"));
    }

    #[test]
    fn the_file_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("response.key");
        let first = ReceiptSigner::open(&path).unwrap().public_key();
        assert_eq!(ReceiptSigner::open(&path).unwrap().public_key(), first);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::write(&path, "nonsense").unwrap();
        assert!(matches!(
            ReceiptSigner::open(&path),
            Err(SignerError::Format { .. })
        ));
    }
}
