//! A digest, and how many of them the widest processor makes at once.

/// A BLAKE2b digest of 32 bytes.
pub type Node = [u8; 32];

/// Messages hashed at once by eight lanes of 64 bits (AVX-512).
pub(super) const WIDTH: usize = 8;
