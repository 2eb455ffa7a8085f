//! Keys that sign evidence, new in each test.

use super::der;
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        RSA_PSS_SHA384, RsaKeyPair,
    },
};

/// A key pair.
#[derive(Debug)]
pub enum SigningKey {
    /// P-256 with SHA-256.
    P256(EcdsaKeyPair),
    /// P-384 with SHA-384.
    P384(EcdsaKeyPair),
    /// RSA-PSS of 2,048 bits with SHA-384: shorter than the makers' own, which take seconds to make.
    Rsa(RsaKeyPair),
}

const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1];
const PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 10];
const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 8];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
const NULL: &[u8] = &[5, 0];

impl SigningKey {
    /// A new P-256 key.
    #[must_use]
    pub fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key"))
    }

    /// A new P-384 key.
    #[must_use]
    pub fn p384() -> Self {
        Self::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key"))
    }

    /// A new RSA key.
    #[must_use]
    pub fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"))
    }

    /// `r ‖ s` big-endian, or an RSA signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::P256(key) | Self::P384(key) => key
                .sign(&random, message)
                .expect("a signature")
                .as_ref()
                .to_vec(),
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PSS_SHA384, &random, message, &mut signature)
                    .expect("a signature");
                signature
            }
        }
    }

    /// A signature in the form that certificates have.
    #[must_use]
    pub fn sign_certificate(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.sign(message);
        match self {
            Self::P256(_) | Self::P384(_) => {
                let (r, s) = signature.split_at(signature.len() / 2);
                der::sequence(&[&der::integer(r), &der::integer(s)])
            }
            Self::Rsa(_) => signature,
        }
    }

    /// The public key: `04 ‖ x ‖ y`, or an RSAPublicKey in DER.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        match self {
            Self::P256(key) | Self::P384(key) => key.public_key().as_ref().to_vec(),
            Self::Rsa(key) => key.public_key().as_ref().to_vec(),
        }
    }

    /// The AlgorithmIdentifier of its signatures.
    #[must_use]
    pub fn algorithm(&self) -> Vec<u8> {
        match self {
            Self::P256(_) => der::sequence(&[&der::oid(ECDSA_SHA256)]),
            Self::P384(_) => der::sequence(&[&der::oid(ECDSA_SHA384)]),
            Self::Rsa(_) => {
                let hash = der::sequence(&[&der::oid(SHA384), NULL]);
                let mask = der::sequence(&[&der::oid(MGF1), &hash]);
                let parameters = der::sequence(&[
                    &der::element(0xa0, &hash),
                    &der::element(0xa1, &mask),
                    &der::element(0xa2, &der::integer(&[48])),
                ]);
                der::sequence(&[&der::oid(PSS), &parameters])
            }
        }
    }

    /// Its SubjectPublicKeyInfo in DER, as certificates hold it.
    #[must_use]
    pub fn info(&self) -> Vec<u8> {
        let kind = match self {
            Self::P256(_) => der::sequence(&[&der::oid(EC), &der::oid(P256)]),
            Self::P384(_) => der::sequence(&[&der::oid(EC), &der::oid(P384)]),
            Self::Rsa(_) => der::sequence(&[&der::oid(RSA), NULL]),
        };
        der::sequence(&[&kind, &der::bits(&self.public())])
    }
}
