//! Ids of blobs on Walrus. The one type for them stands here and not in `walrus`, since the ledger's objects and
//! calls name blobs as well, and this crate may use no other; `walrus`, whose API has ledger ids in it anyway, is
//! usable alone with it: this crate is bytes and meaning, without I/O.

use crate::words;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// A blob on Walrus: the hash of its coding, its size and the root over its slivers. BCS: 32 bytes, those of Move's
/// `u256`. Text and JSON, as Walrus's own programs write it: base64url without padding, 43 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 32]);

/// Text that isn't a blob id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a blob: expected 43 characters of base64url (letters, digits, - and _)")]
pub struct ParseBlobIdError;

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
    type Err = ParseBlobIdError;

    fn from_str(text: &str) -> Result<Self, ParseBlobIdError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| ParseBlobIdError)?;
        Ok(Self(bytes.try_into().map_err(|_| ParseBlobIdError)?))
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            words::serialize(&self.0, serializer)
        }
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            words::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_and_bytes_go_round(bytes: [u8; 32]) {
            let id = BlobId(bytes);
            prop_assert_eq!(id.to_string().parse::<BlobId>(), Ok(id));
            prop_assert_eq!(bcs::to_bytes(&id).unwrap(), bytes);
            prop_assert_eq!(bcs::from_bytes::<BlobId>(&bytes).unwrap(), id);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<BlobId>();
        }
    }

    #[test]
    fn its_text_is_walruss() {
        let id = BlobId([0x2a; 32]);
        assert_eq!(
            id.to_string(),
            "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio"
        );
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<BlobId>(&json).unwrap(), id);
        for other in ["", "0x12", &"2a".repeat(32)] {
            assert_eq!(other.parse::<BlobId>(), Err(ParseBlobIdError));
        }
    }
}
