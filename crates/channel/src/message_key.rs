//! The keys of one message in one direction.
//!
//! ```text
//! secret      the content key, or what the answer's node exports from its HPKE context
//! salt        request: "atoma/sealreq/v1"; answer: request's hash 32 ‖ random 32
//! okm 76      HKDF-SHA256(salt, secret, the message's tag) = key 32 ‖ base of nonces 12 ‖ commitment 32
//! ```
//!
//! The commitment stands in the message's head. AES-GCM alone lets somebody who knows two keys make one ciphertext
//! that both open, to two texts: then nodes could be asked different things by one request, and whoever is shown a key
//! later, to judge an answer, could be shown another than the one that was used.

use crate::fault::{Fault, Result};
use atoma_tee::octets::{Digest, Octets};
use aws_lc_rs::{
    aead::{AES_256_GCM, LessSafeKey, UnboundKey},
    constant_time::verify_slices_are_equal,
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use zeroize::Zeroizing;

const KEY: usize = 32;
pub(crate) const NONCE: usize = 12;
const COMMITMENT: usize = 32;

/// What one message is encrypted with.
pub(crate) struct MessageKey {
    pub(crate) cipher: LessSafeKey,
    pub(crate) base: [u8; NONCE],
    /// Says which key it is, and nothing of what it is.
    pub(crate) commitment: Digest,
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY + NONCE + COMMITMENT
    }
}

impl MessageKey {
    /// # Errors
    /// [`Fault::ContentKey`], if the library can't derive keys, which it always can.
    pub(crate) fn derive(secret: &[u8; 32], salt: &[u8], tag: &[u8; 16]) -> Result<Self> {
        let mut okm = Zeroizing::new([0; KEY + NONCE + COMMITMENT]);
        let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
        extracted
            .expand(&[tag], Length)
            .and_then(|expanded| expanded.fill(&mut okm[..]))
            .map_err(|_| Fault::ContentKey)?;
        let (key, rest) = okm.split_at(KEY);
        let (nonce, said) = rest.split_at(NONCE);
        let mut base = [0; NONCE];
        base.copy_from_slice(nonce);
        let mut commitment = [0; COMMITMENT];
        commitment.copy_from_slice(said);
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Fault::ContentKey)?;
        Ok(Self {
            cipher: LessSafeKey::new(key),
            base,
            commitment: Octets(commitment),
        })
    }

    /// Whether it is the key that a head commits to.
    pub(crate) fn is_committed_to(&self, by: &Digest) -> bool {
        verify_slices_are_equal(&self.commitment.0, &by.0).is_ok()
    }
}
