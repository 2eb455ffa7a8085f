//! Loading the wallet's key.

use crate::{config::KeySource, error::NodeError};
use atoma_keys::{Keystore, SigningKey, read_private};
use std::sync::Arc;

impl KeySource {
    /// Reads the key from where it is kept.
    ///
    /// # Errors
    /// If the file can't be read, others can read it, or it doesn't hold such a key.
    pub fn load(&self) -> Result<Arc<SigningKey>, NodeError> {
        match self {
            Self::Given(key) => Ok(key.clone()),
            Self::File(path) => {
                let text = read_private(path).map_err(|source| NodeError::Io {
                    path: path.clone(),
                    source,
                })?;
                let text = text.ok_or_else(|| NodeError::NoKey(path.clone()))?;
                let key = SigningKey::from_suiprivkey(text.trim());
                let key = key.map_err(|source| NodeError::Key {
                    path: path.clone(),
                    source,
                })?;
                Ok(Arc::new(key))
            }
            Self::Keystore { path, address } => {
                let keystore = Keystore::open(path)?;
                let key = match address {
                    Some(address) => keystore.get(address),
                    None => keystore.keys().first(),
                };
                let key = key.ok_or_else(|| NodeError::NoKey(path.clone()))?;
                Ok(Arc::new(SigningKey::from_seed(&key.to_seed())))
            }
        }
    }
}
