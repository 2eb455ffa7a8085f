//! What follows from a blob's own numbers.

use atoma_types::{BlobId, hash::Hash32};

/// Bytes of the largest symbol that the code works on.
const MAX_SYMBOL: u64 = 65_534;

/// `H(coding | size u64 le | root)`.
pub(super) fn derive_id(root: Hash32, encoding_type: u8, size: u64) -> BlobId {
    let parts: [&[u8]; 3] = [&[encoding_type], &size.to_le_bytes(), &root.0];
    BlobId(Hash32::of_parts(&parts).0)
}

/// Bytes that all shards together keep of a blob: slivers, and with each the hashes of all pairs and
/// the root. `None` if the blob is too large for so many shards.
pub(super) fn encoded_length(shards: u16, size: u64) -> Option<u64> {
    let n = u64::from(shards);
    let faulty = n.checked_sub(1)? / 3;
    let (primary, secondary) = (n - 2 * faulty, n - faulty);
    let symbol = size.max(1).div_ceil(primary * secondary);
    let symbol = symbol.checked_next_multiple_of(2)?;
    // at most 65535 * (131070 * 65534 + 64 * 65535 + 32): far from overflow
    (symbol <= MAX_SYMBOL).then(|| n * ((primary + secondary) * symbol + 64 * n + 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_walrus_s() {
        for (shards, smallest, largest) in [
            (4, 1_192, 393_204),
            (10, 6_940, 1_834_952),
            (100, 663_400, 149_286_452),
            (1_000, 66_034_000, 14_599_533_452),
        ] {
            assert_eq!(encoded_length(shards, 0), Some(smallest));
            assert!(encoded_length(shards, largest).is_some());
            assert_eq!(encoded_length(shards, largest + 1), None);
        }
        assert_eq!(encoded_length(1_000, 445_556), Some(66_034_000));
        assert_eq!(encoded_length(0, 1), None);
        assert_eq!(encoded_length(10, u64::MAX), None);
    }
}
