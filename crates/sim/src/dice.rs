//! Randomness by name: what is drawn for a purpose depends on the seed and the purpose's own numbers alone, so that a
//! change of one party's conduct leaves everyone else's luck as it was.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Purpose {
    /// When a stack is bought, in which task, by whom.
    Arrival,
    /// How large a request is.
    Request,
    /// Who may serve a stack.
    Candidates,
    /// Whether a ticket is examined, and where.
    Ticket,
    /// Who examines a ticket.
    Examiner,
    /// Who sits in a jury.
    Jury,
    /// How long someone takes.
    Delay,
    /// When a node is away.
    Absence,
    /// What a party does by chance.
    Whim,
}

/// The source of all of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    seed: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    fn stream(self, purpose: Purpose, a: u64, b: u64) -> ChaCha8Rng {
        let mut key = [purpose as u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&a.to_le_bytes());
        key[16..24].copy_from_slice(&b.to_le_bytes());
        ChaCha8Rng::from_seed(key)
    }

    /// 32 bytes, as the ledger's beacon would give.
    pub(crate) fn beacon(self, purpose: Purpose, a: u64, b: u64) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.stream(purpose, a, b).fill_bytes(&mut bytes);
        bytes
    }

    /// Many bytes at once.
    pub(crate) fn bytes(self, purpose: Purpose, a: u64, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream(purpose, a, u64::MAX).fill_bytes(&mut bytes);
        bytes
    }

    /// A number below a bound; 0 if there is none below it.
    pub(crate) fn below(self, purpose: Purpose, (a, b): (u64, u64), bound: u64) -> u64 {
        let number = u128::from(self.stream(purpose, a, b).next_u64());
        // the high half of the product: as even as 64 bits allow
        u64::try_from((number * u128::from(bound)) >> 64).unwrap_or(0)
    }

    /// Whether something happens so many times in a thousand.
    pub(crate) fn chance(self, purpose: Purpose, at: (u64, u64), permille: u64) -> bool {
        self.below(purpose, at, 1_000) < permille
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_draws_the_same_and_others_draw_others() {
        let dice = Dice::new(7);
        let one = dice.beacon(Purpose::Ticket, 1, 2);
        assert_eq!(one, dice.beacon(Purpose::Ticket, 1, 2));
        assert_ne!(one, dice.beacon(Purpose::Ticket, 2, 1));
        assert_ne!(one, dice.beacon(Purpose::Jury, 1, 2));
        assert_ne!(one, Dice::new(8).beacon(Purpose::Ticket, 1, 2));
    }

    #[test]
    fn a_fifth_is_about_a_fifth() {
        let dice = Dice::new(1);
        let hits = (0..10_000).filter(|&i| dice.chance(Purpose::Whim, (i, 0), 200));
        assert!((1_900..2_100).contains(&hits.count()));
    }
}
