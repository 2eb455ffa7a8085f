//! Each check is broken in one place, and fails alone.

use super::*;
use crate::sample::{Plan, Sample, operator};
use crate::second::SecondRecord;
use atoma_keys::SigningKey;
use atoma_types::{Address, ComputeUnits, StackId, TaskId, hash::Hash32, message::Signed};
use atoma_walrus::{
    BlobId,
    coding::{Params, blob_id},
};
use bytes::Bytes;
use std::sync::Arc;

fn failed(gathered: &Gathered) -> Vec<CheckKind> {
    check(gathered).failed().map(|check| check.kind).collect()
}

/// What spoils the second request before it is signed and stored.
fn planned() -> Vec<(CheckKind, Plan)> {
    let stranger = || SigningKey::from_seed(&[99; 32]);
    let by = |change: fn(&mut Plan)| {
        let mut plan = Plan::default();
        change(&mut plan);
        plan
    };
    vec![
        (
            CheckKind::Header,
            Plan {
                user: stranger(),
                ..Plan::default()
            },
        ),
        (
            CheckKind::Receipt,
            Plan {
                operator: stranger(),
                ..Plan::default()
            },
        ),
        (
            CheckKind::Parties,
            by(|plan| plan.header = |header| header.task = TaskId(Address::new([9; 32]))),
        ),
        (
            CheckKind::Parties,
            by(|plan| plan.receipt = |receipt| receipt.network.0[0] ^= 1),
        ),
        (
            CheckKind::Request,
            by(|plan| plan.receipt = |receipt| receipt.request_hash = Hash32([9; 32])),
        ),
        (
            CheckKind::Request,
            by(|plan| plan.receipt = |receipt| receipt.request_id.0[0] ^= 1),
        ),
        (
            CheckKind::Body,
            by(|plan| plan.header = |header| header.body_hash = Hash32([9; 32])),
        ),
        (
            CheckKind::Answer,
            by(|plan| plan.receipt = |receipt| receipt.response_hash = Hash32([9; 32])),
        ),
        (
            CheckKind::Engine,
            by(|plan| plan.receipt = |receipt| receipt.engine.model = Hash32([9; 32])),
        ),
        (
            CheckKind::Units,
            by(|plan| plan.receipt = |receipt| receipt.usage.output -= 1),
        ),
        (
            CheckKind::Units,
            by(|plan| plan.header = |header| header.max_units = ComputeUnits(499)),
        ),
        (
            CheckKind::Place,
            by(|plan| plan.receipt = |receipt| receipt.previous = Hash32::ZERO),
        ),
    ]
}

/// A way to spoil a sample.
type Spoil = fn(&Sample, &mut Gathered);

