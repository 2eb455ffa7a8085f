//! Signature algorithms and keys, each in the exact bytes that the makers write.

use super::CertificateFault;
use crate::{
    crypto::{Scheme, signed},
    der::{self, Element, Reader, tag},
    fault::Result,
};

/// How a certificate or a list is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// ecdsa-with-SHA256, over P-256.
    P256,
    /// ecdsa-with-SHA384, over P-384.
    P384,
    /// RSASSA-PSS with SHA-384 throughout and a salt of 48 bytes.
    RsaPss,
}

const ECDSA_SHA256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_SHA384: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];

/// RSASSA-PSS and, of its parameters, hash, mask and salt length.
const PSS: &[u8] = &[
    6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 10, 0x30, 0x34, 0xa0, 15, 0x30, 13, 6, 9, 0x60,
    0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 0xa1, 28, 0x30, 26, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7,
    13, 1, 1, 8, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 0xa2, 3, 2, 1, 48,
];
/// Where the length of the parameters stands, which the trailer field makes five longer.
const PSS_LENGTH_AT: usize = 12;
/// The trailer field at its default. DER would leave it out; some of AMD's certificates have it.
const PSS_TRAILER: &[u8] = &[0xa3, 3, 2, 1, 1];

impl Algorithm {
    /// Reads an AlgorithmIdentifier.
    pub(super) fn read(identifier: Element<'_>) -> Result<Self> {
        let body = identifier.body;
        if body == ECDSA_SHA256 {
            return Ok(Self::P256);
        }
        if body == ECDSA_SHA384 {
            return Ok(Self::P384);
        }
        let mut with_trailer = [PSS, PSS_TRAILER].concat();
        with_trailer[PSS_LENGTH_AT] += PSS_TRAILER.len() as u8;
        if body == PSS || body == with_trailer {
            return Ok(Self::RsaPss);
        }
        Err(CertificateFault::Algorithm.into())
    }

    /// Whether `key` signed `message` this way; not, if it is a key of another kind.
    pub(super) fn verify(self, key: Key<'_>, message: &[u8], signature: &[u8]) -> bool {
        let scheme = match (self, key.kind) {
            (Self::P256, KeyKind::P256) => Scheme::P256,
            (Self::P384, KeyKind::P384) => Scheme::P384,
            (Self::RsaPss, KeyKind::Rsa) => Scheme::RsaPss,
            _ => return false,
        };
        signed(scheme, key.bytes, message, signature)
    }
}

/// What kind of key a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    P256,
    P384,
    Rsa,
}

/// A certificate's public key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) kind: KeyKind,
    /// An uncompressed point, or an RSAPublicKey in DER.
    pub(crate) bytes: &'a [u8],
}

/// A SubjectPublicKeyInfo up to its point.
const P256_INFO: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 3, 1, 7, 3, 0x42, 0,
];
const P384_INFO: &[u8] = &[
    0x30, 0x76, 0x30, 0x10, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x22,
    3, 0x62, 0,
];
/// rsaEncryption with NULL.
const RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];

impl<'a> Key<'a> {
    /// Reads a SubjectPublicKeyInfo.
    pub(super) fn read(info: Element<'a>) -> Result<Self> {
        for (kind, head, len) in [
            (KeyKind::P256, P256_INFO, 65),
            (KeyKind::P384, P384_INFO, 97),
        ] {
            if let Some(bytes) = info.raw.strip_prefix(head)
                && bytes.len() == len
                && bytes[0] == 4
            {
                return Ok(Self { kind, bytes });
            }
        }
        let mut fields = Reader::new(info.body);
        if fields.expect(tag::SEQUENCE)?.body != RSA {
            return Err(CertificateFault::Key.into());
        }
        let bytes = fields.last(tag::BITS)?.bits()?;
        der::only(bytes, tag::SEQUENCE)?;
        Ok(Self {
            kind: KeyKind::Rsa,
            bytes,
        })
    }
}
