//! Ids of objects and addresses of owners, as Sui has them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};

/// 32 bytes; text and JSON: `0x` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub [u8; 32]);

/// Text that isn't an object id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an object id: 0x and at most 64 hex digits are")]
pub struct ObjectIdError;

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for ObjectId {
    type Err = ObjectIdError;

    /// Leading zeros may be left out, as Sui allows.
    fn from_str(text: &str) -> Result<Self, ObjectIdError> {
        let digits = text.strip_prefix("0x").ok_or(ObjectIdError)?;
        if digits.is_empty() || digits.len() > 64 {
            return Err(ObjectIdError);
        }
        let bytes = hex::decode(format!("{digits:0>64}")).map_err(|_| ObjectIdError)?;
        Ok(Self(bytes.try_into().map_err(|_| ObjectIdError)?))
    }
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_go_round_and_others_are_refused() {
        let id = ObjectId([0x2a; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
        let mut five = [0; 32];
        five[31] = 5;
        assert_eq!("0x5".parse(), Ok(ObjectId(five)));
        for text in ["", "0x", "5", "0xg", &format!("0x{}", "0".repeat(65))] {
            assert_eq!(text.parse::<ObjectId>(), Err(ObjectIdError), "{text}");
        }
    }
}
