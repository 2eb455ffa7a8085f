//! HPKE's key schedule (RFC 9180, section 5.1) for the receiver, mode base, of the one suite that there is.

use crate::{
    fault::{Fault, Result},
    key::{Key, WRAPPED},
};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    hmac::{self, HMAC_SHA256},
};
use zeroize::Zeroizing;

/// "HPKE", and the numbers of X-Wing, HKDF-SHA256 and AES-256-GCM.
const SUITE: &[u8; 10] = b"HPKE\x64\x7a\x00\x01\x00\x02";
const VERSION: &[u8; 7] = b"HPKE-v1";
const NONCE: usize = 12;
/// Mode base, and two hashes.
const CONTEXT: usize = 65;

/// The receiver's side of one exchange.
pub(crate) struct Receiver {
    cipher: LessSafeKey,
    nonce: [u8; NONCE],
    exporter: Prk,
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Receiver {
    pub(crate) fn new(shared: &Key, info: &[u8]) -> Result<Self> {
        let mut context = [0; CONTEXT];
        context[1..33].copy_from_slice(public_extract(b"psk_id_hash", b"").as_ref());
        context[33..].copy_from_slice(public_extract(b"info_hash", info).as_ref());
        let ikm = [&VERSION[..], SUITE, b"secret"].concat();
        let secret = Salt::new(HKDF_SHA256, &shared[..]).extract(&ikm);
        let (mut key, mut nonce, mut exporter) = (Key::default(), [0; NONCE], Key::default());
        expand(&secret, b"key", &context, &mut key[..])?;
        expand(&secret, b"base_nonce", &context, &mut nonce)?;
        expand(&secret, b"exp", &context, &mut exporter[..])?;
        let cipher = UnboundKey::new(&AES_256_GCM, &key[..]).map_err(|_| Fault::WrappedKey)?;
        Ok(Self {
            cipher: LessSafeKey::new(cipher),
            nonce,
            exporter: Prk::new_less_safe(HKDF_SHA256, &exporter[..]),
        })
    }

    /// Opens the first message, which holds a key. There is no second one.
    pub(crate) fn open(&self, wrapped: &[u8; WRAPPED], bound: &[u8]) -> Result<Key> {
        let mut content = Zeroizing::new(*wrapped);
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let opened = self
            .cipher
            .open_in_place(nonce, Aad::from(bound), &mut content[..]);
        let opened = opened.map_err(|_| Fault::WrappedKey)?;
        let mut key = Key::default();
        key.copy_from_slice(opened);
        Ok(key)
    }

    pub(crate) fn export(&self, context: &[u8]) -> Result<Key> {
        let mut exported = Key::default();
        expand(&self.exporter, b"sec", context, &mut exported[..])?;
        Ok(exported)
    }
}

/// LabeledExtract of what is no secret, without a salt.
fn public_extract(label: &[u8], ikm: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, &[]));
    for part in [VERSION, &SUITE[..], label, ikm] {
        context.update(part);
    }
    context.sign()
}

/// RFC 9180's LabeledExpand.
fn expand(secret: &Prk, label: &[u8], info: &[u8], out: &mut [u8]) -> Result<()> {
    // nothing here is longer than a hash
    let length = (out.len() as u16).to_be_bytes();
    let parts = [&length[..], VERSION, SUITE, label, info];
    secret
        .expand(&parts, Length(out.len()))
        .and_then(|expanded| expanded.fill(out))
        .map_err(|_| Fault::WrappedKey)
}
