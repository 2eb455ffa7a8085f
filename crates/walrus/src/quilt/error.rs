//! What can go wrong with quilts.

use crate::coding::{CodingError, WireError};

/// Why a quilt can't be made or read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuiltError {
    /// Nothing to put into it.
    #[error("a quilt of nothing")]
    Empty,
    /// More patches than columns.
    #[error("{found} blobs are too many for a quilt: {most} at most")]
    TooMany {
        /// How many there are.
        found: usize,
        /// The most that is taken.
        most: usize,
    },
    /// A name that isn't allowed.
    #[error("the identifier {0:?} isn't allowed")]
    Identifier(String),
    /// A name that comes twice.
    #[error("the identifier {0:?} comes twice")]
    Duplicate(String),
    /// Identifier or tags that exceed 65,535 bytes.
    #[error("the tags or the identifier of {0:?} are too long")]
    TooLong(String),
    /// The blobs don't fit.
    #[error("the blobs don't fit into a quilt")]
    TooLarge,
    /// There's no such patch.
    #[error("the quilt has no such patch")]
    NoPatch,
    /// Bytes that aren't a quilt.
    #[error("not a quilt")]
    Wire(#[from] WireError),
    /// The quilt can't be coded.
    #[error(transparent)]
    Coding(#[from] CodingError),
}
