//! A message with its exact bytes and its signature.

use crate::{
    hash::Hash32,
    keys::{BadSignature, PublicKey, Signature, SigningKey},
    verifier::Verifier,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Serialize, de::DeserializeOwned};

/// Any message is shorter: a longer text isn't one and is refused before it is decoded.
const MAX_MESSAGE_BYTES: usize = 1024;

/// A type that parties sign: BCS with a domain tag first.
pub trait Message: Serialize + DeserializeOwned {}

/// Bytes that aren't the message they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode the message: {0}")]
pub struct DecodeError(pub(crate) String);

/// A message, the very bytes that were signed, and the signature. Whether the signature fits a key
/// is asked with [`Signed::verify`]; decoding alone proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    message: T,
    bytes: Vec<u8>,
    signature: Signature,
}

impl<T: Message> Signed<T> {
    /// Signs a message.
    #[must_use]
    pub fn new(message: T, key: &SigningKey) -> Self {
        let bytes = encode(&message);
        let signature = key.sign(&bytes);
        Self {
            message,
            bytes,
            signature,
        }
    }

    /// Takes bytes and signature from elsewhere. BCS has one encoding for each value, so the bytes
    /// are also what anyone else would encode.
    pub fn decode(bytes: Vec<u8>, signature: Signature) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(DecodeError("too long".to_owned()));
        }
        let message = bcs::from_bytes(&bytes).map_err(|e| DecodeError(e.to_string()))?;
        Ok(Self {
            message,
            bytes,
            signature,
        })
    }

    /// `BCS ‖ 64-byte signature`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.bytes.as_slice(), &self.signature.0].concat()
    }

    /// Reads [`to_bytes`](Self::to_bytes).
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let start = bytes
            .len()
            .checked_sub(64)
            .ok_or_else(|| DecodeError("shorter than a signature".to_owned()))?;
        let signature = Signature::try_from(&bytes[start..])
            .map_err(|e: BadSignature| DecodeError(e.to_string()))?;
        bytes.truncate(start);
        Self::decode(bytes, signature)
    }

    /// The text form for headers: base64 of `BCS ‖ 64-byte signature`.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64_STANDARD.encode(self.to_bytes())
    }

    /// Reads the text form.
    pub fn from_text(text: &str) -> Result<Self, DecodeError> {
        if text.len() > 2 * MAX_MESSAGE_BYTES {
            return Err(DecodeError("too long".to_owned()));
        }
        let bytes = BASE64_STANDARD
            .decode(text.trim())
            .map_err(|e| DecodeError(e.to_string()))?;
        Self::from_bytes(bytes)
    }

    /// Checks the signature strictly.
    pub fn verify(&self, key: &PublicKey) -> Result<(), BadSignature> {
        key.verify(&self.bytes, &self.signature)
    }

    /// Checks the signature with a decoded key.
    pub fn verify_with(&self, key: &Verifier) -> Result<(), BadSignature> {
        key.verify(&self.bytes, &self.signature)
    }

    /// What was signed.
    #[must_use]
    pub fn message(&self) -> &T {
        &self.message
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// BLAKE2b-256 of the signed bytes: how other messages refer to this one.
    #[must_use]
    pub fn hash(&self) -> Hash32 {
        Hash32::of(&self.bytes)
    }
}

fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    // messages are structs of integers, arrays and options: BCS can't refuse them
    bcs::to_bytes(message).unwrap_or_default()
}
