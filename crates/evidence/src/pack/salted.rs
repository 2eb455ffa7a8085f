//! A body as records hold it: behind the salt under which header or receipt commits to it.

use super::error::PackError;
use atoma_types::{
    hash::Hash32,
    message::{CommitmentKind, SALT_BYTES, Salt},
};
use bytes::Bytes;
use std::fmt;
use zeroize::Zeroizing;

/// Salt 32 | the bytes as they were sent. What it is made of from a vector is wiped when nobody has it any more.
#[derive(Clone, PartialEq, Eq)]
pub struct SaltedBody(Bytes);

impl SaltedBody {
    /// A body and its salt.
    #[must_use]
    pub fn new(salt: &Salt, body: &[u8]) -> Self {
        Self(wiped([salt.reveal(), body].concat()))
    }

    /// As [`from_bytes`](Self::from_bytes), of bytes that nobody else has.
    ///
    /// # Errors
    /// If it is shorter than a salt.
    pub fn from_vec(bytes: Vec<u8>) -> Result<Self, PackError> {
        Self::from_bytes(wiped(bytes))
    }

    /// Reads what a record holds.
    ///
    /// # Errors
    /// If it is shorter than a salt.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, PackError> {
        if bytes.len() < SALT_BYTES {
            return Err(PackError::Format("a body without a salt"));
        }
        Ok(Self(bytes))
    }

    /// What a record holds.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// The bytes as they were sent.
    #[must_use]
    pub fn body(&self) -> Bytes {
        self.0.slice(SALT_BYTES..)
    }

    /// The first bytes: the salt under which header or receipt commits to the rest.
    #[must_use]
    pub fn salt(&self) -> Salt {
        let mut bytes = [0; SALT_BYTES];
        bytes.copy_from_slice(&self.0[..SALT_BYTES]);
        Salt::new(bytes)
    }

    /// What header or receipt says of it.
    #[must_use]
    pub fn commitment(&self, kind: CommitmentKind) -> Hash32 {
        self.salt().commit(kind, &self.0[SALT_BYTES..])
    }
}

/// Bytes that are wiped with their last copy: who finds a salt in memory that was given back can check guesses.
pub(super) fn wiped(bytes: Vec<u8>) -> Bytes {
    Bytes::from_owner(Zeroizing::new(bytes))
}

impl fmt::Debug for SaltedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "body of {} bytes", self.0.len() - SALT_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_and_salt_come_back_and_the_commitment_is_theirs() {
        let salt = Salt::new([7; 32]);
        for body in [&b""[..], b"yes"] {
            let salted = SaltedBody::new(&salt, body);
            let read = SaltedBody::from_bytes(salted.as_bytes().clone()).unwrap();
            assert_eq!(read, salted);
            assert_eq!(read.body(), body);
            assert_eq!(read.salt().reveal(), salt.reveal());
            let kind = CommitmentKind::Answer;
            assert_eq!(read.commitment(kind), salt.commit(kind, body));
        }
        assert!(SaltedBody::from_bytes(Bytes::from_static(&[0; 31])).is_err());
        assert!(SaltedBody::from_vec(vec![0; 31]).is_err());
        let own = SaltedBody::from_vec(vec![7; 32]).unwrap();
        assert_eq!(own, SaltedBody::new(&salt, b""));
    }
}
