//! Why a folder can't be sealed.

use crate::key_file::KeyFileError;
use atoma_channel::Fault;
use std::{io, path::PathBuf};

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
    /// It would be given away with the model, or sealed into it.
    #[error("the key file {0} lies in a model's folder: keep it elsewhere")]
    KeyPlace(PathBuf),
    /// The key can't be kept.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}
