//! The few primitives that evidence is signed and hashed with.

use crate::octets::{Digest, Measurement};
use aws_lc_rs::{
    digest::{self, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED,
        RSA_PSS_2048_8192_SHA384, UnparsedPublicKey, VerificationAlgorithm,
    },
};

/// How a message was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// ECDSA over P-256 with SHA-256, `r` and `s` in DER.
    P256,
    /// ECDSA over P-384 with SHA-384, `r` and `s` in DER.
    P384,
    /// The same, `r ‖ s` big-endian, 96 bytes.
    P384Fixed,
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384, a salt of 48 bytes.
    RsaPss,
}

/// Whether `key` signed `message`. Keys: an uncompressed point (`04 ‖ x ‖ y`), or an
/// `RSAPublicKey` in DER.
pub(crate) fn signed(scheme: Scheme, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let algorithm: &dyn VerificationAlgorithm = match scheme {
        Scheme::P256 => &ECDSA_P256_SHA256_ASN1,
        Scheme::P384 => &ECDSA_P384_SHA384_ASN1,
        Scheme::P384Fixed => &ECDSA_P384_SHA384_FIXED,
        Scheme::RsaPss => &RSA_PSS_2048_8192_SHA384,
    };
    UnparsedPublicKey::new(algorithm, key)
        .verify(message, signature)
        .is_ok()
}

/// How something is named by its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    /// Names issuers in answers about certificates; nothing rests on it.
    Sha1,
    Sha256,
    Sha384,
}

/// The digest of `bytes`.
pub(crate) fn hash(hash: Hash, bytes: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &SHA256,
        Hash::Sha384 => &SHA384,
    };
    digest::digest(algorithm, bytes).as_ref().to_vec()
}

/// SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let digest = digest::digest(&SHA256, bytes);
    Digest::at(digest.as_ref(), 0).expect("SHA-256 has 32 bytes")
}

/// SHA-384 of several parts, one after the other.
pub(crate) fn sha384(parts: &[&[u8]]) -> Measurement {
    let mut context = digest::Context::new(&SHA384);
    for part in parts {
        context.update(part);
    }
    Measurement::at(context.finish().as_ref(), 0).expect("SHA-384 has 48 bytes")
}
