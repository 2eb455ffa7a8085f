//! ed25519 keys. One kind of key signs requests and grants (a stack's request key), another
//! receipts (a node's response key); wallets, which own coins, use the same keys with Sui's address
//! and text forms.
//!
//! Verification is always strict (see [`crate::verifier`]): whatever we accept, Move accepts too.

use crate::verifier::Verifier;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};
use std::{fmt, str::FromStr};
use sui_crypto::ed25519::Ed25519PrivateKey;
use sui_sdk_types::{Address, Ed25519PublicKey};
use zeroize::Zeroizing;

/// Sui's flag of ed25519 in keys and signatures.
pub(crate) const ED25519_FLAG: u8 = 0;

/// Fills `bytes` from the operating system's randomness.
///
/// # Panics
/// If the operating system has none to give, which no program of ours can outlive safely.
pub fn fill_random(bytes: &mut [u8]) {
    assert!(
        getrandom::fill(bytes).is_ok(),
        "the operating system has no randomness"
    );
}

/// A public ed25519 key. BCS: 32 bytes. Text and JSON: hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "crate::text_bytes")] pub [u8; 32]);

/// An ed25519 signature, 64 bytes. Text: hex or base64 where a format says so.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

/// The signature isn't by this key over these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit the message and the key")]
pub struct BadSignature;

/// A text or byte string isn't a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid key: {0}")]
pub struct ParseKeyError(pub(crate) String);

impl PublicKey {
    /// The Sui address of this key: `BLAKE2b-256(0x00 ‖ key)`.
    #[must_use]
    pub fn address(&self) -> Address {
        Ed25519PublicKey::new(self.0).derive_address()
    }

    /// Decodes the curve point once, for many verifications. Refuses points of small order, for
    /// which no strict verification succeeds.
    pub fn verifier(&self) -> Result<Verifier, BadSignature> {
        Verifier::new(self)
    }

    /// The X25519 key of whoever holds the secret of this one: the same point on the curve's
    /// Montgomery form. What is sealed to it, [`SigningKey::to_x25519`] opens. `None` if these
    /// aren't a point, or one of small order.
    #[must_use]
    pub fn to_x25519(&self) -> Option<[u8; 32]> {
        let point = curve25519_dalek::edwards::CompressedEdwardsY(self.0).decompress()?;
        (!point.is_small_order()).then(|| point.to_montgomery().0)
    }

    /// Checks one signature strictly. For many by one key, keep a [`Verifier`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        self.verifier()?.verify(message, signature)
    }
}

