//! The rules that a ledger runs under: parameters, and what a weaker design would have instead.

use atoma_types::{
    DurationMs, MicroUsdc,
    chain::{Params, SamplingTerms},
    hash::Hash32,
};

/// Parameters and weaknesses.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Rules {
    /// The contract's parameters; bounds are not asked for.
    pub params: Params,
    /// Where the rules are weaker than the contract's.
    pub weaker: Weaker,
}

/// Rules of earlier designs, to see that a strategy would gain under them. None holds by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weaker {
    /// What a node may have at stake, as a multiple of its collateral. The contract: 1.
    pub leverage: u64,
    /// Half of a fine goes to the owner of the stack, as in edition 1.
    pub owners_half: bool,
    /// A node that doesn't disclose or answer loses its ticket, and only once its value.
    pub cheap_silence: bool,
    /// The record that is examined is drawn among the records, not among the units.
    pub records_drawn: bool,
    /// A draw weighs each node alike, whatever it has at stake.
    pub weight_by_head: bool,
    /// A draw weighs the capacity that a node claims, as in edition 1.
    pub weight_by_word: bool,
    /// Jurors vote in the open, one after the other.
    pub open_votes: bool,
    /// What the examiner found stands on the ledger before jurors commit, digest and all.
    pub open_accusations: bool,
    /// A challenge's bond is the least one, whatever the claim, and a jury gives all of the claim back.
    pub flat_bonds: bool,
    /// An examination happens as often, in thousandths, as the ticket is worth so many USDC; capped at the
    /// parameter.
    pub rate_by_value: Option<u64>,
}

impl Default for Weaker {
    fn default() -> Self {
        Self {
            leverage: 1,
            owners_half: false,
            cheap_silence: false,
            records_drawn: false,
            weight_by_head: false,
            weight_by_word: false,
            open_votes: false,
            open_accusations: false,
            flat_bonds: false,
            rate_by_value: None,
        }
    }
}

impl Rules {
    /// The fine for a value.
    #[must_use]
    pub fn fine(&self, value: u64) -> u64 {
        value.saturating_mul(self.params.fine_multiple)
    }

    /// The value of the smallest ticket.
    #[must_use]
    pub fn smallest_ticket(&self, sampled: bool) -> u64 {
        let examined = if sampled { self.params.due * 4 } else { 0 };
        examined.max(1)
    }

    /// The bond of a challenge to a ticket of this value.
    #[must_use]
    pub fn bond(&self, value: u64) -> u64 {
        if self.weaker.flat_bonds {
            return self.params.challenge_bond;
        }
        let share = super::permille(value, self.params.challenge_bond_permille);
        self.params.challenge_bond.max(share)
    }

    /// What a jury gives back of a claim, at most, where a bond of so much stands for the accusation.
    #[must_use]
    pub fn refund(&self, bond: u64) -> u64 {
        if self.weaker.flat_bonds {
            return u64::MAX;
        }
        let permille = self.params.challenge_bond_permille;
        MicroUsdc(bond).stood_for(permille).0
    }

    /// Whether a ticket of this value with this seed is examined, by the contract's own formula.
    #[must_use]
    pub fn hits(&self, seed: &Hash32, value: u64) -> bool {
        let params = &self.params;
        let terms = SamplingTerms {
            sample_permille: self.sample_permille(value),
            due: MicroUsdc(params.due),
            attest_fee: MicroUsdc(params.attest_fee),
            verdict_window_ms: DurationMs(params.verdict_window_ms),
            jury_size: params.jury_size,
            jury_quorum: params.jury_quorum,
            examiner_fine: MicroUsdc(params.examiner_fine),
            juror_fine: MicroUsdc(params.juror_fine),
            challenge_bond: MicroUsdc(params.challenge_bond),
            challenge_bond_permille: params.challenge_bond_permille,
        };
        terms.hits(seed)
    }

    /// How many of a thousand tickets of this value are examined.
    #[must_use]
    pub fn sample_permille(&self, value: u64) -> u64 {
        match self.weaker.rate_by_value {
            Some(per_usdc) => {
                (value.saturating_mul(per_usdc) / 1_000_000).min(self.params.sample_permille)
            }
            None => self.params.sample_permille,
        }
    }
}
