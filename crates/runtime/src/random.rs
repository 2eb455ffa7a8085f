//! Sources of random bytes: the operating system's, and one that follows from a seed.

use parking_lot::Mutex;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{
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
