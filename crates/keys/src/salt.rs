//! The salts of requests follow from the key that signs them: so nobody keeps a further secret, and whoever
//! may sign for a stack may check what was said on it, as with sealed bodies.

use crate::SigningKey;
use atoma_types::{RequestId, hash::Hash32, message::Salt};

const DOMAIN: &[u8] = b"atoma/salt/v1";

impl SigningKey {
    /// The salt of a request that this key signs. Ids are never used twice, so neither are salts; who has
    /// seen any number of them knows no other.
    ///
    /// ```text
    /// BLAKE2b-256("atoma/salt/v1" | secret 32 | request id 16)
    /// ```
    #[must_use]
    pub fn salt_of(&self, request: RequestId) -> Salt {
        let secret = self.to_seed();
        Salt::new(Hash32::of_parts(&[DOMAIN, secret.as_ref(), &request.0]).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_follow_from_the_key_and_the_request_alone() {
        let [key, other] = [1, 2].map(|byte| SigningKey::from_seed(&[byte; 32]));
        let [first, second] = [3, 4].map(|byte| RequestId([byte; 16]));
        let salt = |key: &SigningKey, id| *key.salt_of(id).reveal();
        assert_eq!(salt(&key, first), salt(&key, first));
        assert_ne!(salt(&key, first), salt(&key, second));
        assert_ne!(salt(&key, first), salt(&other, first));
    }
}
