//! Claims for units that nobody served.

use super::Tale;
use crate::world::*;
use atoma_types::{ComputeUnits, chain::AbortCode, chain::calls, hash::Hash32};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "a5_invented_receipts_earn_no_bonds_and_cost_the_owner_its_open_orders_at_most",
        a5_invented_receipts_earn_no_bonds_and_cost_the_owner_its_open_orders_at_most,
    ),
    (
        "units_that_no_record_carries_void_the_ticket",
        units_that_no_record_carries_void_the_ticket,
    ),
    (
        "b5_eight_late_answers_save_no_bad_unit",
        b5_eight_late_answers_save_no_bad_unit,
    ),
    (
        "b5_a_watcher_may_ask_and_gains_nothing",
        b5_a_watcher_may_ask_and_gains_nothing,
    ),
    (
        "half_of_the_units_in_one_record_are_hit_by_half_of_the_draws",
        half_of_the_units_in_one_record_are_hit_by_half_of_the_draws,
    ),
];

/// A5. Edition 1: three signed requests, none answered; the node invented three receipts of `max_units`, settled, and answered
/// three demands with one small blob: $0.009 for nothing, and $3 of bonds.
#[test]
fn a5_invented_receipts_earn_no_bonds_and_cost_the_owner_its_open_orders_at_most() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    for _ in 0..3 {
        chain.serve(&w, 3_000);
    }
    w.settle(&chain);
    for unit in [0, 3_000, 6_000] {
        let call = w.demand_call(chain.stack, node, unit);
        w.ok(USER, call);
        w.ok(OPERATOR, answer_call(&chain, unit));
    }
    w.now += DAY + 1;
    let call = w.claim_call(chain.stack, node);
    w.ok(STRANGER, call);
    // O is the 9,000 units that the owner had signed for; what it paid for asking is the cost of answers
    assert_eq!(w.earnings(node), 9_000 - 90 + 3 * 20_000);
    // and it could claim no unit beyond what was signed
    let mut more = chain.clone();
    more.paid();
    more.serve_with(&w, 5_000, |header, _| header.ceiling = ComputeUnits(13_999));
    w.refused(OPERATOR, more.settle_call(), AbortCode::ClaimAboveCeilings);
}

/// A hole in the records: the last receipt claims more than the records before it carry.
#[test]
fn units_that_no_record_carries_void_the_ticket() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, 1_000);
    chain.serve_with(&w, 1_000, |header, receipt| {
        header.ceiling.0 += 2_000;
        receipt.cumulative_units.0 += 2_000;
    });
    w.settle(&chain);
    // the first unit after one record, and the last before the next
    for (unit, nearest) in [(1_000, 0), (2_999, 1)] {
        let call = w.demand_call(chain.stack, node, unit);
        w.ok(USER, call);
        let (record, proof) = chain.prove(nearest);
        let gap = calls::AnswerDemand {
            unit: ComputeUnits(unit),
            record,
            proof,
            ..answer_call(&chain, 500)
        };
        w.refused(OPERATOR, gap, AbortCode::RecordWrongUnit);
    }
    w.now += 25 * HOUR;
    let call = w.silence_call(chain.stack, node, 1_000);
    let changes = w.ok(STRANGER, call);
    assert_eq!(convictions(&changes)[0].4, 5 * USDC + 40_000);
}

/// B5. Edition 1: answers in the last moment closed the window, so that of many records at most eight could be asked for. One is
/// enough now: a unit, not a record of the node's choosing, and the whole ticket is void.
#[test]
fn b5_eight_late_answers_save_no_bad_unit() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    for place in 0..20 {
        chain.serve_with(&w, 1_000, |_, receipt| {
            if place == 13 {
                receipt.request_hash = Hash32([1; 32]);
            }
        });
    }
    w.settle(&chain);
    let opened = w.now;
    for unit in 0..8 {
        let call = w.demand_call(chain.stack, node, unit);
        w.ok(USER, call);
    }
    let call = w.demand_call(chain.stack, node, 13_500);
    w.refused(USER, call.clone(), AbortCode::DemandsFull);
    w.now = opened + DAY;
    w.ok(OPERATOR, answer_call(&chain, 0));
    // the window is open for as long as an answer can take
    w.ok(USER, call);
    w.refused(
        OPERATOR,
        answer_call(&chain, 13_500),
        AbortCode::ReceiptWrongRequest,
    );
    for unit in 1..8 {
        w.ok(OPERATOR, answer_call(&chain, unit));
    }
    w.now += DAY + 1;
    let call = w.claim_call(chain.stack, node);
    w.refused(OPERATOR, call, AbortCode::DemandOpen);
    let call = w.silence_call(chain.stack, node, 13_500);
    w.ok(STRANGER, call);
}

/// B5. Edition 1: only the owner could ask.
#[test]
fn b5_a_watcher_may_ask_and_gains_nothing() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, 1_000);
    w.settle(&chain);
    let call = w.demand_call(chain.stack, node, 1);
    w.refused(WATCHER, call.clone(), AbortCode::NotWatcher);
    let name = calls::SetWatcher {
        stack: chain.stack.into(),
        watcher: Some(address(WATCHER)),
    };
    w.ok(USER, name);
    w.ok(WATCHER, call);
    w.now += 25 * HOUR;
    let call = w.silence_call(chain.stack, node, 1);
    let changes = w.ok(STRANGER, call);
    assert_eq!(paid_to(&changes, WATCHER), 0);
    assert_eq!(w.free(chain.stack), 5 * USDC + 20_000);
}

/// An earlier design sampled leaves by `seq`: half of the units in one record of a thousand were found in 3 % of the samples.
/// (Checkpoints laundered the rest: there are none.)
#[test]
fn half_of_the_units_in_one_record_are_hit_by_half_of_the_draws() {
    let mut w = World::new();
    let task = w.sampling_task(atoma_types::Rule::Exact, 10);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    for _ in 0..20 {
        chain.serve(&w, 50_000);
    }
    chain.serve(&w, USDC);
    w.settle(&chain);
    let before = w.clone();
    let mut large = 0;
    let hits: Vec<_> = (0..4_000u64)
        .map(|n| Hash32::of(&n.to_le_bytes()).0)
        .filter(is_hit)
        .collect();
    for seed in &hits {
        let mut w = before.clone();
        w.beacon = Some(*seed);
        w.run_unchecked(STRANGER, draw_call(chain.stack, node, chain.seq))
            .unwrap();
        let call = w.examine_call(chain.stack, node, chain.seq);
        w.run_unchecked(STRANGER, call).unwrap();
        let ticket = w.ticket_of(chain.stack, node).unwrap();
        if let atoma_types::chain::Exam::Hit(hit) = &ticket.exam {
            large += usize::from(hit.unit.0 >= USDC);
        }
    }
    let share = large * 100 / hits.len();
    assert!((45..=55).contains(&share), "{share} %");
    // one ticket in five, whatever it is worth
    let rate = hits.len() * 100 / 4_000;
    assert!((18..=22).contains(&rate), "{rate} %");
}
