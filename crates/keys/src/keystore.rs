//! Sui's keystore file: a JSON list of base64 strings, each `flag ‖ 32-byte secret` with flag 0 for
//! ed25519. Keys of other schemes in the file are kept as they are and passed over.

use crate::{SecretKeyError, SigningKey, private_file::read_private, signing::ED25519_FLAG};
use atoma_runtime::files::write_private;
use atoma_types::Address;
use base64::{Engine, prelude::BASE64_STANDARD};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A keystore is a few keys; a larger file isn't one.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// A keystore can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// The file system refuses to read or write it.
    #[error("cannot use the keystore {path}")]
    Io {
        /// Where the file is.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is too large to be one.
    #[error("{path} is not a Sui keystore: it has more than {MAX_FILE_BYTES} bytes")]
    TooLarge {
        /// Where the file is.
        path: PathBuf,
    },
    /// It isn't a JSON list of strings. The parser's own error isn't kept: it may quote secrets.
    #[error("{path} is not a Sui keystore: it is not a JSON list of strings")]
    NotAList {
        /// Where the file is.
        path: PathBuf,
    },
    /// An entry isn't a key.
    #[error("{path} is not a Sui keystore: an entry is not a key")]
    Entry {
        /// Where the file is.
        path: PathBuf,
        /// What is wrong with the entry, without any of it.
        source: SecretKeyError,
    },
}

/// The keys of one file.
#[derive(Debug)]
pub struct Keystore {
    path: PathBuf,
    keys: Vec<SigningKey>,
    others: Vec<Zeroizing<String>>,
}

impl Keystore {
    /// Opens the file; one that doesn't exist, or in which nothing is, is an empty keystore.
    ///
    /// # Errors
    /// If the file can't be read, others can read it, or it isn't a keystore.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeystoreError> {
        let path = path.into();
        let mut store = Self {
            keys: Vec::new(),
            others: Vec::new(),
            path,
        };
        let text = match std::fs::metadata(&store.path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(store),
            Err(e) => return Err(store.io(e)),
            Ok(meta) if meta.len() > MAX_FILE_BYTES => {
                return Err(KeystoreError::TooLarge { path: store.path });
            }
            Ok(_) => read_private(&store.path).map_err(|e| store.io(e))?,
        };
        let Some(text) = text else {
            return Ok(store);
        };
        let entries: Vec<String> =
            serde_json::from_str(&text).map_err(|_| KeystoreError::NotAList {
                path: store.path.clone(),
            })?;
        for entry in entries {
            let entry = Zeroizing::new(entry);
            let bytes = BASE64_STANDARD
                .decode(entry.as_str())
                .map(Zeroizing::new)
                .map_err(|_| store.entry(SecretKeyError::NotBase64))?;
            match bytes.first() {
                Some(&ED25519_FLAG) => {
                    let key =
                        SigningKey::from_keystore_entry(&entry).map_err(|e| store.entry(e))?;
                    store.keys.push(key);
                }
                Some(_) => store.others.push(entry),
                None => return Err(store.entry(SecretKeyError::NotEd25519)),
            }
        }
        Ok(store)
    }

    /// Its ed25519 keys, in the order of the file.
    #[must_use]
    pub fn keys(&self) -> &[SigningKey] {
        &self.keys
    }

    /// The key that owns this address, if the file has it.
    #[must_use]
    pub fn get(&self, address: &Address) -> Option<&SigningKey> {
        self.keys
            .iter()
            .find(|key| key.public_key().address() == *address)
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a key (once) and writes the file, readable by its owner only, in one rename.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn add(&mut self, key: SigningKey) -> Result<(), KeystoreError> {
        if self.get(&key.public_key().address()).is_some() {
            return Ok(());
        }
        self.keys.push(key);
        self.save()
    }

    fn save(&self) -> Result<(), KeystoreError> {
        let entries: Vec<Zeroizing<String>> = self
            .keys
            .iter()
            .map(SigningKey::to_keystore_entry)
            .chain(self.others.iter().cloned())
            .collect();
        let list: Vec<&str> = entries.iter().map(|e| e.as_str()).collect();
        let text = serde_json::to_string_pretty(&list).map(Zeroizing::new);
        let text = text.map_err(|e| self.io(e.into()))?;
        write_private(&self.path, text.as_bytes()).map_err(|e| self.io(e))
    }

    fn io(&self, source: std::io::Error) -> KeystoreError {
        KeystoreError::Io {
            path: self.path.clone(),
            source,
        }
    }

    fn entry(&self, source: SecretKeyError) -> KeystoreError {
        KeystoreError::Entry {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_file_and_foreign_schemes_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sui.keystore");
        let foreign = BASE64_STANDARD.encode([[1; 1].as_slice(), &[9; 32]].concat());
        write_private(&path, format!("[\"{foreign}\"]").as_bytes()).unwrap();
        let mut store = Keystore::open(&path).unwrap();
        store.add(SigningKey::from_seed(&[4; 32])).unwrap();
        store.add(SigningKey::from_seed(&[4; 32])).unwrap();
        let again = Keystore::open(&path).unwrap();
        assert_eq!(again.keys().len(), 1);
        let address = SigningKey::from_seed(&[4; 32]).public_key().address();
        assert!(again.get(&address).is_some());
        assert!(std::fs::read_to_string(&path).unwrap().contains(&foreign));
    }

    #[test]
    fn nonsense_is_refused_without_quoting_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sui.keystore");
        write_private(&path, b"[\"c2VjcmV0\", 3]").unwrap();
        let error = Keystore::open(&path).unwrap_err().to_string();
        assert!(!error.contains("c2Vj"), "{error}");
    }
}
