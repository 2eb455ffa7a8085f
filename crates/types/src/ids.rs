//! Identifiers. Ledger ids are Sui object ids (32 bytes); a type of its own for each kind, so that
//! a node's id can't be passed where a stack's is meant.

use crate::TimestampMs;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use sui_sdk_types::Address;

/// Of a request id, the bytes that are time: enough for 8,900 years.
const TIME_BYTES: usize = 6;

/// Any object on the ledger.
pub type ObjectId = Address;

/// The text was not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not the id of a {kind}: expected {}", self.form())]
pub struct ParseIdError {
    kind: &'static str,
    text: String,
    /// Bytes of an id in plain hex; none for an object's id.
    bytes: Option<usize>,
}

impl ParseIdError {
    /// What the id of any object looks like, and an address too.
    pub const OBJECT_FORM: &str = "0x and 64 hex digits";

    /// Whose id it should have been: "task", "stack", "node", "network" or "request".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// What such an id looks like, in words.
    #[must_use]
    pub fn form(&self) -> String {
        match self.bytes {
            Some(bytes) => format!("{} hex digits", 2 * bytes),
            None => Self::OBJECT_FORM.to_owned(),
        }
    }
}

/// An object's id as [`Address`] has it, and faster in BCS.
mod object_bytes {
    use crate::words;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use sui_sdk_types::Address;

    pub(super) fn serialize<S: Serializer>(id: &Address, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => id.serialize(serializer),
            false => words::serialize(id.inner(), serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Address, D::Error> {
        match deserializer.is_human_readable() {
            true => Address::deserialize(deserializer),
            false => words::deserialize(deserializer).map(Address::new),
        }
    }
}

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        ///
        /// BCS: 32 bytes. Text: `0x` and 64 hex digits.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(#[serde(with = "object_bytes")] pub ObjectId);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, "({})"), self.0)
            }
        }
        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.parse::<Address>().map(Self).map_err(|_| ParseIdError {
                    kind: $kind,
                    text: text.to_owned(),
                    bytes: None,
                })
            }
        }
        impl From<ObjectId> for $name {
            fn from(id: ObjectId) -> Self {
                Self(id)
            }
        }
        impl From<$name> for ObjectId {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

object_id!(
    /// Id of a node's object on the ledger.
    NodeId, "node"
);
object_id!(
    /// A task: one model under one set of rules, which nodes subscribe to.
    TaskId, "task"
);
object_id!(
    /// A prepaid purchase of compute units.
    StackId, "stack"
);

macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident, $len:literal, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(#[serde(with = "crate::text_bytes")] pub [u8; $len]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, "({})"), self)
            }
        }
        impl FromStr for $name {
            type Err = ParseIdError;
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let mut out = [0; $len];
                hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut out).map_err(
                    |_| ParseIdError {
                        kind: $kind,
                        text: text.to_owned(),
                        bytes: Some($len),
                    },
                )?;
                Ok(Self(out))
            }
        }
    };
}

bytes_id!(
    /// Which ledger: the digest of its first checkpoint. It stands in everything that is signed, so
    /// nothing signed for one network means anything on another. BCS: 32 bytes. Text: hex.
    NetworkId, 32, "network"
);
bytes_id!(
    /// One request, chosen by the client. BCS: 16 bytes. Text: 32 hex digits.
    RequestId, 16, "request"
);

impl RequestId {
    /// How many random bytes an id has.
    pub const RANDOM_BYTES: usize = 16 - TIME_BYTES;

    /// The id of a request made `now`: the time in milliseconds (48 bits, which a request's header
    /// tells anyway), then 80 random bits. Ids of one moment are neighbours in an index, so that a
    /// database keeps many requests on one page instead of each on a page of its own.
    #[must_use]
    pub fn new(now: TimestampMs, random: [u8; Self::RANDOM_BYTES]) -> Self {
        let mut bytes = [0; 16];
        let (time, rest) = bytes.split_at_mut(TIME_BYTES);
        let [_, _, now @ ..] = now.0.to_be_bytes();
        time.copy_from_slice(&now);
        rest.copy_from_slice(&random);
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_round_trip() {
        let node = NodeId(Address::new([7; 32]));
        assert_eq!(node.to_string().parse::<NodeId>().as_ref(), Ok(&node));
        let request = RequestId([9; 16]);
        assert_eq!(
            request.to_string().parse::<RequestId>().as_ref(),
            Ok(&request)
        );
        let said = "zz".parse::<RequestId>().unwrap_err().to_string();
        assert_eq!(
            said,
            "`zz` is not the id of a request: expected 32 hex digits"
        );
        let said = "0x1g".parse::<NodeId>().unwrap_err().to_string();
        assert_eq!(
            said,
            "`0x1g` is not the id of a node: expected 0x and 64 hex digits"
        );
        assert!("0x12".parse::<NetworkId>().is_err());
    }

    #[test]
    fn request_ids_rise_with_time_and_differ_by_their_random_part() {
        let id = |time, random| RequestId::new(TimestampMs(time), [random; 10]);
        assert!(id(1, 255) < id(2, 0));
        assert_ne!(id(1, 0), id(1, 1));
        assert_eq!(
            id(0x0102_0304_0506, 7).to_string(),
            format!("010203040506{}", "07".repeat(10))
        );
    }

    #[test]
    fn bcs_is_the_bare_bytes() {
        assert_eq!(bcs::to_bytes(&RequestId([3; 16])).unwrap(), vec![3; 16]);
        assert_eq!(
            bcs::to_bytes(&StackId(Address::new([5; 32]))).unwrap(),
            vec![5; 32]
        );
    }
}
