//! Public ed25519 keys and signatures, and the one check of them.
//!
//! A signature `(R, s)` over `M` is good under the key `A` when `8·R = 8·(s·B - k·A)` with
//! `k = SHA-512(R ‖ A ‖ M)`, `s` is reduced, and neither `A` nor `R` is a point of small order. That is what
//! the ledger takes: Sui verifies by ZIP 215, and our Move package refuses points of small order besides.
//! No more and no less: a node could settle with a signature that its users can't see, were ours the stricter
//! check. Whoever signs by the book is judged without the factor 8, which costs more.
//!
//! Who signs, and how a key that comes back is checked faster, stands outside this crate: see the
//! traits [`Sign`] and [`Verify`].

use crate::hash::Hash32;
use curve25519_dalek::{EdwardsPoint, Scalar, edwards::CompressedEdwardsY};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha512};
use std::{fmt, str::FromStr};
use sui_sdk_types::{Address, Ed25519PublicKey};

/// A public ed25519 key. BCS: 32 bytes. Text and JSON: hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKey(#[serde(with = "crate::text_bytes")] pub [u8; 32]);

/// An ed25519 signature, 64 bytes: `R ‖ s`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

/// The signature isn't by this key over these bytes, or the key can't have signed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not fit the message and the key")]
pub struct BadSignature;

/// The text isn't a public key.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("a public key is 64 hex digits")]
pub struct ParseKeyError(#[source] hex::FromHexError);

/// Holds the secret half of a key and signs with it.
pub trait Sign {
    /// The ed25519 signature over exactly these bytes.
    fn sign(&self, message: &[u8]) -> Signature;
}

/// Knows a public key and checks signatures by it, as the ledger does.
pub trait Verify {
    /// Whether the key's owner signed exactly these bytes.
    ///
    /// # Errors
    /// If they didn't, or the key is none that can sign.
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature>;

    /// Whether the key's owner signed the `root` of a batch; `message` is what is signed for it. Many
    /// messages share a root: who checks them all may remember it.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    fn verify_root(
        &self,
        root: Hash32,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        let _ = root;
        self.verify(message, signature)
    }
}

/// A public key whose curve point is decoded: for a few checks by the same key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DecodedKey {
    key: PublicKey,
    /// The key's point, negated: `-A`.
    minus: EdwardsPoint,
}

impl PublicKey {
    /// The Sui address of this key: `BLAKE2b-256(0x00 ‖ key)`.
    #[must_use]
    pub fn address(&self) -> Address {
        Ed25519PublicKey::new(self.0).derive_address()
    }

    /// Decodes the curve point.
    ///
    /// # Errors
    /// If the bytes are no point, or one of small order, by which anybody could sign.
    pub fn decode(&self) -> Result<DecodedKey, BadSignature> {
        let point = CompressedEdwardsY(self.0)
            .decompress()
            .ok_or(BadSignature)?;
        if point.is_small_order() {
            return Err(BadSignature);
        }
        Ok(DecodedKey {
            key: *self,
            minus: -point,
        })
    }
}

impl DecodedKey {
    /// The public key that this verifier checks signatures by.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key
    }

    /// The key's point with its sign turned, which checking a signature adds.
    #[must_use]
    pub fn minus(&self) -> &EdwardsPoint {
        &self.minus
    }

    /// Checks a signature, with `s·B - k·A` computed by `combine(k, s)`: whoever has tables for the two
    /// products is faster.
    ///
    /// # Errors
    /// If the signature doesn't fit.
    pub fn verify_by(
        &self,
        message: &[u8],
        signature: &Signature,
        combine: impl FnOnce(&Scalar, &Scalar) -> EdwardsPoint,
    ) -> Result<(), BadSignature> {
        let (r, s) = signature.0.split_first_chunk::<32>().ok_or(BadSignature)?;
        let s = s.try_into().map_err(|_| BadSignature)?;
        let s = Option::<Scalar>::from(Scalar::from_canonical_bytes(s)).ok_or(BadSignature)?;
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(self.key.0)
            .chain_update(message);
        let k = Scalar::from_hash(hash);
        let expected = combine(&k, &s);
        let point = match expected.compress().as_bytes() == r {
            true => expected,
            // another encoding, or another part of small order: whoever signs by the book has neither
            false => {
                let near = |point: &EdwardsPoint| (expected - point).is_small_order();
                let point = CompressedEdwardsY(*r).decompress();
                point.filter(near).ok_or(BadSignature)?
            }
        };
        if point.is_small_order() {
            return Err(BadSignature);
        }
        Ok(())
    }
}

impl Verify for DecodedKey {
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        self.verify_by(message, signature, |k, s| {
            EdwardsPoint::vartime_double_scalar_mul_basepoint(k, &self.minus, s)
        })
    }
}

impl Verify for PublicKey {
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        self.decode()?.verify(message, signature)
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

impl fmt::Debug for DecodedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodedKey({})", self.key)
    }
}

impl FromStr for PublicKey {
    type Err = ParseKeyError;
    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map_err(ParseKeyError)?;
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

/// A signer for this crate's own tests; programs use `atoma-keys`.
#[cfg(test)]
pub(crate) mod testing {
    use super::{PublicKey, Sign, Signature};
    use ed25519_dalek::Signer;

    pub(crate) struct TestKey(ed25519_dalek::SigningKey);

    impl TestKey {
        pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
            Self(ed25519_dalek::SigningKey::from_bytes(seed))
        }

        pub(crate) fn public_key(&self) -> PublicKey {
            PublicKey(self.0.verifying_key().to_bytes())
        }
    }

    impl Sign for TestKey {
        fn sign(&self, message: &[u8]) -> Signature {
            Signature(self.0.sign(message).to_bytes())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::TestKey, *};

    #[test]
    fn rfc8032_first_vector() {
        let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = TestKey::from_seed(&seed.unwrap().try_into().unwrap());
        let public = key.public_key();
        let signature = key.sign(b"");
        assert_eq!(public.verify(b"", &signature), Ok(()));
        assert_eq!(public.verify(b"x", &signature), Err(BadSignature));
        assert_eq!(public.to_string().parse(), Ok(public));
        assert!("d75a98".parse::<PublicKey>().is_err());
    }
}