/// A secret ed25519 key. Wiped when dropped; never shown, cloned or serialised by accident.
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    /// Signs, with both halves at hand.
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// A fresh key.
    #[must_use]
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        fill_random(seed.as_mut());
        Self::from_seed(&seed)
    }

    /// The key with this 32-byte seed (RFC 8032's secret key).
    ///
    /// # Panics
    /// If there is no memory for the key: every seed of 32 bytes is one.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let Ok(pair) = Ed25519KeyPair::from_seed_unchecked(seed) else {
            panic!("no memory for a key");
        };
        Self {
            seed: Zeroizing::new(*seed),
            pair,
        }
    }

    /// The seed, for storing it; wiped when dropped.
    #[must_use]
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        self.seed.clone()
    }

    /// Imports Sui's text form of a secret key, `suiprivkey1…` (ed25519 only).
    pub fn from_suiprivkey(text: &str) -> Result<Self, ParseKeyError> {
        let key = Ed25519PrivateKey::from_suiprivkey(text.trim())
            .map_err(|e| ParseKeyError(e.to_string()))?;
        Self::from_keystore_entry(&Zeroizing::new(key.to_base64()))
    }

    /// Reads a keystore entry: base64 of `0x00 ‖ seed`.
    pub(crate) fn from_keystore_entry(text: &str) -> Result<Self, ParseKeyError> {
        let bytes = BASE64_STANDARD
            .decode(text)
            .map(Zeroizing::new)
            .map_err(|_| ParseKeyError("it is not base64".to_owned()))?;
        match bytes.split_first() {
            Some((&ED25519_FLAG, secret)) => {
                let seed = <[u8; 32]>::try_from(secret)
                    .map(Zeroizing::new)
                    .map_err(|_| ParseKeyError("an ed25519 secret has 32 bytes".to_owned()))?;
                Ok(Self::from_seed(&seed))
            }
            _ => Err(ParseKeyError("it is not an ed25519 key".to_owned())),
        }
    }

    /// The keystore entry of this secret. Handle with care.
    pub(crate) fn to_keystore_entry(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([ED25519_FLAG; 33]);
        bytes[1..].copy_from_slice(self.to_seed().as_ref());
        Zeroizing::new(BASE64_STANDARD.encode(bytes.as_ref()))
    }

    /// Sui's text form of this secret. Handle with care.
    pub fn to_suiprivkey(&self) -> Result<Zeroizing<String>, ParseKeyError> {
        let text = self
            .wallet_key()
            .to_suiprivkey()
            .map_err(|e| ParseKeyError(e.to_string()))?;
        Ok(Zeroizing::new(text))
    }

    /// The same key as Sui's crates have it, for signing transactions.
    #[must_use]
    pub fn wallet_key(&self) -> Ed25519PrivateKey {
        Ed25519PrivateKey::new(*self.seed)
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(bytes(self.pair.public_key().as_ref()))
    }

    /// The X25519 secret behind [`PublicKey::to_x25519`]: the scalar that ed25519 derives from the
    /// seed. Handle with care.
    #[must_use]
    pub fn to_x25519(&self) -> Zeroizing<[u8; 32]> {
        let mut expanded = Zeroizing::new([0; 64]);
        expanded.copy_from_slice(&Sha512::digest(self.seed.as_ref()));
        let mut scalar = Zeroizing::new([0; 32]);
        scalar.copy_from_slice(&expanded[..32]);
        scalar
    }

    /// Signs `message` as it is (ed25519 hashes it itself).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(bytes(self.pair.sign(message).as_ref()))
    }
}

/// The bytes of a key or signature, whose length is always the same.
fn bytes<const N: usize>(slice: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(slice);
    bytes
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, secret elided)", self.public_key())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = ParseKeyError;
    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map_err(|e| ParseKeyError(e.to_string()))?;
        Ok(Self(key))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", hex::encode(self.0))
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = BadSignature;
    fn try_from(bytes: &[u8]) -> Result<Self, BadSignature> {
        bytes.try_into().map(Self).map_err(|_| BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8032_first_vector() {
        let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = SigningKey::from_seed(&seed.unwrap().try_into().unwrap());
        assert_eq!(
            key.public_key().to_string(),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let signature = key.sign(b"");
        assert_eq!(
            hex::encode(signature.0),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        );
        assert_eq!(key.public_key().verify(b"", &signature), Ok(()));
        assert_eq!(key.public_key().verify(b"x", &signature), Err(BadSignature));
    }

    #[test]
    fn both_halves_have_one_x25519_key() {
        use curve25519_dalek::montgomery::MontgomeryPoint;
        let key = SigningKey::generate();
        let public = MontgomeryPoint::mul_base_clamped(*key.to_x25519());
        assert_eq!(key.public_key().to_x25519(), Some(public.0));
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(PublicKey(one).to_x25519(), None);
    }

    #[test]
    fn the_secret_is_never_shown() {
        let key = SigningKey::from_seed(&[0x5a; 32]);
        assert!(!format!("{key:?}").contains("5a5a"));
    }

    #[test]
    fn suiprivkey_round_trips() {
        let key = SigningKey::generate();
        let text = key.to_suiprivkey().unwrap();
        assert!(text.starts_with("suiprivkey1"));
        let again = SigningKey::from_suiprivkey(&text).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert!(SigningKey::from_suiprivkey("suiprivkey1qqqq").is_err());
    }
}
