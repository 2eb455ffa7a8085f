//! HPKE with the one suite that there is: X-Wing (KEM 0x647A), HKDF-SHA256, AES-256-GCM.
//!
//! ```text
//! info             what is wrapped 16 ‖ keyset's digest 32 ‖ key id u32 le
//!                  "atoma/sealreq/v1" for a request, "atoma/modkey/v1" and a zero for a model's key
//! exporter context "atoma/sealans/v1" 16
//! ```
//!
//! A keyset's digest covers network, package, node and release, so a key opens nothing that was sealed in
//! another of its lives.

use crate::{
    fault::{Fault, Result},
    key::{ENCAPSULATED, Key, WRAPPED},
    schedule::Receiver,
    tags::ANSWER_TAG,
    xwing::Secret,
};
use atoma_runtime::{Entropy, Random};
use atoma_tee::octets::{Digest, Octets};
use hpke::{
    Deserializable, Kem, OpModeS, Serializable,
    aead::{AeadCtxS, AesGcm256},
    kdf::HkdfSha256,
    kem::XWing,
    setup_sender_with_rng,
};
use zeroize::Zeroizing;

pub(crate) type PublicKey = <XWing as Kem>::PublicKey;

/// The sender's side of one wrapped key.
pub(crate) struct Wrapping(AeadCtxS<AesGcm256, HkdfSha256, XWing>);

/// The receiver's side of one wrapped key: the same by other code, since a node opens what many seal.
pub(crate) struct Unwrapping(Receiver);

fn info(tag: &[u8; 16], keyset: Digest, key: u32) -> Vec<u8> {
    [&tag[..], &keyset.0, &key.to_le_bytes()].concat()
}

pub(crate) fn public_key(bytes: &[u8]) -> Result<PublicKey> {
    PublicKey::from_bytes(bytes).map_err(|_| Fault::SealingKey)
}

// === impl Wrapping ===

impl Wrapping {
    /// Agrees on a secret with whoever holds the key; what it is agreed by goes into the head.
    pub(crate) fn new(
        public: &PublicKey,
        tag: &[u8; 16],
        keyset: Digest,
        key: u32,
        random: &dyn Random,
    ) -> Result<(Self, Octets<ENCAPSULATED>)> {
        let (encapsulated, context) = setup_sender_with_rng::<_, _, XWing>(
            &OpModeS::Base,
            public,
            &info(tag, keyset, key),
            &mut Entropy(random),
        )
        .map_err(|_| Fault::SealingKey)?;
        let mut bytes = [0; ENCAPSULATED];
        encapsulated.write_exact(&mut bytes);
        Ok((Self(context), Octets(bytes)))
    }

    pub(crate) fn wrap(&mut self, content: &Key, bound: &[u8]) -> Result<Octets<WRAPPED>> {
        let wrapped = self.0.seal(&content[..], bound);
        let wrapped = wrapped.map_err(|_| Fault::WrappedKey)?;
        let wrapped = wrapped.try_into().map_err(|_| Fault::WrappedKey)?;
        Ok(Octets(wrapped))
    }

    /// The secret that the answer's key comes from.
    pub(crate) fn answer_secret(&self) -> Result<Key> {
        let mut secret = Zeroizing::new([0; 32]);
        let exported = self.0.export(&ANSWER_TAG, &mut secret[..]);
        exported.map_err(|_| Fault::AnswerKey)?;
        Ok(secret)
    }
}

// === impl Unwrapping ===

impl Unwrapping {
    pub(crate) fn new(
        secret: &Secret,
        tag: &[u8; 16],
        keyset: Digest,
        key: u32,
        encapsulated: &Octets<ENCAPSULATED>,
    ) -> Result<Self> {
        let shared = secret.decapsulate(&encapsulated.0)?;
        Receiver::new(&shared, &info(tag, keyset, key)).map(Self)
    }

    pub(crate) fn unwrap(&self, wrapped: &Octets<WRAPPED>, bound: &[u8]) -> Result<Key> {
        self.0.open(&wrapped.0, bound)
    }

    /// As [`Wrapping::answer_secret`]: both have the same.
    pub(crate) fn answer_secret(&self) -> Result<Key> {
        self.0.export(&ANSWER_TAG)
    }
}
