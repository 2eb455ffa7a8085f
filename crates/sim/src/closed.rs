//! Closed forms, beside which the simulated values stand.
//!
//! ```text
//! caught(p, a)  = p (1 - a) P[Bin(jury, 1 - a) >= quorum]        of a cheated ticket, a: false share of the weight
//! saved         = caught (1 + m)                                 the largest saving at which cheating doesn't pay: who is caught has saved, too
//! change        = saving - caught (1 + m)                        per USDC of a ticket that is cheated on as a whole
//! ```

use crate::{
    measure::Measured,
    model::{HOUR, Rules},
    network::ORDER,
    strategy::Strategy,
};
use atoma_types::chain::Params;

/// `P[Bin(n, p) >= k]`.
#[must_use]
pub fn at_least(n: u64, k: u64, p: f64) -> f64 {
    (k..=n).map(|i| exactly(n, i, p)).sum()
}

/// `P[Bin(n, p) = k]`.
fn exactly(n: u64, k: u64, p: f64) -> f64 {
    let ways = (0..k).fold(1.0, |ways, j| ways * (n - j) as f64 / (j + 1) as f64);
    ways * power(p, k) * power(1.0 - p, n - k)
}

/// By multiplications alone, so that every processor finds the same bits.
fn power(base: f64, exponent: u64) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * base)
}

/// The chance that a ticket that is wrong throughout ends in a conviction, with this share of false weight.
#[must_use]
pub fn caught(params: &Params, false_share: f64) -> f64 {
    let p = params.sample_permille as f64 / 1_000.0;
    let honest = 1.0 - false_share;
    p * honest * at_least(params.jury_size, params.jury_quorum, honest)
}

/// The largest saving, of the price, at which cheating doesn't pay.
#[must_use]
pub fn most_saving(params: &Params, false_share: f64) -> f64 {
    caught(params, false_share) * (1.0 + params.fine_multiple as f64)
}

/// The largest share of false weight at which a saving doesn't pay, in thousandths.
#[must_use]
pub fn most_false(params: &Params, saving: f64) -> u64 {
    (0..=1_000)
        .take_while(|&share| most_saving(params, share as f64 / 1_000.0) > saving)
        .last()
        .unwrap_or(0)
}

/// The least rate of tests, among examinations, at which looking pays: what is saved by not looking, over what being
/// found costs.
#[must_use]
pub fn least_tests(params: &Params, work: f64) -> f64 {
    work / (params.examiner_fine + params.attest_fee) as f64
}

/// What a wallet gains, of its collateral, that cheats on all that it may lease at this leverage: `N` tickets, each
/// caught by itself, and fines no larger than the collateral.
#[must_use]
pub fn mass_cheating(params: &Params, leverage: u64, false_share: f64, saving: f64) -> f64 {
    const TICKETS: u64 = 40;
    let n = TICKETS * leverage;
    let (q, m) = (caught(params, false_share), params.fine_multiple as f64);
    // at a leverage of one, the fines of all tickets are the collateral
    let value = 1.0 / (m * TICKETS as f64);
    let mut chance = power(1.0 - q, n);
    let mut gain = 0.0;
    for caught in 0..=n {
        let fine = (m * value * caught as f64).min(1.0);
        // a voided ticket is not paid, but its work was saved
        let paid = saving * value * n as f64 - value * caught as f64;
        gain += chance * (paid - fine);
        chance *= (n - caught) as f64 / (caught + 1) as f64 * q / (1.0 - q);
    }
    gain
}

/// How often a jury with this share of others on it decides.
fn decided(params: &Params, others: f64) -> f64 {
    at_least(params.jury_size, params.jury_quorum, 1.0 - others)
}

/// What an owner gains by challenging an honest ticket of this value, where this share of the attesters' weight is its own:
/// they convict where they are enough for it, hang the jury where they are enough for that, and else acquit with the others.
#[must_use]
pub fn accusing(rules: &Rules, share: f64, value: u64) -> f64 {
    let params = &rules.params;
    let (size, quorum) = (params.jury_size, params.jury_quorum);
    let (bond, fee) = (rules.bond(value) as f64, params.attest_fee as f64);
    let back = rules.refund(rules.bond(value)).min(value) as f64;
    let each = (0..=size).map(|liars| {
        let paid = liars as f64 * fee;
        let gain = if liars >= quorum {
            back + paid
        } else if size - liars >= quorum {
            paid - bond
        } else {
            paid - size as f64 * fee
        };
        exactly(size, liars, share) * gain
    });
    each.sum()
}

