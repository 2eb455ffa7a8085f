//! What parties sign for each other, off the ledger. Every message is BCS, begins with a 16-byte
//! domain tag and the network id, and is signed with ed25519 over exactly those bytes, alone or
//! together with others ([`MessageSignature`]).

mod evidence;
mod grant;
mod open;
mod query;
mod receipt;
mod request;
mod salt;
#[cfg(any(test, feature = "testing"))]
pub mod sample;
mod signature;
mod signed;

pub use evidence::EvidenceLeaf;
pub use grant::Grant;
pub use open::OpenEvidence;
pub use query::{LeaseQuery, MAX_QUERY_AGE};
pub use receipt::{Receipt, RequestTimes};
pub use request::{Endpoint, MAX_REQUEST_LIFETIME, Origin, RequestHeader};
pub use salt::{CommitmentKind, ParseSaltError, SALT_BYTES, Salt};
pub use signature::{MAX_BATCH, MessageSignature};
pub use signed::{Draft, Message, Signed};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A domain tag: 16 ASCII bytes, zero-padded, that no other kind of message begins with.
pub trait Tag: Copy + Default + std::fmt::Debug + PartialEq + Eq + Send + Sync + 'static {
    /// The tag's 16 bytes, with which such a message begins.
    const BYTES: [u8; 16];
}

/// The first field of a message: serialises as its tag's 16 bytes, decodes from nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Domain<T: Tag>(T);

impl<T: Tag> Serialize for Domain<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::BYTES.serialize(serializer)
    }
}

impl<'de, T: Tag> Deserialize<'de> for Domain<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = <[u8; 16]>::deserialize(deserializer)?;
        if bytes == T::BYTES {
            Ok(Self(T::default()))
        } else {
            Err(serde::de::Error::custom("the message is of another kind"))
        }
    }
}

macro_rules! tag {
    ($(#[$doc:meta])* $name:ident = $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name;
        impl Tag for $name {
            const BYTES: [u8; 16] = *$bytes;
        }
    };
}

tag!(
    /// Tag of request headers.
    RequestTag = b"atoma/request/v1"
);
tag!(
    /// Tag of grants.
    GrantTag = b"atoma/grant/v1\0\0"
);
tag!(
    /// Tag of receipts.
    ReceiptTag = b"atoma/receipt/v1"
);
tag!(
    /// Tag of words that make evidence open.
    OpenTag = b"atoma/open/v1\0\0\0"
);
tag!(
    /// Tag of questions about leases.
    QueryTag = b"atoma/query/v1\0\0"
);
tag!(
    /// Tag of records.
    RecordTag = b"atoma/record/v1\0"
);
tag!(
    /// Tag of the roots that are signed for many messages.
    BatchTag = b"atoma/batch/v1\0\0"
);
tag!(
    /// Tag of commitments to a request's body.
    BodyTag = b"atoma/body/v1\0\0\0"
);
tag!(
    /// Tag of commitments to an answer.
    AnswerTag = b"atoma/answer/v1\0"
);
tag!(
    /// Tag of commitments to an engine's fingerprint.
    FingerprintTag = b"atoma/scores/v1\0"
);
