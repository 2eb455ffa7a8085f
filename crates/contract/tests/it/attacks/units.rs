//! Claims for units that nobody served.

use super::Tale;
use crate::world::*;
use atoma_types::{
    ComputeUnits, RequestId, Rule,
    chain::{AbortCode, calls},
    hash::Hash32,
    history::ReceiptTree,
    message::{EvidenceLeaf, MessageSignature, Receipt, Signed},
};

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
    (
        "copies_of_one_good_record_hang_on_no_receipt_that_their_user_holds",
        copies_of_one_good_record_hang_on_no_receipt_that_their_user_holds,
    ),
    (
        "copies_behind_two_numbers_that_nobody_holds_convict_by_two_that_are_shown",
        copies_behind_two_numbers_that_nobody_holds_convict_by_two_that_are_shown,
    ),
    (
        "no_history_leaves_a_record_out",
        no_history_leaves_a_record_out,
    ),
    (
        "a_record_of_an_earlier_ticket_backs_no_unit",
        a_record_of_an_earlier_ticket_backs_no_unit,
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

/// The rules before these: a settlement brought a root of its own, which the ledger held against nothing. A node that had served
/// one request well and four of any kind settled, under its user's own last receipt, the root over five copies of the
/// good record, signed again under the others' numbers. Every examination found a good record, and its user, who compared
/// the last receipt, found its own. Now the last receipt binds the others itself.
#[test]
fn copies_of_one_good_record_hang_on_no_receipt_that_their_user_holds() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    for _ in 0..5 {
        chain.serve(&w, 1_000);
    }
    let good = EvidenceLeaf::from_bytes(&chain.records[0].0).unwrap();
    let signature = MessageSignature::try_from(good.receipt_signature.as_slice()).unwrap();
    let first = Signed::<Receipt>::decode(good.receipt.clone(), signature).unwrap();
    let mut hashes = Vec::new();
    let copies: Vec<_> = (1..=5)
        .map(|seq| {
            let tree = ReceiptTree::new(0, hashes.iter().copied().chain([Hash32::ZERO]));
            let copy = Receipt {
                seq,
                cumulative_units: ComputeUnits(1_000 * seq),
                previous: hashes.last().copied().unwrap_or_default(),
                history: tree.unwrap().last().history,
                ..first.message().clone()
            };
            let copy = Signed::new(copy, &key(OPERATOR));
            hashes.push(copy.hash());
            copy
        })
        .collect();
    let copied = ReceiptTree::new(0, hashes).unwrap();
    let answer = |place: usize, proof: Vec<u8>| calls::AnswerDemand {
        record: EvidenceLeaf {
            receipt: copies[place].bytes().to_vec(),
            receipt_signature: copies[place].signature().to_bytes(),
            ..good.clone()
        }
        .to_bytes(),
        proof,
        ..answer_call(&chain, 1_000 * place as u64 + 500)
    };

    // under the last receipt that its user holds it can show no copy but the record itself
    let before = w.clone();
    w.settle(&chain);
    assert_eq!(
        w.ticket_of(chain.stack, node).unwrap().last,
        chain.last_hash()
    );
    for place in 1..5 {
        let mut w = w.clone();
        let call = w.demand_call(chain.stack, node, 1_000 * place as u64 + 500);
        w.ok(USER, call);
        let seq = place as u64 + 1;
        for proof in [copied.prove(seq).unwrap().to_bytes(), chain.path(seq)] {
            w.refused(OPERATOR, answer(place, proof), AbortCode::ProofFails);
        }
        w.now += 25 * HOUR;
        let call = w.silence_call(chain.stack, node, 1_000 * place as u64 + 500);
        w.ok(STRANGER, call);
        assert_eq!(w.earnings(node), 0);
    }

    // so it settles by a last receipt of its own, which its user doesn't hold; the first copy that is shown convicts it
    let mut w = before;
    let settle = calls::Settle {
        last_receipt: copies[4].bytes().to_vec(),
        receipt_signature: copies[4].signature().to_bytes(),
        ..chain.settle_call()
    };
    w.ok(OPERATOR, settle);
    assert_ne!(
        w.ticket_of(chain.stack, node).unwrap().last,
        chain.last_hash()
    );
    let call = w.demand_call(chain.stack, node, 2_500);
    w.ok(USER, call);
    w.ok(OPERATOR, answer(2, copied.prove(3).unwrap().to_bytes()));
    let receipt =
        |signed: &Signed<Receipt>| (signed.bytes().to_vec(), signed.signature().to_bytes());
    let call = w.equivocation_call(chain.stack, node, receipt(&first), receipt(&copies[2]));
    w.ok(USER, call);
    assert_eq!(w.collateral(node), 1_000 * USDC - 10 * 5_000);
}

