//! Nonces. A broker remembers none that it gives: whoever asks for thousands keeps nobody else from theirs.
//!
//! ```text
//! nonce  time 8  u64 be, milliseconds since 1970
//!        random 8
//!        mark 16  the first half of BLAKE2b-256("atoma/keynonce/1" ‖ secret 32 ‖ model's id 32 ‖ time ‖ random)
//! ```
//!
//! The secret is drawn at the broker's start, so nobody else can make a nonce, and evidence that answers one is younger
//! than it. What is remembered are the nonces by which a key was given, while they are valid: each gives it once.

use crate::fault::KeyFault;
use atoma_runtime::Random;
use atoma_tee::octets::Octets;
use atoma_types::{DurationMs, TimestampMs, hash::Hash32};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use std::{collections::BTreeSet, fmt};
use zeroize::Zeroizing;

const TAG: &[u8; 16] = b"atoma/keynonce/1";
/// How long a nonce may be answered: hardware takes seconds to sign.
const LIFETIME: DurationMs = DurationMs(120_000);
/// Keys given within that time. Each takes evidence that the policy accepts, so strangers can't fill it.
const MAX_ANSWERED: usize = 4_096;

type Nonce = Octets<32>;

/// Makes nonces, and knows its own again.
pub(super) struct Nonces {
    secret: Zeroizing<[u8; 32]>,
}

/// The nonces by which a key was given, by their end.
#[derive(Debug, Default)]
pub(super) struct Answered(BTreeSet<(TimestampMs, Nonce)>);

impl Nonces {
    pub(super) fn new(random: &dyn Random) -> Self {
        Self {
            secret: Zeroizing::new(random.bytes()),
        }
    }

    /// A new one for a model.
    pub(super) fn give(&self, model: Hash32, now: TimestampMs, random: &dyn Random) -> Nonce {
        let random = random.bytes::<8>();
        let (time, mut nonce) = (now.0.to_be_bytes(), [0; 32]);
        nonce[..8].copy_from_slice(&time);
        nonce[8..16].copy_from_slice(&random);
        let mark = self.mark(model, &nonce);
        nonce[16..].copy_from_slice(&mark);
        Octets(nonce)
    }

    /// Whether it was given for this model, and still counts; its end.
    pub(super) fn check(
        &self,
        model: Hash32,
        nonce: &Nonce,
        now: TimestampMs,
    ) -> Result<TimestampMs, KeyFault> {
        let mark = self.mark(model, &nonce.0);
        verify_slices_are_equal(&mark, &nonce.0[16..]).map_err(|_| KeyFault::Nonce)?;
        let mut time = [0; 8];
        time.copy_from_slice(&nonce.0[..8]);
        let end = TimestampMs(u64::from_be_bytes(time)).saturating_add(LIFETIME);
        match now < end {
            true => Ok(end),
            false => Err(KeyFault::NonceExpired),
        }
    }

    fn mark(&self, model: Hash32, nonce: &[u8; 32]) -> [u8; 16] {
        let hash = Hash32::of_parts(&[TAG, &self.secret[..], &model.0, &nonce[..16]]);
        let mut mark = [0; 16];
        mark.copy_from_slice(&hash.0[..16]);
        mark
    }
}

impl Answered {
    /// Takes a nonce that ends then, for a key that is about to be given.
    pub(super) fn take(
        &mut self,
        nonce: Nonce,
        end: TimestampMs,
        now: TimestampMs,
    ) -> Result<(), KeyFault> {
        self.0 = self.0.split_off(&(now, Octets([0; 32])));
        if self.0.contains(&(end, nonce)) {
            return Err(KeyFault::NonceUsed);
        }
        if self.0.len() >= MAX_ANSWERED {
            return Err(KeyFault::Busy);
        }
        self.0.insert((end, nonce));
        Ok(())
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_runtime::SeededRandom;

    const NOW: TimestampMs = TimestampMs(1_795_000_000_000);
    const MODEL: Hash32 = Hash32([1; 32]);

    fn later(by: u64) -> TimestampMs {
        TimestampMs(NOW.0 + by)
    }

    #[test]
    fn a_nonce_counts_for_its_model_at_its_broker_for_two_minutes() {
        let random = SeededRandom::new(1);
        let (here, there) = (Nonces::new(&random), Nonces::new(&random));
        let nonce = here.give(MODEL, NOW, &random);
        assert_ne!(nonce, here.give(MODEL, NOW, &random));
        assert!(here.check(MODEL, &nonce, later(LIFETIME.0 - 1)).is_ok());
        let late = here.check(MODEL, &nonce, later(LIFETIME.0));
        assert_eq!(late, Err(KeyFault::NonceExpired));
        let other = here.check(Hash32([2; 32]), &nonce, NOW);
        assert_eq!(other, Err(KeyFault::Nonce));
        assert_eq!(there.check(MODEL, &nonce, NOW), Err(KeyFault::Nonce));
        for place in 0..32 {
            let mut changed = nonce;
            changed.0[place] ^= 1;
            assert_eq!(here.check(MODEL, &changed, NOW), Err(KeyFault::Nonce));
        }
    }

    #[test]
    fn a_nonce_gives_one_key_and_is_forgotten_with_its_end() {
        let random = SeededRandom::new(1);
        let (nonces, mut answered) = (Nonces::new(&random), Answered::default());
        let nonce = nonces.give(MODEL, NOW, &random);
        let end = nonces.check(MODEL, &nonce, NOW).unwrap();
        assert_eq!(answered.take(nonce, end, NOW), Ok(()));
        let again = answered.take(nonce, end, later(LIFETIME.0 - 1));
        assert_eq!(again, Err(KeyFault::NonceUsed));
        for number in 1..MAX_ANSWERED as u64 {
            let nonce = nonces.give(Hash32([2; 32]), NOW, &random);
            assert_eq!(answered.take(nonce, end, NOW), Ok(()), "{number}");
        }
        let one_more = nonces.give(MODEL, NOW, &random);
        assert_eq!(answered.take(one_more, end, NOW), Err(KeyFault::Busy));
        let after = later(LIFETIME.0 + 1);
        let fresh = nonces.give(MODEL, after, &random);
        let end = nonces.check(MODEL, &fresh, after).unwrap();
        assert_eq!(answered.take(fresh, end, after), Ok(()));
        assert_eq!(answered.0.len(), 1);
    }
}