/// What spoils something around it.
fn spoilt() -> Vec<(CheckKind, Spoil)> {
    vec![
        (CheckKind::Neighbours, |sample, g| {
            let mut other = sample.exchanges[0].1.message().clone();
            other.times.finished_ms.0 += 1;
            g.neighbours[0].receipt = Signed::new(other, &operator());
        }),
        (CheckKind::Neighbours, |sample, g| {
            // a second receipt for the same place, after good ones that contradict it as well
            let mut other = sample.exchanges[1].1.message().clone();
            other.times.finished_ms.0 += 1;
            g.neighbours.push(Neighbour {
                receipt: Signed::new(other, &operator()),
                kept: false,
            });
        }),
        (CheckKind::Record, |sample, g| {
            g.record = Ok(sample.records[0].clone());
            g.place = Ok(sample.places[0].clone());
        }),
        (CheckKind::Record, |_, g| {
            g.record = Ok(Bytes::from_static(b"no record"));
        }),
        (CheckKind::Pack, |_, g| {
            g.place.as_mut().unwrap().path.path[0].0[0] ^= 1;
        }),
        (CheckKind::Blob, |sample, g| {
            let mut flipped = sample.pack.to_vec();
            flipped[2_000] ^= 1;
            let id = blob_id(Params::new(10).unwrap(), &flipped).unwrap();
            g.pack = Ok(Arc::new(PackBytes {
                id,
                ..sample.bytes.clone()
            }));
        }),
        (CheckKind::Blob, |_, g| {
            let range = &mut g.place.as_mut().unwrap().range;
            *range = range.start + 1..range.end + 1;
        }),
        (CheckKind::Certified, |_, g| {
            g.certified.as_mut().unwrap().deletable = true;
        }),
        (CheckKind::Certified, |_, g| {
            g.certified.as_mut().unwrap().certified_epoch = None;
        }),
        (CheckKind::Certified, |_, g| {
            g.certified.as_mut().unwrap().now = 5;
        }),
        (CheckKind::Certified, |_, g| {
            g.certified.as_mut().unwrap().blob_id = BlobId([9; 32]);
        }),
        (CheckKind::Certified, |_, g| {
            g.certified.as_mut().unwrap().size += 1;
        }),
        (CheckKind::Settled, |_, g| {
            g.settlement.as_mut().unwrap().last.history.0[0] ^= 1;
        }),
        (CheckKind::Settled, |_, g| {
            g.path.as_mut().unwrap().index = 0;
        }),
        (CheckKind::Settled, |_, g| {
            g.settlement.as_mut().unwrap().last.seq = 4;
        }),
        (CheckKind::Claim, |_, g| {
            g.settlement.as_mut().unwrap().units = ComputeUnits(1_499);
        }),
        (CheckKind::Header, |_, g| {
            g.stack = Err(Gap::broken("the ledger has no such stack"));
        }),
        (CheckKind::Receipt, |_, g| {
            g.receipt = Err(Gap::broken("not a receipt"));
        }),
        (CheckKind::Answer, |_, g| {
            g.answer_body = Err(Gap::broken("the seal is broken"));
        }),
        (CheckKind::Second, |sample, g| {
            let mut second = sample.second();
            second.stack.as_mut().unwrap().leases[0].key = operator().public_key();
            g.second = Some(second);
        }),
        (CheckKind::Second, |sample, g| {
            let mut second = sample.second();
            second.stack.as_mut().unwrap().leases.clear();
            g.second = Some(second);
        }),
        (CheckKind::Second, |sample, g| {
            let (header, receipt) = sample.exchanges[0].clone();
            g.second = Some(Second {
                record: SecondRecord::new(header, receipt),
                ..sample.second()
            });
        }),
        (CheckKind::Computation, |_, g| {
            g.recomputed = Some(Err(Gap::broken("the model refuses the prompt")));
        }),
    ]
}

#[test]
fn good_evidence_holds() {
    let report = check(&Sample::new(&Plan::default()).gathered());
    assert_eq!(report.verdict(), Verdict::Holds, "{report:#?}");
    // all but the computation, which nobody has repeated, and another node's record, which there is none of
    assert_eq!(report.checks.len(), CheckKind::ALL.len() - 2);
    assert_eq!(report.subject.unwrap().seq, Some(2));
}

#[test]
fn a_request_that_was_passed_on_holds_with_both_records() {
    let sample = Sample::new(&Plan::default());
    let mut gathered = sample.gathered();
    gathered.second = Some(sample.second());
    let report = check(&gathered);
    assert_eq!(report.verdict(), Verdict::Holds, "{report:#?}");
    let kinds = report.passed().map(|check| check.kind);
    assert!(kinds.collect::<Vec<_>>().contains(&CheckKind::Second));
}

#[test]
fn whatever_is_broken_fails_just_its_check() {
    let mut seen = Vec::new();
    for (kind, plan) in planned() {
        let found = failed(&Sample::new(&plan).gathered());
        assert_eq!(found, [kind]);
        seen.push(kind);
    }
    let sample = Sample::new(&Plan::default());
    for (number, (kind, spoil)) in spoilt().into_iter().enumerate() {
        let mut gathered = sample.gathered();
        spoil(&sample, &mut gathered);
        assert_eq!(failed(&gathered), [kind], "number {number}");
        seen.push(kind);
    }
    for kind in CheckKind::ALL {
        assert!(seen.contains(kind), "{kind:?} was never broken");
    }
}

