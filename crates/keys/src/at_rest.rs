//! What lies on this machine's disk for a while and is nobody else's to read: sealed by a key that
//! follows from a secret of ours, so that the file alone (a copy, a backup, a deleted row in it) says
//! nothing.

use crate::SigningKey;
use atoma_types::hash::Hash32;
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use std::fmt;
use zeroize::Zeroizing;

const DOMAIN: &[u8] = b"atoma/at-rest/v1";
const EACH: &[u8] = b"atoma/at-rest/each/v1";

/// Bytes that sealing adds.
pub const SEAL_BYTES: usize = 16;

/// Seals what its holder keeps.
pub struct AtRestKey(Zeroizing<[u8; 32]>);

impl AtRestKey {
    /// The key that follows from a secret.
    #[must_use]
    pub fn of(secret: &SigningKey) -> Self {
        let seed = secret.to_seed();
        Self(Zeroizing::new(Hash32::of_parts(&[DOMAIN, seed.as_ref()]).0))
    }

    /// Seals bytes in place. `name` and `part` say what they are; no two things have both in common, for
    /// each is sealed by a key of its own (ChaCha20-Poly1305 with nonce zero).
    ///
    /// # Panics
    /// Never: the cipher takes up to 256 GiB.
    #[must_use]
    pub fn seal(&self, name: Hash32, part: u8, mut bytes: Vec<u8>) -> Vec<u8> {
        let sealed =
            self.each(name, part)
                .seal_in_place_append_tag(zero(), Aad::empty(), &mut bytes);
        assert!(sealed.is_ok(), "far too long to be sealed");
        bytes
    }

    /// What was sealed under this name; `None` if it wasn't, or not by this key.
    #[must_use]
    pub fn open(&self, name: Hash32, part: u8, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let key = self.each(name, part);
        let length = key
            .open_in_place(zero(), Aad::empty(), &mut sealed)
            .ok()?
            .len();
        sealed.truncate(length);
        Some(sealed)
    }

    fn each(&self, name: Hash32, part: u8) -> LessSafeKey {
        let key = Hash32::of_parts(&[EACH, self.0.as_ref(), &name.0, &[part]]);
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key.0);
        LessSafeKey::new(key.expect("the key has the cipher's length"))
    }
}

fn zero() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

impl fmt::Debug for AtRestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AtRestKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_and_the_name_open_it() {
        let key = AtRestKey::of(&SigningKey::from_seed(&[1; 32]));
        let name = Hash32([2; 32]);
        let sealed = key.seal(name, 1, b"a prompt".to_vec());
        assert_eq!(sealed.len(), 8 + SEAL_BYTES);
        assert!(!sealed.windows(6).any(|window| window == b"prompt"));
        let open = |key: &AtRestKey, name, part| key.open(name, part, sealed.clone());
        assert_eq!(open(&key, name, 1).unwrap(), b"a prompt");
        assert_eq!(open(&key, name, 2), None);
        assert_eq!(open(&key, Hash32([3; 32]), 1), None);
        let other = AtRestKey::of(&SigningKey::from_seed(&[9; 32]));
        assert_eq!(open(&other, name, 1), None);
        assert_eq!(key.open(name, 1, vec![7; 3]), None);
    }
}
