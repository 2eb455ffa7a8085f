//! What is examined, and how often: ways to keep a bad record out of it.

use super::{Tale, examiners::sampled};
use crate::world::*;
use atoma_types::{
    ComputeUnits, Rule as Comparison,
    chain::{AbortCode, Exam, calls},
    hash::Hash32,
};

/// For the tape.
pub(crate) const TALES: &[Tale] = &[
    (
        "no_checkpoint_launders_a_bad_record",
        no_checkpoint_launders_a_bad_record,
    ),
    (
        "a_small_lease_is_examined_as_often_and_fined_as_hard_as_a_large_one",
        a_small_lease_is_examined_as_often_and_fined_as_hard_as_a_large_one,
    ),
];

/// An earlier design had checkpoints: a node moved the place at which its next claim began, and nothing opened for what lay before it. It made
/// one after each bad stretch, and what could be asked for, or drawn, was clean. Now the place moves by a ticket alone, with a
/// window and a draw of its own, and whatever is settled after it hurries nothing.
#[test]
fn no_checkpoint_launders_a_bad_record() {
    let (mut w, _, chain) = sampled(10);
    let (stack, node) = (chain.stack, chain.node);
    let mut bad = Chain::new(stack, node, USER, OPERATOR);
    bad.serve_with(&w, USDC, |header, _| {
        header.max_units = ComputeUnits(USDC - 1);
    });
    let mut good = bad.clone();
    good.serve(&w, USDC);
    // nothing is passed over
    let call = calls::Settle {
        from_seq: 1,
        ..good.settle_call()
    };
    w.refused(OPERATOR, call, AbortCode::FromMismatch);
    // a settlement of the bad record alone is a ticket like any other, and the good one after it is another
    w.settle(&bad);
    let mut next = bad.clone();
    next.paid();
    next.serve(&w, USDC);
    w.settle(&next);
    w.draw(&next, false);
    let claim = w.claim_call(stack, node);
    w.refused(OPERATOR, claim.clone(), AbortCode::WindowNotOver);
    let mut third = next.clone();
    third.claimed();
    third.serve(&w, USDC);
    w.refused(OPERATOR, third.settle_call(), AbortCode::TicketOpen);
    // it is drawn for itself, and who only waits isn't paid
    let mut later = w.clone();
    later.now += DAY + 1;
    later.refused(OPERATOR, claim.clone(), AbortCode::ExamOpen);
    later.draw(&bad, true);
    let (unit, _) = later.examine(&bad);
    let call = disclose_call(&bad, unit);
    later.refused(OPERATOR, call, AbortCode::RecordOverOrder);
    // it can be asked for to the last moment of its window, however much was settled since, and takes all with it
    w.now += DAY;
    let call = w.demand_call(stack, node, 5);
    w.ok(USER, call);
    w.refused(OPERATOR, answer_call(&bad, 5), AbortCode::RecordOverOrder);
    w.now += DAY + 1;
    w.refused(OPERATOR, claim, AbortCode::DemandOpen);
    let call = w.silence_call(stack, node, 5);
    let changes = w.ok(STRANGER, call);
    let all = 2 * USDC;
    assert_eq!(convictions(&changes)[0].2, 10 * all);
    assert_eq!(w.free(stack), 5 * USDC + 20_000);
    assert_eq!(w.earnings(node), 0);
}

/// An earlier design examined the more often the more a ticket was worth: whoever split one large lease into many of $0.05 gained 55 % by
/// cheating. Now a seed that hits one ticket hits every other, the fine is the same multiple of each, and what is too
/// small to pay for its examination isn't settled.
#[test]
fn a_small_lease_is_examined_as_often_and_fined_as_hard_as_a_large_one() {
    let mut w = World::new();
    let task = w.sampling_task(Comparison::Exact, 10);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut dust = w.leased(OPERATOR, task, node, USDC);
    dust.serve(&w, 50_000);
    w.refused(OPERATOR, dust.settle_call(), AbortCode::TicketTooSmall);
    let [small, large] = [100_000, 80 * USDC].map(|units| {
        let mut chain = w.leased(OPERATOR, task, node, units);
        chain.serve(&w, units);
        w.settle(&chain);
        (chain, units)
    });
    let hits = |chain: &Chain, seed: [u8; 32]| {
        let mut w = w.clone();
        w.beacon = Some(seed);
        w.run_unchecked(STRANGER, draw_call(chain.stack, node, chain.seq))
            .unwrap();
        let call = w.examine_call(chain.stack, node, chain.seq);
        let examined = w.run_unchecked(STRANGER, call).is_ok();
        let ticket = w.ticket_of(chain.stack, node).unwrap();
        assert_eq!(examined, matches!(ticket.exam, Exam::Hit(_)));
        examined
    };
    let mut rate = 0;
    for number in 0..200u64 {
        let seed = Hash32::of(&number.to_le_bytes()).0;
        assert_eq!(hits(&small.0, seed), hits(&large.0, seed));
        rate += u64::from(hits(&small.0, seed));
    }
    assert!((30..=50).contains(&rate), "{rate} of 200");
    for (chain, units) in [small, large] {
        w.draw(&chain, true);
        w.examine(&chain);
        w.now += DAY + 1;
        let call = w.undisclosed_call(chain.stack, node);
        let changes = w.ok(STRANGER, call);
        assert_eq!(convictions(&changes)[0].2, 10 * units);
    }
}