/// A client before these rules took histories on trust after two receipts in a row that it didn't hold. So a node let two empty
/// numbers pass that nobody held, named, in the very last receipt that its user had, a history over copies of the record of a
/// request that it had refused, and answered its examiner after the dispute window with one. No rule of the ledger can see
/// it: a copy is a proper record. So a client signs nothing more where receipts never came and aren't shown, and demands by
/// lot within the window: a copy is one receipt for the refused request, and two are one too many.
#[test]
fn copies_behind_two_numbers_that_nobody_holds_convict_by_two_that_are_shown() {
    let mut w = World::new();
    let task = w.sampling_task(Rule::Exact, 10);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    let size = 100_000;
    // signed by its user, refused, and answered well all the same
    let mut other = chain.clone();
    other.serve_with(&w, size, |header, receipt| {
        header.request_id = RequestId([9; 16]);
        receipt.request_id = header.request_id;
    });
    let good = EvidenceLeaf::from_bytes(&other.records[0].0).unwrap();
    let signature = MessageSignature::try_from(good.receipt_signature.as_slice()).unwrap();
    let refused = Signed::<Receipt>::decode(good.receipt.clone(), signature).unwrap();
    // of twelve its user holds the first and the last nine; the others charge nothing
    let mut sum = 0;
    let copies = (1..=11).map(|seq| {
        let units = if seq == 2 || seq == 3 { 0 } else { size };
        sum += units;
        let copy = Receipt {
            seq,
            units: ComputeUnits(units),
            cumulative_units: ComputeUnits(sum),
            ..refused.message().clone()
        };
        Signed::new(copy, &key(OPERATOR))
    });
    let copies: Vec<_> = copies.collect();
    let hashes = |last| ReceiptTree::new(0, copies.iter().map(Signed::hash).chain([last])).unwrap();
    let history = hashes(Hash32::ZERO).last().history;
    for copy in &copies {
        chain.serve(&w, copy.message().units.0);
    }
    chain.serve_with(&w, size, |_, receipt| receipt.history = history);
    w.settle(&chain);
    assert_eq!(
        w.ticket_of(chain.stack, node).unwrap().last,
        chain.last_hash()
    );
    let opened = w.now;
    let copy_of = |unit: u64| {
        let covers = |copy: &Signed<Receipt>| unit < copy.message().cumulative_units.0;
        let place = copies.iter().position(covers).unwrap();
        let record = EvidenceLeaf {
            receipt: copies[place].bytes().to_vec(),
            receipt_signature: copies[place].signature().to_bytes(),
            ..good.clone()
        };
        let proof = hashes(chain.last_hash()).prove(place as u64 + 1);
        let shown = (
            copies[place].bytes().to_vec(),
            copies[place].signature().to_bytes(),
        );
        (record.to_bytes(), proof.unwrap().to_bytes(), shown)
    };
    let demanded = w.clone();

    // nobody demands within the window: the copy is proper, and is paid for
    w.now += 1_000;
    w.draw(&chain, true);
    let (unit, examiner) = w.examine(&chain);
    w.now = opened + DAY + 500;
    let disclosed = disclose_call(&chain, unit);
    if unit < sum_of(&copies) {
        let (record, proof, _) = copy_of(unit);
        let copy = calls::Disclose {
            record,
            proof,
            ..disclosed
        };
        w.ok(OPERATOR, copy);
    } else {
        w.ok(OPERATOR, disclosed);
    }
    let late = w.demand_call(chain.stack, node, 500);
    w.refused(USER, late, AbortCode::WindowOver);
    w.ok(examiner, verdict_call(chain.stack, node, chain.seq, false));
    let call = w.claim_call(chain.stack, node);
    w.ok(STRANGER, call);

    // two demands within it: neither the kept records nor others can be shown, and two copies convict
    let mut w = demanded;
    let units = [size + 500, 5 * size + 500];
    for unit in units {
        let call = w.demand_call(chain.stack, node, unit);
        w.ok(USER, call);
        w.refused(OPERATOR, answer_call(&chain, unit), AbortCode::ProofFails);
    }
    let mut shown = Vec::new();
    for unit in units {
        let (record, proof, receipt) = copy_of(unit);
        let copy = calls::AnswerDemand {
            record,
            proof,
            ..answer_call(&chain, unit)
        };
        w.ok(OPERATOR, copy);
        shown.push(receipt);
    }
    let [first, second] = [shown[0].clone(), shown[1].clone()];
    let call = w.equivocation_call(chain.stack, node, first, second);
    w.ok(USER, call);
    assert_eq!(w.earnings(node), 2 * 20_000, "what its answers cost");
    assert!(w.collateral(node) < 1_000 * USDC);
}

