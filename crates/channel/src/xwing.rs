//! The receiver's half of X-Wing (draft-connolly-cfrg-xwing-kem), with all of a key made ready once.
//!
//! ```text
//! seed 32        SHAKE256(seed) = ML-KEM-768's seed 64 ‖ X25519's secret 32
//! public key     ML-KEM's 1184 ‖ X25519's 32
//! encapsulated   ML-KEM's 1088 ‖ X25519's 32
//! shared secret  SHA3-256(ML-KEM's secret 32 ‖ X25519's 32 ‖ X25519's encapsulated 32 ‖ X25519's public 32 ‖ "\.//^\")
//! ```
//!
//! The library that seals makes both keys anew of their seed for each request that it opens, and computes in portable code.
//! Here the same keys are held as aws-lc has them. Both are held against each other, against the published vector and
//! against JavaScript (`tests/it/interop.rs`).

use crate::{
    fault::{Fault, Result},
    key::{ENCAPSULATED, Key},
};
use aws_lc_rs::{
    agreement::{self, UnparsedPublicKey, X25519, agree},
    digest::{Context, SHA3_256},
    kem::{self, Ciphertext, ML_KEM_768},
};
use ml_kem::{KeyExport, MlKem768};
use shake::{
    Shake256,
    digest::{ExtendableOutput, Update, XofReader},
};
use zeroize::Zeroizing;

/// Bytes of ML-KEM's part of what is encapsulated.
const LATTICE: usize = 1_088;
const LABEL: &[u8; 6] = br"\.//^\";

/// A secret, with all that is computed of it but once.
pub(crate) struct Secret {
    lattice: kem::DecapsulationKey,
    curve: agreement::PrivateKey,
    curve_public: [u8; 32],
    public: Vec<u8>,
}

impl Secret {
    /// The one of a seed.
    ///
    /// # Errors
    /// Never: 32 bytes are a secret.
    pub(crate) fn of(seed: &Key) -> Result<Self> {
        let (mut of_lattice, mut of_curve) = (Zeroizing::new([0; 64]), Key::default());
        let mut expanded = Shake256::default().chain(&seed[..]).finalize_xof();
        expanded.read(&mut of_lattice[..]);
        expanded.read(&mut of_curve[..]);
        let lattice = ml_kem::DecapsulationKey::<MlKem768>::from_seed((*of_lattice).into());
        let mut public = lattice.encapsulation_key().to_bytes().to_vec();
        let failed = |_| Fault::SealingKey;
        let curve = agreement::PrivateKey::from_private_key(&X25519, &of_curve[..]);
        let curve = curve.map_err(failed)?;
        let curve_public = curve.compute_public_key().map_err(|_| Fault::SealingKey)?;
        let curve_public = curve_public.as_ref().try_into();
        let curve_public: [u8; 32] = curve_public.map_err(|_| Fault::SealingKey)?;
        public.extend_from_slice(&curve_public);
        let expanded = expanded_key(&lattice);
        Ok(Self {
            lattice: kem::DecapsulationKey::new(&ML_KEM_768, &expanded[..]).map_err(failed)?,
            curve,
            curve_public,
            public,
        })
    }

    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// The secret that was encapsulated. Who changes a byte of it, or made it for another key, shares another one.
    ///
    /// # Errors
    /// If X25519's part is a point of low order, by which nobody could agree on anything.
    pub(crate) fn decapsulate(&self, encapsulated: &[u8; ENCAPSULATED]) -> Result<Key> {
        let (of_lattice, of_curve) = encapsulated.split_at(LATTICE);
        let lattice = self.lattice.decapsulate(Ciphertext::from(of_lattice));
        let lattice = lattice.map_err(|_| Fault::WrappedKey)?;
        let peer = UnparsedPublicKey::new(&X25519, of_curve);
        agree(&self.curve, peer, Fault::WrappedKey, |curve| {
            let mut hash = Context::new(&SHA3_256);
            for part in [lattice.as_ref(), curve, of_curve, &self.curve_public, LABEL] {
                hash.update(part);
            }
            let mut shared = Key::default();
            shared.copy_from_slice(hash.finish().as_ref());
            Ok(shared)
        })
    }
}

/// As aws-lc reads it: what is checked where it comes from elsewhere is made here of its seed.
fn expanded_key(key: &ml_kem::DecapsulationKey<MlKem768>) -> Zeroizing<Vec<u8>> {
    #[expect(deprecated, reason = "aws-lc's binding takes no seed yet")]
    use ml_kem::ExpandedKeyEncoding;
    #[expect(deprecated, reason = "aws-lc's binding takes no seed yet")]
    let expanded = Zeroizing::new(key.to_expanded_bytes());
    Zeroizing::new(expanded.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hpke::{Deserializable, Kem, Serializable, kem::XWing};

    #[test]
    fn keys_are_those_of_the_library_that_seals() {
        for byte in 0..8 {
            let seed = Key::new([byte; 32]);
            let theirs = <XWing as Kem>::PrivateKey::from_bytes(&seed[..]).unwrap();
            let public = XWing::sk_to_pk(&theirs).to_bytes();
            assert_eq!(Secret::of(&seed).unwrap().public_key(), &public[..]);
        }
    }

    #[test]
    fn a_point_of_low_order_agrees_on_nothing_and_a_changed_byte_on_something_else() {
        let secret = Secret::of(&Key::new([7; 32])).unwrap();
        let mut encapsulated = [9; ENCAPSULATED];
        let shared = secret.decapsulate(&encapsulated).unwrap();
        assert_eq!(secret.decapsulate(&encapsulated), Ok(shared.clone()));
        for place in [0, LATTICE - 1, LATTICE] {
            encapsulated[place] ^= 1;
            assert_ne!(secret.decapsulate(&encapsulated), Ok(shared.clone()));
            encapsulated[place] ^= 1;
        }
        encapsulated[LATTICE..].fill(0);
        assert_eq!(secret.decapsulate(&encapsulated), Err(Fault::WrappedKey));
    }
}
