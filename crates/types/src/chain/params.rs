//! The protocol's parameters, held by `AtomaDb` and set by the administrator one by one.

use serde::{Deserialize, Serialize};

macro_rules! params {
    ($($(#[$doc:meta])* $name:ident = $default:expr, $floor:expr, $cap:expr;)*) => {
        /// Numbers the rules depend on. BCS: `u64` each, in this order. A stack keeps those of its
        /// purchase, so a change never touches a deal already made. Floors and caps stand in the code; a
        /// database for development has no floors.
        ///
        /// In configuration files, what isn't named has its default.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Params { $($(#[$doc])* pub $name: u64),* }

        impl Default for Params {
            fn default() -> Self { Self { $($name: $default),* } }
        }

        impl Params {
            /// The names, in the order of the fields.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The value of a parameter by name.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name { $(stringify!($name) => Some(self.$name),)* _ => None }
            }

            /// The smallest and the largest value that a parameter may have.
            #[must_use]
            pub fn bounds(name: &str) -> Option<(u64, u64)> {
                match name { $(stringify!($name) => Some(($floor, $cap)),)* _ => None }
            }

            /// Sets a parameter by name, whatever its bounds; false if there is none such.
            #[must_use]
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => { self.$name = value; true })*
                    _ => false,
                }
            }
        }
    };
}

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
const USDC: u64 = 1_000_000;

params! {
    /// 1 stops new business (registration, tasks, subscriptions, stacks, leases); exits always work.
    paused = 0, 0, 1;
    /// Collateral to register a node and to take leases, micro-USDC.
    min_collateral = 100 * USDC, USDC, 1 << 50;
    /// The fine for a ticket is its value times this.
    fine_multiple = 10, 5, 30;
    /// How long a ticket waits (D): a night's outage, and daily pay.
    dispute_window_ms = DAY, 6 * HOUR, 30 * DAY;
    /// How long a node has to answer a demand or to disclose a record (A).
    answer_window_ms = DAY, 12 * HOUR, 7 * DAY;
    /// How long after a stack's expiry its nodes may still settle (G); at least A.
    settle_grace_ms = DAY, 12 * HOUR, 7 * DAY;
    /// What a demand costs (F), micro-USDC: about the gas of an answer, whose node gets it.
    demand_fee = 20_000, 0, 100_000;
    /// How many of a thousand tickets are examined, where the task samples.
    sample_permille = 200, 50, 1_000;
    /// What an examiner, or a juror, gets, micro-USDC: gas times five, and a prefill.
    attest_fee = 100_000, 10_000, 10 * USDC;
    /// What a ticket on a sampling task pays into the pool, micro-USDC; a quarter above what its examination costs on average.
    due = 25_000, 0, 10 * USDC;
    /// How long an examiner has, a juror to commit, and to reveal (X).
    verdict_window_ms = 12 * HOUR, 6 * HOUR, 3 * DAY;
    /// Jurors of a jury.
    jury_size = 7, 7, 9;
    /// Equal verdicts of a jury that decide.
    jury_quorum = 5, 5, 9;
    /// What an examiner stakes on an accusation, and pays whom a jury contradicts, micro-USDC: at least what the jury gets.
    examiner_fine = 2 * USDC, 100_000, 100 * USDC;
    /// What a juror pays on the losing side, micro-USDC.
    juror_fine = USDC, 100_000, 100 * USDC;
    /// What an attester deposits in a task, micro-USDC.
    attest_deposit = 8 * USDC, USDC, 1_000 * USDC;
    /// The least bond of a challenge, micro-USDC.
    challenge_bond = 5 * USDC, USDC, 1_000 * USDC;
    /// The least bond of a challenge, in thousandths of the ticket's value; and of what a jury gives back to an owner, the part for which a bond must have stood.
    challenge_bond_permille = 100, 80, 1_000;
    /// Attesters of others that must be there when a stack on a sampling task is bought: an examiner, a jury, and one to spare.
    min_attesters = 9, 9, 64;
    /// How long a fine can be pardoned: time for people to stop a bad release.
    slash_delay_ms = 7 * DAY, DAY, 30 * DAY;
    /// How long a leaving node's collateral waits; at least the slash delay.
    unbonding_ms = 7 * DAY, 7 * DAY, 90 * DAY;
    /// How long a convicted node takes no new leases; at least D and A together.
    jail_ms = 2 * DAY, DAY, 60 * DAY;
    /// How long added collateral has no weight.
    maturity_ms = DAY, DAY, 30 * DAY;
    /// How long a release waits before it is good.
    release_delay_ms = DAY, DAY, 30 * DAY;
    /// The protocol's share of what nodes earn, thousandths.
    protocol_fee_permille = 10, 0, 200;
    /// The most of its fees that a node gets back from the treasury, thousandths.
    rebate_permille = 900, 0, 999;
    /// The share of the communal treasury that an epoch pays out, thousandths.
    treasury_payout_permille = 100, 0, 1_000;
    /// The shortest life of a stack.
    min_lifetime_ms = HOUR, SECOND, DAY;
    /// The longest life of a stack, extensions included.
    max_lifetime_ms = 90 * DAY, DAY, 366 * DAY;
}

