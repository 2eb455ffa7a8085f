//! Theorems 11 and 12: what money weighs, and what cheating brings.

use crate::world::*;
use atoma_contract::draw;
use proptest::prelude::*;

/// `P[Bin(n, p) >= k]`.
fn at_least(n: u32, k: u32, p: f64) -> f64 {
    (k..=n)
        .map(|i| {
            let ways = (0..i).fold(1.0, |ways, j| ways * f64::from(n - j) / f64::from(j + 1));
            ways * p.powi(i as i32) * (1.0 - p).powi((n - i) as i32)
        })
        .sum()
}

/// The chance that a cheated ticket ends in a conviction, with this share of false weight.
fn caught(p: f64, false_share: f64) -> f64 {
    p * (1.0 - false_share) * at_least(7, 5, 1.0 - false_share)
}

/// Theorem 12, closed form: the largest saving, over the price, at which cheating doesn't pay.
#[test]
fn cheating_pays_for_no_saving_that_there_is() {
    let params = World::new().db().params.clone();
    let p = params.sample_permille as f64 / 1_000.0;
    let m = params.fine_multiple as f64;
    for (share, expected) in [(0.1, 2.3), (0.2, 1.7), (1.0 / 3.0, 0.91)] {
        let caught = caught(p, share);
        let most = caught * (1.0 + m) / (1.0 - caught);
        assert!((most - expected).abs() < 0.1, "{share}: {most}");
        // a cheap, quantised or truncated model saves 0.6 to 0.8
        assert!(most > 0.8);
    }
}

/// Theorem 12 does not depend on the ticket's size: neither the rate nor the multiple does.
#[test]
fn small_and_large_tickets_are_examined_alike_and_fined_alike() {
    let w = World::new();
    let terms_of = |units: u64| {
        let mut w = w.clone();
        let task = w.sampling_task(atoma_types::Rule::Exact, 10);
        let stack = w.buy(task, units);
        w.stack(stack).terms.clone()
    };
    assert_eq!(terms_of(100_000), terms_of(1_000_000 * USDC));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Theorem 11: a wallet weighs the same in one node and in several, and whether it came at once or not.
    #[test]
    fn no_split_of_a_wallet_weighs_more(
        parts in prop::collection::vec(100u64..5_000, 2..5), whole_first in any::<bool>(),
    ) {
        let mut w = World::new();
        let task = w.create_task();
        let sum: u64 = parts.iter().sum();
        let (one, several) = if whole_first { (0, 1) } else { (1, 0) };
        let mut weights = [0u128; 2];
        for (side, weight) in weights.iter_mut().enumerate() {
            let nodes: Vec<_> = if side == one {
                let first = w.serve(OPERATOR, task, PRICE, parts[0] * USDC);
                w.ok(OPERATOR, collateral_call(first, (sum - parts[0]) * USDC));
                w.now += DAY;
                w.ok(STRANGER, sync_call(task, first));
                vec![first]
            } else {
                parts
                    .iter()
                    .map(|part| w.serve(OPERATOR + 1, task, PRICE, part * USDC))
                    .collect()
            };
            for node in nodes {
                *weight += draw::weight(w.subscription(task, node));
            }
        }
        prop_assert_eq!(weights[one], weights[several]);
    }

    /// Theorem 11: fees paid in parts bring no more reputation than fees paid at once.
    #[test]
    fn no_split_of_a_fee_brings_more_reputation(parts in prop::collection::vec(1u64..400, 1..8)) {
        let gained = |claims: &[u64]| {
            let mut w = World::new();
            let task = w.create_task();
            let node = w.serve(OPERATOR, task, PRICE, 100_000 * USDC);
            w.now = (w.now / DAY + 1) * DAY;
            let mut chains: Vec<_> = claims
                .iter()
                .map(|&units| {
                    let mut chain = w.leased(OPERATOR, task, node, units * USDC);
                    chain.serve(&w, units * USDC);
                    w.settle(&chain);
                    chain
                })
                .collect();
            w.now += DAY + 1;
            for chain in &mut chains {
                let call = w.claim_call(chain.stack, node);
                w.ok(STRANGER, call);
            }
            w.node(node).standing.reputation
        };
        let sum: u64 = parts.iter().sum();
        prop_assert!(gained(&parts) <= gained(&[sum]));
    }
}

/// Theorem 11: no cycle of one's own money has a positive return. A wallet that is user, node and attester at once, and alone, pays
/// the fee, has nine tenths of it back at most, and the dues that it pays are more than the fees that it gets for examining.
#[test]
fn a_wallet_that_trades_with_itself_loses() {
    let mut w = World::new();
    let task = w.sampling_task(atoma_types::Rule::Exact, 10);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let pool = w.task(task).dues.0;
    let mut call = w.acquire_call(task, 90 * USDC, PRICE, 0);
    call.lifetime_ms.0 = 80 * DAY;
    let stack = bought(&w.ok(USER, call));
    w.grant(OPERATOR, stack, node, 90 * USDC);
    let mut chain = Chain::new(stack, node, USER, OPERATOR);
    let mut examined = 0;
    for round in 0..60u64 {
        chain.serve(&w, USDC);
        w.settle(&chain);
        w.beacon = Some(atoma_types::hash::Hash32::of(&round.to_le_bytes()).0);
        w.ok(STRANGER, draw_call(chain.stack, node, chain.seq));
        let call = w.examine_call(chain.stack, node, chain.seq);
        if w.run(STRANGER, call).is_ok() {
            examined += 1;
            let exam = w.ticket_of(chain.stack, node).unwrap().exam.clone();
            let atoma_types::chain::Exam::Hit(hit) = exam else {
                panic!("{exam:?}");
            };
            w.ok(OPERATOR, disclose_call(&chain, hit.unit.0));
            let party = w.party(hit.examiner.owner);
            w.ok(party, verdict_call(chain.stack, node, chain.seq, false));
        }
        w.now += DAY + 1;
        let call = w.claim_call(chain.stack, node);
        w.ok(STRANGER, call);
        chain.paid();
    }
    let rounds = 60;
    let paid_in = rounds * 25_000;
    assert!(w.task(task).dues.0 + examined * 100_000 <= pool + paid_in);
}
