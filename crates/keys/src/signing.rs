//! Secret ed25519 keys. One kind of key signs requests and grants (a stack's request key), another
//! receipts (a node's response key); wallets, which own coins, use the same keys with Sui's address
//! and text forms.

use atoma_runtime::Random;
use atoma_types::{PublicKey, Sign, Signature};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::fmt;
use sui_crypto::ed25519::Ed25519PrivateKey;
use zeroize::Zeroizing;

/// Sui's flag of ed25519 in keys and signatures.
pub(crate) const ED25519_FLAG: u8 = 0;

/// A text isn't a secret key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretKeyError {
    /// The text isn't `suiprivkey1…` of an ed25519 key, or is mistyped (it has a checksum).
    #[error(
        "expected an ed25519 secret key of the form suiprivkey1…, whose last letters are a checksum"
    )]
    NotSuiprivkey,
    /// A keystore's entry isn't base64.
    #[error("the entry is not base64")]
    NotBase64,
    /// It is a key of another scheme.
    #[error("the key is not an ed25519 key")]
    NotEd25519,
    /// It says that it is an ed25519 key, but has another length.
    #[error("an ed25519 secret has 32 bytes, not {0}")]
    Length(usize),
}

/// A secret ed25519 key. Wiped when dropped; never shown, cloned or serialised by accident.
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    /// Signs, with both halves at hand.
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// A fresh key. For money or trust it must come from [`SystemRandom`](atoma_runtime::SystemRandom).
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(seed.as_mut());
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
    ///
    /// # Errors
    /// If the text is no such key, or one of another scheme.
    pub fn from_suiprivkey(text: &str) -> Result<Self, SecretKeyError> {
        let key = Ed25519PrivateKey::from_suiprivkey(text.trim())
            .map_err(|_| SecretKeyError::NotSuiprivkey)?;
        Self::from_keystore_entry(&Zeroizing::new(key.to_base64()))
    }

    /// Reads a keystore entry: base64 of `0x00 ‖ seed`.
    pub(crate) fn from_keystore_entry(text: &str) -> Result<Self, SecretKeyError> {
        let bytes = BASE64_STANDARD
            .decode(text)
            .map(Zeroizing::new)
            .map_err(|_| SecretKeyError::NotBase64)?;
        match bytes.split_first() {
            Some((&ED25519_FLAG, secret)) => {
                let seed = <[u8; 32]>::try_from(secret)
                    .map(Zeroizing::new)
                    .map_err(|_| SecretKeyError::Length(secret.len()))?;
                Ok(Self::from_seed(&seed))
            }
            _ => Err(SecretKeyError::NotEd25519),
        }
    }

    /// The keystore entry of this secret. Handle with care.
    pub(crate) fn to_keystore_entry(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([ED25519_FLAG; 33]);
        bytes[1..].copy_from_slice(self.to_seed().as_ref());
        Zeroizing::new(BASE64_STANDARD.encode(bytes.as_ref()))
    }

    /// Sui's text form of this secret. Handle with care.
    ///
    /// # Errors
    /// If Sui's form can't hold it, which happens for no key.
    pub fn to_suiprivkey(&self) -> Result<Zeroizing<String>, SecretKeyError> {
        let text = self
            .wallet_key()
            .to_suiprivkey()
            .map_err(|_| SecretKeyError::NotSuiprivkey)?;
        Ok(Zeroizing::new(text))
    }

    /// The same key in the type of Sui's crates, for signing transactions.
    #[must_use]
    pub fn wallet_key(&self) -> Ed25519PrivateKey {
        Ed25519PrivateKey::new(*self.seed)
    }

    /// The public key by which its signatures are checked.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(bytes(self.pair.public_key().as_ref()))
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

impl Sign for SigningKey {
    fn sign(&self, message: &[u8]) -> Signature {
        Signature(bytes(self.pair.sign(message).as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_runtime::SystemRandom;
    use atoma_types::Verify;

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
        assert!(key.public_key().verify(b"", &signature).is_ok());
        assert!(key.public_key().verify(b"x", &signature).is_err());
    }

    #[test]
    fn the_secret_is_never_shown() {
        let key = SigningKey::from_seed(&[0x5a; 32]);
        assert!(!format!("{key:?}").contains("5a5a"));
    }

    #[test]
    fn suiprivkey_round_trips() {
        let key = SigningKey::generate(&SystemRandom);
        let text = key.to_suiprivkey().unwrap();
        assert!(text.starts_with("suiprivkey1"));
        let again = SigningKey::from_suiprivkey(&text).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert!(SigningKey::from_suiprivkey("suiprivkey1qqqq").is_err());
    }
}
