//! Where a follower of events stands.

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// Cursors are a few dozen bytes; anything longer isn't one.
const MAX_CURSOR_BYTES: usize = 1024;

/// A place in the ledger's order of events, opaque. Text: hex. Whoever follows events keeps it beside what they
/// made of them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub(crate) Bytes);

impl Cursor {
    /// The bytes, as the ledger gave them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A cursor that was kept as bytes.
    ///
    /// # Errors
    /// If they are longer than any cursor.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseCursorError> {
        if bytes.len() > MAX_CURSOR_BYTES {
            return Err(ParseCursorError);
        }
        Ok(Self(Bytes::copy_from_slice(bytes)))
    }
}

/// The text isn't a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: it must be hex of at most {MAX_CURSOR_BYTES} bytes")]
pub struct ParseCursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({self})")
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;
    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        if text.len() > 2 * MAX_CURSOR_BYTES {
            return Err(ParseCursorError);
        }
        hex::decode(text)
            .map(|bytes| Self(bytes.into()))
            .map_err(|_| ParseCursorError)
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_texts() {
        let cursor = Cursor(Bytes::from_static(&[0, 1, 0xfe]));
        assert_eq!(cursor.to_string(), "0001fe");
        assert_eq!("0001fe".parse().as_ref(), Ok(&cursor));
        assert!("0001f".parse::<Cursor>().is_err());
        assert!("00".repeat(1025).parse::<Cursor>().is_err());
        let json = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
    }
}
