//! BLAKE2b-256, the one hash of the protocol: Sui and Move compute the same.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A 32-byte BLAKE2b digest. BCS: 32 bytes, no length prefix. JSON: hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Hash32(#[serde(with = "crate::text_bytes")] pub [u8; 32]);

impl Hash32 {
    /// All zero: the "previous" of the first receipt in a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// The digest of several parts, one after the other, without separators.
    #[must_use]
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Hasher::new();
        for part in parts {
            hasher.update(part);
        }
        hasher.finish()
    }
}

impl fmt::Debug for Hash32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", hex::encode(self.0))
    }
}

impl fmt::Display for Hash32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", hex::encode(self.0))
    }
}

/// Text that isn't a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash: 64 hex digits are")]
pub struct ParseHashError;

impl FromStr for Hash32 {
    type Err = ParseHashError;
    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes)
            .map_err(|_| ParseHashError)?;
        Ok(Self(bytes))
    }
}

/// Incremental BLAKE2b-256: a response is hashed while it streams.
#[derive(Clone)]
pub struct Hasher(blake2b_simd::State);

impl Hasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(blake2b_simd::Params::new().hash_length(32).to_state())
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// The digest of all bytes so far.
    #[must_use]
    pub fn finish(&self) -> Hash32 {
        let mut out = [0; 32];
        out.copy_from_slice(self.0.finalize().as_bytes());
        Hash32(out)
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digest_of_abc() {
        let expected = "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
        assert_eq!(Hash32::of(b"abc").to_string(), expected);
        assert_eq!(expected.parse(), Ok(Hash32::of(b"abc")));
        assert!("bddd".parse::<Hash32>().is_err());
        assert_eq!(Hash32::of_parts(&[b"a", b"", b"bc"]).to_string(), expected);
    }
}
