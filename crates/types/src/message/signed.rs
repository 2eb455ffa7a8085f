//! A message with its exact bytes and its signature.

use super::MessageSignature;
use crate::{DecodeError, Sign, Verify, ed25519::BadSignature, hash::Hash32};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Serialize, de::DeserializeOwned};

/// Any message is shorter: a longer text isn't one and is refused before it is decoded.
const MAX_MESSAGE_BYTES: usize = 1024;

/// A type that parties sign: BCS with a domain tag first.
pub trait Message: Serialize + DeserializeOwned {}

/// A message with its bytes, not signed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft<T> {
    message: T,
    bytes: Vec<u8>,
    hash: Hash32,
}

impl<T: Message> Draft<T> {
    /// A message with its bytes, ready to be signed.
    #[must_use]
    pub fn new(message: T) -> Self {
        let bytes = encode(&message);
        let hash = Hash32::of(&bytes);
        Self {
            message,
            bytes,
            hash,
        }
    }

    /// Signs this message by itself, without others in a tree.
    #[must_use]
    pub fn sign(self, key: &impl Sign) -> Signed<T> {
        let signature = MessageSignature::alone(&self.bytes, key);
        self.with(signature)
    }

    /// Signs several, as many as possible with one signature.
    #[must_use]
    pub fn sign_all(drafts: Vec<Self>, key: &impl Sign) -> Vec<Signed<T>> {
        let bytes: Vec<_> = drafts.iter().map(|draft| draft.bytes.as_slice()).collect();
        let signatures = MessageSignature::together(&bytes, key);
        let pairs = drafts.into_iter().zip(signatures);
        pairs
            .map(|(draft, signature)| draft.with(signature))
            .collect()
    }

    /// What is to be signed.
    #[must_use]
    pub fn message(&self) -> &T {
        &self.message
    }

    /// BLAKE2b-256 of its bytes, as [`Signed::hash`].
    #[must_use]
    pub fn hash(&self) -> Hash32 {
        self.hash
    }

    fn with(self, signature: MessageSignature) -> Signed<T> {
        Signed {
            message: self.message,
            bytes: self.bytes,
            hash: self.hash,
            signature,
        }
    }
}

/// A message, the very bytes that were signed, and the signature. Whether the signature fits a key
/// is asked with [`Signed::verify`]; decoding alone proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed<T> {
    message: T,
    bytes: Vec<u8>,
    /// Of the bytes, which are asked for several times: by who refers to it, counts it, looks it up.
    hash: Hash32,
    signature: MessageSignature,
}

impl<T: Message> Signed<T> {
    /// Encodes a message and signs it by itself.
    #[must_use]
    pub fn new(message: T, key: &impl Sign) -> Self {
        Draft::new(message).sign(key)
    }

    /// Takes bytes and signature from elsewhere. BCS has one encoding for each value, so the bytes
    /// are also what anyone else would encode.
    ///
    /// # Errors
    /// If the bytes are not those of such a message.
    pub fn decode(
        bytes: Vec<u8>,
        signature: impl Into<MessageSignature>,
    ) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(DecodeError::TooLong {
                max: MAX_MESSAGE_BYTES,
            });
        }
        let message = bcs::from_bytes(&bytes).map_err(DecodeError::Bcs)?;
        Ok(Self {
            message,
            hash: Hash32::of(&bytes),
            bytes,
            signature: signature.into(),
        })
    }

    /// `BCS ‖ signature`, whose last byte tells how long it is.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        self.signature.write(&mut bytes);
        bytes
    }

    /// Decodes what [`to_bytes`](Self::to_bytes) made.
    ///
    /// # Errors
    /// If the bytes are too short, or not those of such a message.
    pub fn from_bytes(mut bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let length = MessageSignature::length_at_end(&bytes).ok_or(DecodeError::NoSignature)?;
        let start = bytes.len() - length;
        let signature = MessageSignature::try_from(&bytes[start..])
            .map_err(|BadSignature| DecodeError::NoSignature)?;
        bytes.truncate(start);
        Self::decode(bytes, signature)
    }

    /// The text form for headers: base64 of `BCS ‖ signature`.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64_STANDARD.encode(self.to_bytes())
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// If the text is not base64 of what [`from_bytes`](Self::from_bytes) takes.
    pub fn from_text(text: &str) -> Result<Self, DecodeError> {
        if text.len() > 2 * MAX_MESSAGE_BYTES {
            return Err(DecodeError::TooLong {
                max: MAX_MESSAGE_BYTES,
            });
        }
        let bytes = BASE64_STANDARD
            .decode(text.trim())
            .map_err(DecodeError::Base64)?;
        Self::from_bytes(bytes)
    }

    /// Whether the key's owner signed these bytes, as the ledger checks it: with a
    /// [`PublicKey`](crate::PublicKey), or with a verifier that is kept for many messages.
    ///
    /// # Errors
    /// If they didn't.
    pub fn verify(&self, key: &impl Verify) -> Result<(), BadSignature> {
        self.signature.verify(&self.bytes, key)
    }

    /// The message that was signed.
    #[must_use]
    pub fn message(&self) -> &T {
        &self.message
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature over the message.
    #[must_use]
    pub fn signature(&self) -> &MessageSignature {
        &self.signature
    }

    /// BLAKE2b-256 of the signed bytes: how other messages refer to this one.
    #[must_use]
    pub fn hash(&self) -> Hash32 {
        self.hash
    }
}

fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    let Ok(bytes) = bcs::to_bytes(message) else {
        panic!("BCS can hold integers, arrays and options, of which messages are made");
    };
    bytes
}
