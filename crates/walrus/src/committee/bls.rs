//! BLS12-381 signatures with public keys in G1 (48 bytes) and signatures in G2 (96 bytes), as Sui
//! and Walrus use them. Keys and signatures are checked to be in their groups when they are read.

use blst::{
    BLST_ERROR,
    min_pk::{AggregateSignature, PublicKey, SecretKey, Signature},
};
use std::fmt;
use zeroize::Zeroizing;

/// The domain of the hash to the curve.
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";

/// Why a key or a signature isn't accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlsError {
    /// Not a point of the group, or the point at infinity.
    #[error("not a BLS12-381 key or signature")]
    Encoding,
    /// There is nothing to aggregate.
    #[error("no signatures")]
    Empty,
    /// The signature is another's or of something else.
    #[error("the signature is wrong")]
    Wrong,
}

/// Signs. Wiped when dropped, never printed.
pub struct BlsSecretKey(SecretKey);

impl BlsSecretKey {
    /// A key from 32 random bytes.
    ///
    /// # Errors
    /// Never, with 32 bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, BlsError> {
        let key = SecretKey::key_gen(seed, &[]).map_err(|_| BlsError::Encoding)?;
        Ok(Self(key))
    }

    /// Reads a key as [`Self::to_bytes`] gives it.
    ///
    /// # Errors
    /// If the bytes aren't a key.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, BlsError> {
        let key = SecretKey::from_bytes(bytes).map_err(|_| BlsError::Encoding)?;
        Ok(Self(key))
    }

    /// The bytes to keep it by.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public key by which its signatures are checked.
    #[must_use]
    pub fn public_key(&self) -> BlsPublicKey {
        BlsPublicKey(self.0.sk_to_pk())
    }

    /// Signs a message, in G2 as Walrus's nodes do.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> BlsSignature {
        BlsSignature(self.0.sign(message, DOMAIN, &[]))
    }
}

impl fmt::Debug for BlsSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlsSecretKey")
    }
}

/// A public key, by which signatures of a storage node are checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BlsPublicKey(PublicKey);

impl BlsPublicKey {
    /// The key's point in G1, compressed to 48 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 48] {
        self.0.to_bytes()
    }

    /// Reads a key.
    ///
    /// # Errors
    /// If the bytes aren't one.
    pub fn from_bytes(bytes: &[u8; 48]) -> Result<Self, BlsError> {
        let key = PublicKey::key_validate(bytes).map_err(|_| BlsError::Encoding)?;
        Ok(Self(key))
    }

    /// Whether the signature is this key's over the message.
    ///
    /// # Errors
    /// If it isn't.
    pub fn verify(&self, message: &[u8], signature: &BlsSignature) -> Result<(), BlsError> {
        // the key was checked when it was read; the signature's group is checked here
        right(
            signature
                .0
                .verify(true, message, DOMAIN, &[], &self.0, false),
        )
    }
}

impl fmt::Debug for BlsPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

/// A signature, or several over the same message in one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BlsSignature(Signature);

impl BlsSignature {
    /// The signature's point in G2, compressed to 96 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 96] {
        self.0.to_bytes()
    }

    /// Reads a signature.
    ///
    /// # Errors
    /// If the bytes aren't one.
    pub fn from_bytes(bytes: &[u8; 96]) -> Result<Self, BlsError> {
        let signature = Signature::sig_validate(bytes, true).map_err(|_| BlsError::Encoding)?;
        Ok(Self(signature))
    }

    /// Several signatures in one.
    ///
    /// # Errors
    /// If there are none, or one isn't a point of the group.
    pub fn aggregate(signatures: &[Self]) -> Result<Self, BlsError> {
        if signatures.is_empty() {
            return Err(BlsError::Empty);
        }
        let all: Vec<&Signature> = signatures.iter().map(|signature| &signature.0).collect();
        let sum = AggregateSignature::aggregate(&all, true).map_err(|_| BlsError::Encoding)?;
        Ok(Self(sum.to_signature()))
    }

    /// Whether it aggregates signatures of all these keys over the message. The keys must be
    /// known to be held by their owners (proof of possession), as a committee's are.
    ///
    /// # Errors
    /// If it doesn't.
    pub fn verify_aggregate(&self, message: &[u8], keys: &[BlsPublicKey]) -> Result<(), BlsError> {
        if keys.is_empty() {
            return Err(BlsError::Empty);
        }
        let keys: Vec<&PublicKey> = keys.iter().map(|key| &key.0).collect();
        right(self.0.fast_aggregate_verify(true, message, DOMAIN, &keys))
    }
}

impl fmt::Debug for BlsSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_bytes()))
    }
}

fn right(outcome: BLST_ERROR) -> Result<(), BlsError> {
    (outcome == BLST_ERROR::BLST_SUCCESS)
        .then_some(())
        .ok_or(BlsError::Wrong)
}
