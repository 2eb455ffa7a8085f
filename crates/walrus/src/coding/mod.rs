//! RS2 ("Red Stuff" with Reed-Solomon codes, encoding type 1), Walrus's coding.
//!
//! A blob of `L` bytes fills a matrix of `p` rows and `s` columns of symbols, row by row. Rows are
//! extended to `n` symbols by a Reed-Solomon code, then columns; row `i` is the primary sliver of
//! pair `i`, column `n-1-i` its secondary sliver. Each sliver's hash is the root of a Merkle tree
//! over its `n` symbols; the blob id hashes the root over all pairs together with `L`. Any `p`
//! primary or any `s` secondary slivers give the blob back.
//!
//! Speed comes from four things: small symbols are packed side by side into whole chunks of the
//! Reed-Solomon code; eight hashes are computed at once (four without AVX-512); each symbol is hashed once for
//! both of its trees, and with two-byte symbols (everything up to 445,556 bytes at `n = 1000`) each
//! of the 65,536 values once for all; what is zero by padding is never hashed twice. Columns are
//! done in batches that fit into the processor's cache, in parallel, so that memory stays near one
//! and a half times the blob where only its id is asked for.

mod axis;
mod decode;
mod encode;
mod error;
mod hash;
mod id;
mod lanes;
mod matrix;
mod merkle;
mod metadata;
mod node;
mod params;
mod recovery;
mod reed_solomon;
mod sliver;
mod wide;

pub use crate::wire::WireError;
pub use axis::Axis;
pub use decode::{decode, decode_primary, decode_secondary};
pub use encode::{Encoded, SliverPair, encode, metadata_of};
pub use error::CodingError;
pub use hash::digest;
pub use id::shard_of_pair;
pub use merkle::MerkleProof;
pub use metadata::{BlobMetadata, PairHashes};
pub use node::Node;
pub use params::{MAX_SHARDS, MIN_SHARDS, Params};
pub use recovery::{RecoverySymbol, recover_sliver};
pub use sliver::Sliver;

use atoma_types::BlobId;

/// The id of a blob among `params.shards()` shards.
///
/// # Errors
/// If the blob is too large for that many shards.
pub fn blob_id(params: Params, blob: &[u8]) -> Result<BlobId, CodingError> {
    Ok(metadata_of(params, blob)?.blob_id())
}
