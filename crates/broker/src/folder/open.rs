//! Reading a sealed folder: nothing clear is ever written.

use super::{HEAD, file_name};
use atoma_channel::{
    Fault,
    model::{ModelKey, OpenModel, SealedModel},
};
use atoma_engine::{ModelFiles, ReadSeek};
use atoma_types::hash::Hash32;
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// A sealed folder, whose key isn't there yet.
#[derive(Debug)]
pub struct SealedFolder {
    path: PathBuf,
    model: SealedModel,
}

/// A sealed folder with its key: an engine reads its files as if they were clear, and they are nowhere but in memory.
#[derive(Debug)]
pub struct OpenFolder {
    path: PathBuf,
    model: OpenModel,
}

/// A folder isn't a sealed model, or not the key's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadFolderError {
    /// A file can't be read.
    #[error("cannot read {path}")]
    Io {
        /// Where it is.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// Its head isn't one, or another key's.
    #[error("cannot open the sealed model in {path}")]
    Model {
        /// Where the folder is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Fault,
    },
}

impl SealedFolder {
    /// Reads a folder's head.
    ///
    /// # Errors
    /// If there is none, or it has another form.
    pub fn read(path: &Path) -> Result<Self, ReadFolderError> {
        let head = path.join(HEAD);
        let read = File::open(&head).and_then(|file| {
            let mut bytes = Vec::new();
            // one byte more shows that it is too long
            let most = SealedModel::MAX_BYTES as u64 + 1;
            file.take(most).read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        let bytes = read.map_err(|source| ReadFolderError::Io { path: head, source })?;
        let model = SealedModel::read(bytes);
        let path = path.to_owned();
        match model {
            Ok(model) => Ok(Self { path, model }),
            Err(source) => Err(ReadFolderError::Model { path, source }),
        }
    }

    /// Names the sealed model.
    #[must_use]
    pub fn id(&self) -> Hash32 {
        self.model.id()
    }

    /// Opens it with its key. Its files are read when somebody asks for them.
    ///
    /// # Errors
    /// If the key is another model's.
    pub fn open(self, key: ModelKey) -> Result<OpenFolder, ReadFolderError> {
        let path = self.path;
        match self.model.open(key) {
            Ok(model) => Ok(OpenFolder { path, model }),
            Err(source) => Err(ReadFolderError::Model { path, source }),
        }
    }
}

impl ModelFiles for OpenFolder {
    fn names(&self) -> Vec<String> {
        let files = self.model.manifest().files();
        files.map(|file| file.name).collect()
    }

    fn open(&self, name: &str) -> io::Result<Option<Box<dyn ReadSeek>>> {
        let Some(place) = self.model.manifest().place_of(name) else {
            return Ok(None);
        };
        let sealed = File::open(self.path.join(file_name(place)))?;
        Ok(Some(Box::new(self.model.file(place, sealed)?)))
    }
}
