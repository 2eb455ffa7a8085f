//! What can go wrong in coding.

use super::axis::Axis;
use crate::wire::WireError;
use atoma_types::ParseBlobIdError;

/// Why something can't be encoded, decoded or trusted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodingError {
    /// The code isn't defined for so many shards.
    #[error("{0} shards: RS2 works with 4 to 1000")]
    Shards(usize),
    /// The blob doesn't fit.
    #[error("a blob of {size} bytes is too large: {max} at most with {shards} shards")]
    TooLarge {
        /// How many bytes it has.
        size: u64,
        /// The most bytes that the shards can hold.
        max: u64,
        /// The number of shards.
        shards: u16,
    },
    /// Too few slivers or symbols to give anything back.
    #[error("{found} of the {needed} needed {what}")]
    TooFew {
        /// What there is too little of.
        what: &'static str,
        /// How many there are, without repetitions.
        found: usize,
        /// How many it takes.
        needed: usize,
    },
    /// A sliver whose shape doesn't fit the blob.
    #[error("{axis} sliver {index} has the wrong shape")]
    Shape {
        /// Whether it is a primary or a secondary sliver.
        axis: Axis,
        /// Its number among the slivers of its axis, from 0.
        index: u16,
    },
    /// A sliver or a symbol that isn't what the metadata commits to.
    #[error("{axis} sliver {index} isn't what the blob's metadata says")]
    Hash {
        /// Whether it is a primary or a secondary sliver.
        axis: Axis,
        /// Its number among the slivers of its axis, from 0.
        index: u16,
    },
    /// Bytes or metadata that don't give the blob id they should.
    #[error("the bytes aren't those of the blob id")]
    WrongId,
    /// Text that isn't a blob id.
    #[error(transparent)]
    Id(#[from] ParseBlobIdError),
    /// Foreign bytes that can't be read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The Reed-Solomon code refused; by the checks before it never does.
    #[error("the Reed-Solomon code refused")]
    Code(#[from] reed_solomon_simd::Error),
}