fn sum_of(copies: &[Signed<Receipt>]) -> u64 {
    copies.last().unwrap().message().cumulative_units.0
}

/// A node would leave out a record that backs nothing: its last receipt's history begins after it.
#[test]
fn no_history_leaves_a_record_out() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&w, 1_000);
    let honest = chain.clone();
    chain.serve_with(&w, 1_000, |_, receipt| receipt.usage.output -= 1);
    chain.serve_with(&w, 1_000, |_, receipt| {
        receipt.base = 2;
        receipt.history = Hash32::ZERO;
    });
    w.refused(OPERATOR, chain.settle_call(), AbortCode::HistoryTooShort);
    // nor does it when what is before is claimed
    w.settle(&honest);
    let rest = calls::Settle {
        from_seq: 1,
        ..chain.settle_call()
    };
    w.refused(OPERATOR, rest, AbortCode::HistoryTooShort);
}

/// A history may begin before the ticket, with records that are paid: a node signs one of them for units that it claims
/// later, and nobody has served.
#[test]
fn a_record_of_an_earlier_ticket_backs_no_unit() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve_with(&w, 4_000, |_, receipt| {
        receipt.cumulative_units.0 = 6_000;
    });
    chain.serve_with(&w, 1_000, |_, receipt| {
        receipt.cumulative_units.0 = 2_000;
    });
    let reserve = chain.records[0].0.clone();
    w.settle(&chain);
    w.now += DAY + 1;
    let call = w.claim_call(chain.stack, node);
    w.ok(STRANGER, call);
    chain.claimed();
    chain.serve_with(&w, 1_000, |_, receipt| {
        receipt.cumulative_units.0 = 6_000;
    });
    w.settle(&chain);
    let call = w.demand_call(chain.stack, node, 3_000);
    w.ok(USER, call);
    let reserved = calls::AnswerDemand {
        unit: ComputeUnits(3_000),
        record: reserve,
        proof: chain.path(1),
        ..answer_call(&chain, 5_500)
    };
    w.refused(OPERATOR, reserved, AbortCode::ProofFails);
    w.now += 25 * HOUR;
    let call = w.silence_call(chain.stack, node, 3_000);
    w.ok(STRANGER, call);
}
