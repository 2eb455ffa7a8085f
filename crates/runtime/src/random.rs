//! Sources of random bytes: the operating system's, and one that follows from a seed.

use parking_lot::Mutex;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{
    convert::Infallible,
    fmt::{self, Debug},
    sync::Arc,
};

/// A source of randomness that is passed around.
pub type SharedRandom = Arc<dyn Random>;

/// Gives random bytes: the operating system's, or those that follow from a seed.
pub trait Random: Debug + Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Panics
    /// If the operating system has no randomness to give, which no program of ours outlives safely.
    fn fill(&self, bytes: &mut [u8]);

    /// Any number, each as likely as the others.
    fn next_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A number from 0 up to but not including 1: for jitter and the like.
    fn fraction(&self) -> f64 {
        /// The bits of an `f64`'s mantissa, with the one that isn't stored.
        const BITS: u32 = f64::MANTISSA_DIGITS;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
        let number = (self.next_u64() >> (u64::BITS - BITS)) as f64;
        number / 2_f64.powi(53)
    }
}

impl dyn Random + '_ {
    /// So many random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

/// The operating system's randomness, good for keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

/// Random bytes that follow from a seed: the same again in each run. Not for secrets that matter.
pub struct SeededRandom(Mutex<ChaCha8Rng>);

/// Randomness in the form that cryptographic libraries ask for.
#[derive(Debug)]
pub struct Entropy<'a>(pub &'a dyn Random);

// === impl Entropy ===

impl rand_core::TryRng for Entropy<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Entropy<'_> {}

// === impl SystemRandom ===

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the randomness that others take"
        )]
        let filled = getrandom::fill(bytes);
        assert!(filled.is_ok(), "the operating system has no randomness");
    }
}

// === impl SeededRandom ===

impl SeededRandom {
    /// Starts the stream of bytes of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().fill_bytes(bytes);
    }
}

impl Debug for SeededRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeededRandom").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_in_every_version() {
        let mut bytes = [0; 8];
        SeededRandom::new(1).fill(&mut bytes);
        assert_eq!(bytes, [177, 13, 164, 140, 234, 76, 9, 103]);
    }

    #[test]
    fn fractions_stay_below_one() {
        let random = SeededRandom::new(2);
        let fractions: Vec<f64> = (0..1_000).map(|_| random.fraction()).collect();
        assert!(fractions.iter().all(|f| (0.0..1.0).contains(f)));
        let mean = fractions.iter().sum::<f64>() / 1_000.0;
        assert!((0.45..0.55).contains(&mean), "mean {mean}");
    }
}
