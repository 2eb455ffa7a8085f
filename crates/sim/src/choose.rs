//! The parameters that follow: of those under which no strategy pays, the ones that cost honest parties least.

use crate::{
    closed::{at_least, most_saving},
    market::Market,
};
use atoma_types::chain::Params;

/// The share of false weight that deterrence must still hold at.
const FALSE_SHARE: f64 = 1.0 / 3.0;
/// The share that a jury must withstand by itself.
const JURY_SHARE: f64 = 0.2;
/// How often such a share may find an honest node guilty.
const JURY_CAPTURED: f64 = 0.005;
/// How often an honest rest must convict in spite of it.
const JURY_CONVICTS: f64 = 0.85;
/// How long what is served lies unpaid, days: a day until it is settled, and the window, and the rest of a stack.
const OPEN_DAYS: f64 = 3.0;
/// Rates that are considered, thousandths.
const RATES: [u64; 8] = [50, 100, 150, 200, 250, 300, 400, 500];
/// Multiples that are considered.
const MULTIPLES: [u64; 8] = [5, 8, 10, 12, 15, 20, 25, 30];

/// A pair of rate and multiple, and what it costs an honest node, in millionths of what it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// How many of a thousand tickets are examined.
    pub sample_permille: u64,
    /// The fine's multiple.
    pub fine_multiple: u64,
    /// Dues, and interest on the collateral that fines need.
    pub cost: u64,
    /// Whether the largest saving doesn't pay.
    pub deters: bool,
}

/// What a due must be, by the rate and the fee: a quarter above what an examination costs on average.
#[must_use]
pub fn due(sample_permille: u64, attest_fee: u64) -> u64 {
    sample_permille * attest_fee * 5 / 4_000
}

/// All pairs, for tickets of this value.
#[must_use]
pub fn pairs(market: &Market, ticket: u64) -> Vec<Pair> {
    let fee = market.gas * 5;
    let saving = market.saving_permille as f64 / 1_000.0;
    let interest = market.interest_permille as f64 / 1_000.0;
    let mut pairs = Vec::new();
    for sample_permille in RATES {
        for fine_multiple in MULTIPLES {
            let params = Params {
                sample_permille,
                fine_multiple,
                ..Params::default()
            };
            let dues = due(sample_permille, fee) as f64 / ticket as f64;
            let held = fine_multiple as f64 * OPEN_DAYS * interest / 365.0;
            pairs.push(Pair {
                sample_permille,
                fine_multiple,
                cost: ((dues + held) * 1e6) as u64,
                deters: most_saving(&params, FALSE_SHARE) > saving,
            });
        }
    }
    pairs
}

/// The smallest jury that a fifth of the weight neither captures nor hangs too often.
#[must_use]
pub fn jury() -> (u64, u64) {
    let sizes = (3..=9).flat_map(|size| (size / 2 + 1..=size).map(move |quorum| (size, quorum)));
    let fits = |&(size, quorum): &(u64, u64)| {
        at_least(size, quorum, JURY_SHARE) <= JURY_CAPTURED
            && at_least(size, quorum, 1.0 - JURY_SHARE) >= JURY_CONVICTS
    };
    sizes.into_iter().find(fits).unwrap_or((9, 6))
}

/// The parameters that follow from the assumptions; those that nothing here decides are as they are.
#[must_use]
pub fn parameters(market: &Market) -> Params {
    let pairs = pairs(market, market.settle_least);
    let best = pairs
        .iter()
        .filter(|pair| pair.deters)
        .min_by_key(|pair| (pair.cost, pair.fine_multiple));
    let (jury_size, jury_quorum) = jury();
    let mut params = Params::default();
    if let Some(pair) = best {
        params.sample_permille = pair.sample_permille;
        params.fine_multiple = pair.fine_multiple;
    }
    // gas for its calls, the work, and a gain
    params.attest_fee = market.gas * 5;
    params.due = due(params.sample_permille, params.attest_fee);
    (params.jury_size, params.jury_quorum) = (jury_size, jury_quorum);
    // an examiner, a jury, one to spare
    params.min_attesters = jury_size + 2;
    // what an answer costs
    params.demand_fee = market.gas;
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_from_the_assumptions_is_the_default() {
        assert_eq!(parameters(&Market::default()), Params::default());
        assert!(Params::default().are_sound());
    }

    #[test]
    fn the_floors_alone_deter_nobody_together() {
        let pairs = pairs(&Market::default(), 2_000_000);
        let floors = pairs
            .iter()
            .find(|pair| pair.sample_permille == 50 && pair.fine_multiple == 5);
        assert!(floors.is_some_and(|pair| !pair.deters));
    }
}
