//! Byte arrays in BCS, sixteen bytes at a time. BCS writes an array as its elements and nothing else, and numbers with
//! their lowest byte first: so 32 bytes are two `u128` as well. serde would call for each byte.

use serde::{
    Deserializer, Serializer,
    de::{Error, SeqAccess, Visitor},
    ser::SerializeTuple,
};
use std::fmt;

/// Bytes of one number.
const WORD: usize = size_of::<u128>();

/// Writes bytes to BCS, and to no other format.
pub(crate) fn serialize<S: Serializer, const N: usize>(
    bytes: &[u8; N],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    const { assert!(N.is_multiple_of(WORD)) };
    let (words, _) = bytes.as_chunks::<WORD>();
    let mut tuple = serializer.serialize_tuple(words.len())?;
    for word in words {
        tuple.serialize_element(&u128::from_le_bytes(*word))?;
    }
    tuple.end()
}

/// Reads what [`serialize`] wrote.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
) -> Result<[u8; N], D::Error> {
    const { assert!(N.is_multiple_of(WORD)) };
    deserializer.deserialize_tuple(N / WORD, Words)
}

struct Words<const N: usize>;

impl<'de, const N: usize> Visitor<'de> for Words<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{N} bytes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<[u8; N], A::Error> {
        let mut bytes = [0; N];
        for (place, word) in bytes.as_chunks_mut::<WORD>().0.iter_mut().enumerate() {
            let read: Option<u128> = words.next_element()?;
            let read = read.ok_or_else(|| A::Error::invalid_length(WORD * place, &self))?;
            *word = read.to_le_bytes();
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Both(
        #[serde(with = "super")] [u8; 32],
        u8,
        #[serde(with = "super")] [u8; 16],
    );

    proptest! {
        #[test]
        fn they_are_the_bytes_that_serde_writes_one_by_one(long: [u8; 32], short: [u8; 16]) {
            let bytes = bcs::to_bytes(&(long, 7_u8, short)).unwrap();
            let both = Both(long, 7, short);
            prop_assert_eq!(&bcs::to_bytes(&both).unwrap(), &bytes);
            prop_assert_eq!(bcs::from_bytes::<Both>(&bytes).unwrap(), both);
            // neither one byte less nor one more
            prop_assert!(bcs::from_bytes::<Both>(&bytes[1..]).is_err());
            prop_assert!(bcs::from_bytes::<Both>(&[&bytes[..], &[0]].concat()).is_err());
        }
    }
}
