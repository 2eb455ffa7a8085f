//! The X25519 keys behind ed25519 ones: what is sealed to a party's signing key, that party opens.

use crate::SigningKey;
use atoma_types::PublicKey;
use curve25519_dalek::edwards::CompressedEdwardsY;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

/// The X25519 key of whoever holds the secret of this one: the same point on the curve's Montgomery
/// form. What is sealed to it, [`SigningKey::to_x25519`] opens. `None` if these bytes aren't a
/// point, or one of small order.
#[must_use]
pub fn x25519_of(key: &PublicKey) -> Option<[u8; 32]> {
    let point = CompressedEdwardsY(key.0).decompress()?;
    (!point.is_small_order()).then(|| point.to_montgomery().0)
}

impl SigningKey {
    /// The X25519 secret behind [`x25519_of`]: the scalar that ed25519 derives from the seed. Handle
    /// with care.
    #[must_use]
    pub fn to_x25519(&self) -> Zeroizing<[u8; 32]> {
        let mut expanded = Zeroizing::new([0; 64]);
        expanded.copy_from_slice(&Sha512::digest(self.to_seed().as_ref()));
        let mut scalar = Zeroizing::new([0; 32]);
        scalar.copy_from_slice(&expanded[..32]);
        scalar
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_runtime::SystemRandom;
    use curve25519_dalek::montgomery::MontgomeryPoint;

    #[test]
    fn both_halves_have_one_x25519_key() {
        let key = SigningKey::generate(&SystemRandom);
        let public = MontgomeryPoint::mul_base_clamped(*key.to_x25519());
        assert_eq!(x25519_of(&key.public_key()), Some(public.0));
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(x25519_of(&PublicKey(one)), None);
    }
}
