//! Nonces, each good for one judgement. A broker remembers a bit of each that it gives: whoever asks for thousands keeps
//! nobody else from theirs.
//!
//! ```text
//! nonce  time 8  u64 be, milliseconds since 1970
//!        number 8  u64 be, rising by one from the broker's start on
//!        mark 16  the first half of BLAKE2b-256("atoma/keynonce/1" ‖ secret 32 ‖ model's id 32 ‖ time ‖ number)
//! ```
//!
//! The secret is drawn at the broker's start, so nobody else can make a nonce or know one before it is given, and evidence
//! that answers one is younger than it. Whatever the first evidence is worth that answers it: it is used up then, so nobody
//! can try one bundle after the other for it.

use crate::fault::KeyFault;
use atoma_runtime::Random;
use atoma_tee::octets::Octets;
use atoma_types::{DurationMs, TimestampMs, hash::Hash32};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use parking_lot::Mutex;
use std::fmt;
use zeroize::Zeroizing;

const TAG: &[u8; 16] = b"atoma/keynonce/1";
/// How long a nonce may be answered: hardware takes seconds to sign.
const LIFETIME: DurationMs = DurationMs(120_000);
/// Of so many that were given last it is known whether they are used up: a mebibyte. Nobody can ask for as many within the
/// seconds in which a guest answers; the nonce of who takes longer counts as too old.
const REMEMBERED: u64 = 1 << 23;

type Nonce = Octets<32>;

/// Makes nonces, knows its own again, and uses them up.
pub(super) struct Nonces {
    secret: Zeroizing<[u8; 32]>,
    given: Mutex<Given>,
}

/// How many were given, and which of the last are used up: a bit each.
struct Given {
    next: u64,
    used: Vec<u64>,
}

impl Given {
    fn new(remembered: u64) -> Self {
        let words = usize::try_from(remembered.div_ceil(64)).unwrap_or(1);
        Self {
            next: 0,
            used: vec![0; words],
        }
    }

    fn remembered(&self) -> u64 {
        self.used.len() as u64 * 64
    }

    /// The word of a number's bit, and the bit in it.
    fn bit(&mut self, number: u64) -> (&mut u64, u64) {
        let place = number % self.remembered();
        let word = usize::try_from(place / 64).unwrap_or_default();
        (&mut self.used[word], 1 << (place % 64))
    }

    /// The next number, whose bit was another one's before.
    fn give(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        let (word, bit) = self.bit(number);
        *word &= !bit;
        number
    }

    fn use_up(&mut self, number: u64) -> Result<(), KeyFault> {
        // its mark is this broker's: it was given
        let since = self.next.checked_sub(number).filter(|since| *since > 0);
        let since = since.ok_or(KeyFault::Nonce)?;
        if since > self.remembered() {
            return Err(KeyFault::NonceExpired);
        }
        let (word, bit) = self.bit(number);
        if *word & bit != 0 {
            return Err(KeyFault::NonceUsed);
        }
        *word |= bit;
        Ok(())
    }
}

impl Nonces {
    pub(super) fn new(random: &dyn Random) -> Self {
        Self {
            secret: Zeroizing::new(random.bytes()),
            given: Mutex::new(Given::new(REMEMBERED)),
        }
    }

    /// A new one for a model.
    pub(super) fn give(&self, model: Hash32, now: TimestampMs) -> Nonce {
        let (time, number) = (now.0.to_be_bytes(), self.given.lock().give());
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&time);
        nonce[8..16].copy_from_slice(&number.to_be_bytes());
        let mark = self.mark(model, &nonce);
        nonce[16..].copy_from_slice(&mark);
        Octets(nonce)
    }

    /// Uses a nonce up, if it was given for this model, still counts, and wasn't used before.
    pub(super) fn use_up(
        &self,
        model: Hash32,
        nonce: &Nonce,
        now: TimestampMs,
    ) -> Result<(), KeyFault> {
        let mark = self.mark(model, &nonce.0);
        verify_slices_are_equal(&mark, &nonce.0[16..]).map_err(|_| KeyFault::Nonce)?;
        let (mut time, mut number) = ([0; 8], [0; 8]);
        time.copy_from_slice(&nonce.0[..8]);
        number.copy_from_slice(&nonce.0[8..16]);
        let end = TimestampMs(u64::from_be_bytes(time)).saturating_add(LIFETIME);
        if end <= now {
            return Err(KeyFault::NonceExpired);
        }
        self.given.lock().use_up(u64::from_be_bytes(number))
    }

    fn mark(&self, model: Hash32, nonce: &[u8; 32]) -> [u8; 16] {
        let hash = Hash32::of_parts(&[TAG, &self.secret[..], &model.0, &nonce[..16]]);
        let mut mark = [0; 16];
        mark.copy_from_slice(&hash.0[..16]);
        mark
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
        let nonce = here.give(MODEL, NOW);
        assert_ne!(nonce, here.give(MODEL, NOW));
        let late = here.use_up(MODEL, &nonce, later(LIFETIME.0));
        assert_eq!(late, Err(KeyFault::NonceExpired));
        let other = here.use_up(Hash32([2; 32]), &nonce, NOW);
        assert_eq!(other, Err(KeyFault::Nonce));
        assert_eq!(there.use_up(MODEL, &nonce, NOW), Err(KeyFault::Nonce));
        for place in 0..32 {
            let mut changed = nonce;
            changed.0[place] ^= 1;
            assert_eq!(here.use_up(MODEL, &changed, NOW), Err(KeyFault::Nonce));
        }
        // none of these has used it up
        let last = later(LIFETIME.0 - 1);
        assert_eq!(here.use_up(MODEL, &nonce, last), Ok(()));
        assert_eq!(here.use_up(MODEL, &nonce, NOW), Err(KeyFault::NonceUsed));
    }

    #[test]
    fn each_number_is_used_up_once_and_one_that_is_remembered_no_more_is_too_old() {
        let mut given = Given::new(64);
        let first: Vec<u64> = (0..64).map(|_| given.give()).collect();
        for number in first.iter().rev() {
            assert_eq!(given.use_up(*number), Ok(()), "{number}");
            assert_eq!(given.use_up(*number), Err(KeyFault::NonceUsed));
        }
        assert_eq!(given.use_up(64), Err(KeyFault::Nonce), "not given yet");
        let next = given.give();
        assert_eq!(given.use_up(0), Err(KeyFault::NonceExpired));
        assert_eq!(given.use_up(1), Err(KeyFault::NonceUsed));
        assert_eq!(given.use_up(next), Ok(()));
        assert_eq!(given.use_up(next + 1), Err(KeyFault::Nonce));
    }
}
