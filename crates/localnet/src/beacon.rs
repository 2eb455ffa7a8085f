//! The random beacon: a secret that never leaves the database, mixed with each transaction.

use atoma_runtime::Random;
use atoma_types::hash::Hash32;
use sui_sdk_types::Digest;

/// What seeds are made from.
pub(crate) struct Beacon([u8; 32]);

impl Beacon {
    /// A fresh secret.
    pub(crate) fn generate(random: &dyn Random) -> Self {
        Self(random.bytes())
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