#[test]
fn the_last_receipt_must_make_the_claim() {
    let sample = Sample::new(&Plan::default());
    let mut gathered = sample.gathered();
    let (header, receipt) = sample.exchanges[2].clone();
    gathered.receipt = Ok(receipt);
    gathered.header = Ok(header);
    let claim = |gathered: &Gathered| settled::claim(gathered);
    assert!(claim(&gathered).is_ok());
    gathered.settlement.as_mut().unwrap().units.0 += 1;
    assert!(matches!(claim(&gathered), Err(Gap::Broken(_))));
    gathered.settlement.as_mut().unwrap().last.seq = 2;
    assert!(matches!(claim(&gathered), Err(Gap::Broken(_))));
}

#[test]
fn what_was_found_by_computing_again_is_told_as_it_is() {
    let mut gathered = Sample::new(&Plan::default()).gathered();
    let found = "the model gives the same answer".to_owned();
    gathered.recomputed = Some(Ok(found.clone()));
    let passed = Outcome::Passed(found);
    assert!(
        check(&gathered)
            .checks
            .iter()
            .any(|check| { check.kind == CheckKind::Computation && check.outcome == passed })
    );
    gathered.recomputed = Some(Err(Gap::absent("its class is tolerant")));
    assert_eq!(check(&gathered).verdict(), Verdict::Incomplete);
}

#[test]
fn what_is_missing_is_skipped_with_its_reason() {
    type Take = fn(&mut Gathered, Gap);
    let takes: &[(Take, CheckKind)] = &[
        (|g, gap| g.network = Err(gap), CheckKind::Parties),
        (|g, gap| g.stack = Err(gap), CheckKind::Header),
        (|g, gap| g.node = Err(gap), CheckKind::Receipt),
        (|g, gap| g.task = Err(gap), CheckKind::Units),
        (|g, gap| g.header = Err(gap), CheckKind::Request),
        (|g, gap| g.receipt = Err(gap), CheckKind::Place),
        (|g, gap| g.request_body = Err(gap), CheckKind::Body),
        (|g, gap| g.answer_body = Err(gap), CheckKind::Answer),
        (|g, gap| g.record = Err(gap), CheckKind::Record),
        (|g, gap| g.place = Err(gap), CheckKind::Pack),
        (|g, gap| g.pack = Err(gap), CheckKind::Blob),
        (|g, gap| g.certified = Err(gap), CheckKind::Certified),
        (|g, gap| g.settlement = Err(gap), CheckKind::Claim),
        (|g, gap| g.path = Err(gap), CheckKind::Settled),
    ];
    let sample = Sample::new(&Plan::default());
    for (take, kind) in takes {
        let mut gathered = sample.gathered();
        take(&mut gathered, Gap::absent("offline"));
        let report = check(&gathered);
        assert_eq!(report.verdict(), Verdict::Incomplete, "{kind:?}");
        let skipped = report.skipped().find(|check| check.kind == *kind);
        let outcome = skipped.map(|check| check.outcome.clone());
        assert_eq!(outcome, Some(Outcome::Skipped("offline".to_owned())));
    }
    // a receipt of another lease has its own place
    let mut gathered = sample.gathered();
    let mut other = sample.exchanges[0].1.message().clone();
    (other.stack, other.seq) = (StackId(Address::new([9; 32])), 2);
    gathered.neighbours = vec![Neighbour {
        receipt: Signed::new(other, &operator()),
        kept: true,
    }];
    let made = signed::neighbours(&gathered);
    assert!(matches!(made, Err(Gap::Absent(_))), "{made:?}");
    // strangers' receipts that nobody can check count for nothing
    let mut gathered = sample.gathered();
    gathered.node = Err(Gap::absent("offline"));
    for neighbour in &mut gathered.neighbours {
        neighbour.kept = false;
    }
    let made = signed::neighbours(&gathered);
    assert!(matches!(made, Err(Gap::Absent(_))), "{made:?}");
}

#[test]
fn bodies_are_not_in_debug_output() {
    let gathered = Sample::new(&Plan::default()).gathered();
    let text = format!("{gathered:?} {:?}", check(&gathered));
    assert!(!text.contains("star"), "{text}");
}