/// What a strategy gains over honesty, by the closed form; `None` where there is none. What the honest run earned of
/// each USDC, and how often things happened, is taken from it.
#[must_use]
pub fn relative(measured: &Measured) -> Option<f64> {
    let (plan, honest) = (&measured.plan, &measured.honest);
    let (market, params) = (&plan.market, &plan.rules.params);
    let profit = measured.honest_profit() as f64;
    if profit <= 0.0 {
        return None;
    }
    let paid = honest.coalition.paid as f64;
    let margin = profit / paid.max(1.0);
    let saving = market.saving_permille as f64 / 1_000.0;
    let punished = |share: f64| caught(params, share) * (1.0 + params.fine_multiple as f64);
    let share = plan.share_permille as f64 / 1_000.0;
    let gas = market.gas as f64;
    let seen = &honest.seen;
    let found = seen.tests_found as f64;
    let alarms = seen.juries as f64 - found;
    let work = honest.coalition.attesting.work as f64;
    let fee = params.attest_fee as f64;
    Some(match plan.coalition {
        Strategy::Honest => 1.0,
        Strategy::CheapModel | Strategy::SelfConvicting => 1.0 + (saving - punished(0.0)) / margin,
        Strategy::ColludingShare => 1.0 + (saving - punished(share)) / margin,
        Strategy::BribedExaminers => 1.0 + (saving - punished(share)) / margin / 2.0,
        // three sevenths of the units lie in the requests of the two largest sizes
        Strategy::Selective => 1.0 + 3.0 / 7.0 * (saving - punished(0.0)) / margin,
        Strategy::Overcounting => {
            let added = market.tolerance_permille as f64 / 1_000.0;
            let examined = if market.examined == 0 {
                0.0
            } else {
                punished(0.0)
            };
            1.0 + (added / (1.0 + added) - examined) / margin
        }
        Strategy::Withholding => {
            let kept = (market.window_requests + 1) as f64 / market.requests_per_stack as f64;
            kept / margin
        }
        Strategy::CapacityBluff => 0.75,
        Strategy::Sybil => 1.0,
        Strategy::WashTrading => {
            let washed = honest.coalition.serving.paid_in as f64 * 0.055;
            let nodes = plan.nodes as f64 * share;
            let fees = washed * params.protocol_fee_permille as f64 / 1_000.0;
            let lost = fees * (1.0 - params.rebate_permille as f64 / 1_000.0);
            let a_day = lost + nodes * (params.due as f64 + 6.0 * gas);
            1.0 - a_day * measured.outcome.days as f64 / profit
        }
        Strategy::HelpedExaminer => {
            let lost = share * found * (params.examiner_fine as f64 + fee);
            1.0 + (work - lost) / profit
        }
        Strategy::LazyExaminer => {
            let examined = params.examiner_fine as f64 + fee;
            let judged = params.jury_size as f64 * (params.juror_fine as f64 + fee);
            let lost = share * found * (examined + judged * decided(params, share));
            1.0 + (work - lost) / profit
        }
        Strategy::CopyingExaminer => {
            let duties = params.jury_size as f64 * seen.juries as f64;
            let saved = work * duties / (duties + seen.examined as f64);
            // an echo is wrong where the examiner is; a guess always
            let echoes = plan.rules.weaker.open_accusations;
            let juries = if echoes { alarms } else { seen.juries as f64 };
            let wrong = share * juries * params.jury_size as f64 * decided(params, share);
            1.0 + (saved - wrong * (params.juror_fine as f64 + fee)) / profit
        }
        Strategy::GriefingUser => {
            let each = params.demand_fee as f64 + gas;
            1.0 - measured.outcome.seen.demands as f64 * each / profit
        }
        Strategy::AccusingOwner => {
            // its jurors call twice, and look at nothing
            let calls = 1.0 + 2.0 * share * params.jury_size as f64;
            let each = accusing(&plan.rules, share, ORDER) - calls * gas;
            1.0 + measured.outcome.seen.accusations as f64 * each / profit
        }
        // what it takes from others is not counted: the simulation says how little that is
        Strategy::SquattingUser => {
            let using = &measured.outcome.coalition.using;
            1.0 - (using.gas + using.interest) as f64 / profit
        }
        Strategy::RegionalOutage => {
            1.0 - (plan.outage / HOUR) as f64 / (measured.outcome.days * 24) as f64
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_form_is_that_of_the_protocol() {
        let params = Params::default();
        for (share, expected) in [(0.1, 1.93), (0.2, 1.50), (1.0 / 3.0, 0.837)] {
            assert!((most_saving(&params, share) - expected).abs() < 0.001);
        }
        assert!((at_least(7, 5, 0.2) - 0.004_672).abs() < 1e-6);
    }

    #[test]
    fn mass_cheating_pays_at_a_leverage_of_sixteen_and_not_at_one() {
        let params = Params::default();
        assert!(mass_cheating(&params, 1, 0.2, 0.8) < 0.0);
        assert!(mass_cheating(&params, 16, 0.2, 0.8) > 0.0);
    }
}
