//! The random beacon: a secret that never leaves the database, mixed with each transaction.

use atoma_keys::fill_random;
use atoma_types::hash::Hash32;
use sui_sdk_types::Digest;

/// What seeds are made from.
pub(crate) struct Beacon([u8; 32]);

impl Beacon {
    /// A fresh secret.
    pub(crate) fn generate() -> Self {
        let mut secret = [0; 32];
        fill_random(&mut secret);
        Self(secret)
    }

    /// A kept one.
    pub(crate) fn restore(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The secret, to be kept.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// The seed of a transaction: nobody outside knows it before the transaction is executed.
    pub(crate) fn seed(&self, transaction: Digest, checkpoint: u64) -> [u8; 32] {
        Hash32::of_parts(&[
            b"atoma/localnet/beacon/v1",
            &self.0,
            transaction.as_bytes(),
            &checkpoint.to_le_bytes(),
        ])
        .0
    }
}

impl std::fmt::Debug for Beacon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Beacon(secret elided)")
    }
}

/// A seed for simulations: one that tells nothing of the real one.
pub(crate) fn simulation_seed() -> [u8; 32] {
    let mut seed = [0; 32];
    fill_random(&mut seed);
    seed
}
