//! The response key: signs receipts, once per request. It is a key of its own, apart from the
//! wallet's, and lives in the data directory; the ledger knows its public half.

use atoma_keys::{SigningKey, read_private};
use atoma_runtime::Random;
use atoma_runtime::files::write_private;
use atoma_store::{OpenError, create_folder};
use atoma_types::PublicKey;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Files of former keys end so.
const FORMER: &str = "key";

/// The key that the node has, and those that it had: records of its open leases may be sealed for them, and may be asked
/// for after the key has changed.
#[derive(Debug)]
pub(crate) struct ResponseKeys {
    pub present: Arc<SigningKey>,
    former: Vec<SigningKey>,
}

impl ResponseKeys {
    /// The key at `path`, made if there's none, and the former ones in `folder`, where a copy of it is kept.
    pub(crate) fn open(
        path: &Path,
        folder: &Path,
        random: &dyn Random,
    ) -> Result<Self, SignerError> {
        let present = Arc::new(open(path, random)?);
        let public = present.public_key();
        keep(&present, folder)?;
        let mut former = all_in(folder)?;
        former.retain(|key| key.public_key() != public);
        Ok(Self { present, former })
    }

    /// Whether a key is or was the node's, and is here.
    pub(crate) fn has(&self, key: &PublicKey) -> bool {
        self.all().any(|ours| ours.public_key() == *key)
    }

    /// What the present key gives, or the first former one that gives anything.
    ///
    /// # Errors
    /// The present key's, if none does.
    pub(crate) fn first_that<T, E>(
        &self,
        opens: impl Fn(&SigningKey) -> Result<T, E>,
    ) -> Result<T, E> {
        let present = opens(&self.present);
        let former = || self.former.iter().find_map(|key| opens(key).ok());
        present.or_else(|error| former().ok_or(error))
    }

    fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&*self.present).chain(&self.former)
    }
}

/// Copies a key to where former ones are, for the time when it is one.
fn keep(key: &SigningKey, folder: &Path) -> Result<(), SignerError> {
    let path = folder.join(format!("{}.{FORMER}", key.public_key()));
    let io = |source| SignerError::Io {
        path: path.clone(),
        source,
    };
    create_folder(folder)?;
    if read_private(&path).map_err(io)?.is_some() {
        return Ok(());
    }
    let text = key
        .to_suiprivkey()
        .map_err(|_| SignerError::Format { path: path.clone() })?;
    write_private(&path, text.as_bytes()).map_err(io)
}

fn all_in(folder: &Path) -> Result<Vec<SigningKey>, SignerError> {
    let io = |path: &Path, source| SignerError::Io {
        path: path.to_owned(),
        source,
    };
    let files = std::fs::read_dir(folder).map_err(|error| io(folder, error))?;
    let mut keys = Vec::new();
    for file in files {
        let path = file.map_err(|error| io(folder, error))?.path();
        if path.extension().is_some_and(|end| end == FORMER)
            && let Some(text) = read_private(&path).map_err(|error| io(&path, error))?
        {
            let key = SigningKey::from_suiprivkey(text.trim());
            keys.push(key.map_err(|_| SignerError::Format { path })?);
        }
    }
    Ok(keys)
}

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
    /// The folder of former keys can't be made.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// The file holds something else.
    #[error("{path} does not hold an ed25519 key")]
    Format {
        /// Where the file is.
        path: PathBuf,
    },
}

/// Reads the key, or makes one that only this user can read.
fn open(path: &Path, random: &dyn Random) -> Result<SigningKey, SignerError> {
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

    #[test]
    fn a_key_that_was_moved_away_still_opens_what_was_sealed_for_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (path, folder) = (dir.path().join("response.key"), dir.path().join("keys"));
        let started = || ResponseKeys::open(&path, &folder, &SystemRandom).unwrap();
        let old = started().present.public_key();
        fs::rename(&path, dir.path().join("away")).unwrap();
        let keys = started();
        let new = keys.present.public_key();
        assert!(new != old && keys.has(&old) && keys.has(&new));
        let only = |wanted| {
            move |key: &SigningKey| {
                let found = key.public_key();
                (found == wanted).then_some(found).ok_or(found)
            }
        };
        assert_eq!(keys.first_that(only(old)), Ok(old));
        assert_eq!(keys.first_that(only(new)), Ok(new));
        assert_eq!(keys.first_that(only(PublicKey([0; 32]))), Err(new));
        assert_eq!(started().former.len(), 1);
        for file in fs::read_dir(&folder).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
