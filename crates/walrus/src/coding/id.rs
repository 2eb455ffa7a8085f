//! Blob ids.

use super::{error::CodingError, node::Node};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// The only coding that Walrus uses today, RS2.
pub const ENCODING_TYPE: u8 = 1;

/// `H(1 | size u64 le | root)`, where the root is over the hashes of all sliver pairs. Text and
/// JSON: base64url without padding, 43 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 32]);

impl BlobId {
    /// The id of a blob of `size` bytes with this root.
    #[must_use]
    pub fn new(root: &Node, size: u64) -> Self {
        let mut message = [ENCODING_TYPE; 41];
        message[1..9].copy_from_slice(&size.to_le_bytes());
        message[9..].copy_from_slice(root);
        Self(super::hash::digest(&message))
    }

    /// The decimal digits of the id as Move's `u256`: its bytes, little-endian.
    #[must_use]
    pub fn to_u256(&self) -> String {
        let mut number = self.0;
        let mut digits = Vec::new();
        while number != [0; 32] || digits.is_empty() {
            let mut rest = 0_u32;
            for byte in number.iter_mut().rev() {
                let value = rest << 8 | u32::from(*byte);
                // below 256, since the rest is below 10
                *byte = (value / 10) as u8;
                rest = value % 10;
            }
            digits.push(char::from(b'0' + rest as u8));
        }
        digits.iter().rev().collect()
    }

    /// The id of a `u256` in decimal digits.
    ///
    /// # Errors
    /// If it isn't one.
    pub fn from_u256(text: &str) -> Result<Self, CodingError> {
        let mut number = [0_u8; 32];
        if text.is_empty() || text.len() > 78 {
            return Err(CodingError::Id);
        }
        for digit in text.bytes() {
            if !digit.is_ascii_digit() {
                return Err(CodingError::Id);
            }
            let mut carry = u32::from(digit - b'0');
            for byte in &mut number {
                let value = u32::from(*byte) * 10 + carry;
                *byte = (value & 0xff) as u8;
                carry = value >> 8;
            }
            if carry != 0 {
                return Err(CodingError::Id);
            }
        }
        Ok(Self(number))
    }

    /// Which shard keeps sliver pair `pair`: pairs go round by the id as a big-endian number.
    #[must_use]
    pub fn shard_of_pair(&self, pair: u16, shards: u16) -> u16 {
        let shards = u32::from(shards.max(1));
        let rotation = self
            .0
            .iter()
            .fold(0, |rest, byte| (rest << 8 | u32::from(*byte)) % shards);
        // below the number of shards, which is a `u16`
        ((u32::from(pair) + rotation) % shards) as u16
    }

    /// Which sliver pair shard `shard` keeps.
    #[must_use]
    pub fn pair_of_shard(&self, shard: u16, shards: u16) -> u16 {
        let rotation = u32::from(self.shard_of_pair(0, shards));
        let n = u32::from(shards.max(1));
        ((u32::from(shard) % n + n - rotation) % n) as u16
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for BlobId {
    type Err = CodingError;

    fn from_str(text: &str) -> Result<Self, CodingError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CodingError::Id)?;
        Ok(Self(bytes.try_into().map_err(|_| CodingError::Id)?))
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_go_round(bytes: [u8; 32], shard in 0_u16..1000) {
            let id = BlobId(bytes);
            prop_assert_eq!(id.to_string().parse::<BlobId>(), Ok(id));
            prop_assert_eq!(BlobId::from_u256(&id.to_u256()), Ok(id));
            prop_assert_eq!(id.shard_of_pair(id.pair_of_shard(shard, 1000), 1000), shard);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<BlobId>();
            let _ = BlobId::from_u256(&text);
        }
    }

    #[test]
    fn numbers_beyond_u256_are_refused() {
        assert_eq!(BlobId::from_u256("0"), Ok(BlobId([0; 32])));
        assert_eq!(BlobId([0; 32]).to_u256(), "0");
        let most = BlobId([0xff; 32]).to_u256();
        assert_eq!(BlobId::from_u256(&most), Ok(BlobId([0xff; 32])));
        assert!(BlobId::from_u256(&most.replace("935", "936")).is_err());
    }
}