impl Params {
    /// Whether a network on which something is worth something may have these numbers.
    #[must_use]
    pub fn are_sound(&self) -> bool {
        let within = |name: &&str| {
            let (value, bounds) = (self.get(name), Self::bounds(name));
            value
                .zip(bounds)
                .is_some_and(|(value, (floor, cap))| (floor..=cap).contains(&value))
        };
        Self::NAMES.iter().all(within) && self.fit()
    }

    /// Whether the numbers fit each other, beside the bounds of each: what a theorem of `docs/protocol.md` needs
    /// of two or more of them.
    #[must_use]
    pub fn fit(&self) -> bool {
        let (p, fee) = (
            u128::from(self.sample_permille),
            u128::from(self.attest_fee),
        );
        let due = u128::from(self.due);
        let jury = u128::from(self.jury_size) * fee;
        let m = u128::from(self.fine_multiple);
        let (convicting, wrong, juries) = juries(self.jury_size, self.jury_quorum);
        self.min_lifetime_ms <= self.max_lifetime_ms
            // who is away for less than A can still settle, and is out of jail after their own tickets end
            && self.answer_window_ms <= self.settle_grace_ms
            && self.slash_delay_ms <= self.unbonding_ms
            && self.dispute_window_ms.saturating_add(self.answer_window_ms) <= self.jail_ms
            // the pool grows
            && due * 4 * 1_000 >= 5 * p * fee
            // the fine of the smallest ticket pays a jury, and so do an examiner's fine and a bond
            && m * 4 * due >= jury
            && u128::from(self.examiner_fine) >= jury
            && u128::from(self.challenge_bond) >= jury
            && self.attest_deposit >= self.examiner_fine.saturating_mul(2)
            // whoever can be fined as an examiner can be as a juror, or stacks were sold that no jury could be drawn for
            && self.juror_fine <= self.examiner_fine
            // theorem 12: an answer that saves 0.8 of the price doesn't pay while a third of the attesters' weight lies,
            // `caught (1 + m) >= 0.8` with `caught = p * 2/3 * convicting / juries`: who is caught has saved it, too
            && p * convicting * (m + 1) >= 1_200 * juries
            // theorem 3: nor does accusing an honest node, which gains what comes back where a jury is the liars', and costs the
            // bond where it acquits
            && u128::from(self.challenge_bond_permille) * convicting >= 1_000 * wrong
            // neither a minority nor two sides can decide
            && self.jury_quorum * 2 > self.jury_size
            && self.min_attesters >= self.jury_size + 2
    }
}

/// While a third of the weight lies: of so many equally likely juries, those in which a quorum doesn't, and those in which a
/// quorum does. Of five of seven 1,248 and 99 in 2,187.
fn juries(size: u64, quorum: u64) -> (u128, u128, u128) {
    // C(size, honest) * 2^honest
    let mut ways = 1;
    let (mut convicting, mut wrong, mut all) = (0, 0, 0);
    for honest in 0..=size {
        if honest >= quorum {
            convicting += ways;
        }
        if honest + quorum <= size {
            wrong += ways;
        }
        all += ways;
        ways = ways * 2 * u128::from(size - honest) / u128::from(honest + 1);
    }
    (convicting, wrong, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_within_bounds_and_fit_each_other() {
        let params = Params::default();
        assert!(params.are_sound());
        let short = Params {
            answer_window_ms: 1,
            ..params
        };
        assert!(short.fit() && !short.are_sound());
        assert_eq!(Params::bounds("nonsense"), None);
    }

    #[test]
    fn rate_multiple_and_jury_deter_together() {
        assert_eq!(juries(7, 5), (1_248, 99, 2_187));
        let fits = |sample_permille, fine_multiple, jury_quorum| {
            // a due that is large enough for every rate
            let due = 10 * USDC;
            let defaults = Params::default();
            Params {
                sample_permille,
                fine_multiple,
                jury_quorum,
                due,
                ..defaults
            }
            .fit()
        };
        // each is at its floor, or both are just not
        assert!(!fits(50, 5, 5));
        for (p, m) in [(351, 5), (211, 9), (192, 10), (68, 30)] {
            assert!(p * (m + 1) >= 2_103 && (p - 1) * (m + 1) < 2_103);
            assert!(fits(p, m, 5) && !fits(p - 1, m, 5));
        }
        // a jury that must be of one mind convicts too seldom; more than all of it never
        assert!(
            !fits(200, 10, 6) && fits(200, 30, 6) && !fits(1_000, 10, 7) && !fits(1_000, 30, 8)
        );
    }

    #[test]
    fn bcs_is_eight_bytes_each() {
        let bytes = bcs::to_bytes(&Params::default()).unwrap();
        assert_eq!(bytes.len(), 8 * Params::NAMES.len());
    }
}
