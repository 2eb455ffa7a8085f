//! What a blob's id is made of.

use super::node::Node;
use atoma_types::{BlobId, chain::WALRUS_ENCODING_RS2};

/// The id of a blob of `size` bytes with this root, which is over the hashes of all sliver pairs:
/// `H(1 | size u64 le | root)`.
pub(super) fn derive(root: &Node, size: u64) -> BlobId {
    let mut message = [WALRUS_ENCODING_RS2; 41];
    message[1..9].copy_from_slice(&size.to_le_bytes());
    message[9..].copy_from_slice(root);
    BlobId(super::hash::digest(&message))
}

/// Which of `shards` keeps sliver pair `pair` of a blob: pairs go round by the id as a big-endian number.
#[must_use]
pub fn shard_of_pair(blob: BlobId, pair: u16, shards: u16) -> u16 {
    let shards = u32::from(shards.max(1));
    let rotation = blob
        .0
        .iter()
        .fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % shards);
    // below the number of shards, which is a `u16`
    ((u32::from(pair) + rotation) % shards) as u16
}
