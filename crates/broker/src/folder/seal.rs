//! Sealing a model's folder.

use super::{HEAD, file_name, walk};
use crate::key_file::{KeyFile, KeyFileError};
use atoma_channel::{
    Fault,
    model::{ModelSealer, SealFileError},
};
use atoma_runtime::Random;
use atoma_types::hash::Hash32;
use std::{
    fs::{self, File},
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
};

/// A folder that was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Names the sealed model.
    pub model: Hash32,
    /// Files that were sealed.
    pub files: usize,
    /// Their bytes in clear.
    pub bytes: u64,
}

/// A folder couldn't be sealed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealFolderError {
    /// A file can't be read or written.
    #[error("cannot use {path}")]
    Io {
        /// Where it is.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// A file changed while it was sealed, or the files are none that can be sealed.
    #[error("cannot seal {path}")]
    Seal {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Fault,
    },
    /// A name that isn't text.
    #[error("the name of {0} isn't UTF-8")]
    Name(PathBuf),
    /// Folders in folders in folders.
    #[error("{0} lies too deep for a model's files")]
    Depth(PathBuf),
    /// Neither file nor folder.
    #[error("{0} is neither a file nor a folder")]
    Kind(PathBuf),
    /// It can't be a model's folder.
    #[error("there are more files than a sealed model may have")]
    Many,
    /// It would be written over.
    #[error("{0} is there already")]
    Exists(PathBuf),
    /// The key can't be kept.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

/// Seals all files of `folder` into the new folder `sealed`, under a new key that goes into the new file `key_file`. The
/// head is written last: what was left halfway is no sealed model. `random` must be good for keys.
///
/// # Errors
/// If anything can't be read or written, is there already, or changes while it is sealed.
pub fn seal_folder(
    folder: &Path,
    sealed: &Path,
    key_file: &Path,
    random: &dyn Random,
) -> Result<Sealed, SealFolderError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        |source| SealFolderError::Io { path, source }
    };
    let names = walk::files(folder)?;
    let look = |name| walk::look(folder, name);
    let files = names.into_iter().map(look).collect::<Result<_, _>>()?;
    let sealer = ModelSealer::new(files, random).map_err(|source| SealFolderError::Seal {
        path: folder.to_owned(),
        source,
    })?;
    match fs::create_dir(sealed) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(SealFolderError::Exists(sealed.to_owned()));
        }
        made => made.map_err(io(sealed))?,
    }
    let model = sealer.model().id();
    if let Err(error) = KeyFile::write(model, sealer.key(), key_file) {
        // it is empty, and of no use
        let _ = fs::remove_dir(sealed);
        return Err(error.into());
    }
    for (place, file) in (0..).zip(sealer.files()) {
        seal_file(
            &sealer,
            place,
            &folder.join(&file.name),
            &sealed.join(file_name(place)),
        )?;
    }
    let head = sealed.join(HEAD);
    write_new(&head, |out| out.write_all(sealer.model().as_bytes())).map_err(io(&head))?;
    File::open(sealed)
        .and_then(|folder| folder.sync_all())
        .map_err(io(sealed))?;
    Ok(Sealed {
        model,
        files: sealer.files().len(),
        bytes: sealer.files().iter().map(|file| file.size).sum(),
    })
}

fn seal_file(
    sealer: &ModelSealer,
    place: u32,
    clear: &Path,
    sealed: &Path,
) -> Result<(), SealFolderError> {
    let io = |path: &Path, source| SealFolderError::Io {
        path: path.to_owned(),
        source,
    };
    let file = File::open(clear).map_err(|source| io(clear, source))?;
    let mut refused = None;
    let written = write_new(sealed, |out| {
        match sealer.seal_file(place, BufReader::new(file), out) {
            Err(SealFileError::Io(error)) => Err(error),
            Err(SealFileError::Fault(fault)) => {
                refused = Some(fault);
                Ok(())
            }
            other => other.map_err(io::Error::other),
        }
    });
    written.map_err(|source| io(sealed, source))?;
    match refused {
        Some(source) => Err(SealFolderError::Seal {
            path: clear.to_owned(),
            source,
        }),
        None => Ok(()),
    }
}

/// Writes a file where there is none, and makes it durable.
fn write_new(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    write(&mut file)?;
    file.sync_all()
}
