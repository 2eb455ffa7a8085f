use super::*;
use crate::watch::decide::{
    Missing,
    tests::{NODE, NOW, STACK, claiming, receipt},
};
use atoma_types::{
    DurationMs,
    chain::{Challenge, SamplingTerms},
    message::{Receipt, Signed},
};

const BOND: MicroUsdc = MicroUsdc(50);

/// A stack of an examined task, whose one lease claims three receipts, and the last of them.
fn examined() -> (Stack, Signed<Receipt>) {
    let last = receipt(3, 3, 10, 100);
    let mut stack = claiming(&last);
    stack.terms.sampling = Some(SamplingTerms {
        sample_permille: 200,
        due: MicroUsdc(1),
        attest_fee: MicroUsdc(1),
        verdict_window_ms: DurationMs(1),
        jury_size: 7,
        jury_quorum: 5,
        examiner_fine: MicroUsdc(10),
        juror_fine: MicroUsdc(5),
        challenge_bond: BOND,
        challenge_bond_permille: 50,
    });
    (stack, last)
}

fn wrong(seq: u64, unit: u64) -> Wrong {
    Wrong {
        stack: STACK,
        node: NODE,
        seq,
        unit: ComputeUnits(unit),
        reason: "the model says something else".to_owned(),
    }
}

/// What there is about this answer while so much may be staked.
fn found(stack: &Stack, held: &Held, wrong: Wrong, left: u64) -> Option<Remedy> {
    let lease = &stack.leases[0];
    let ticket = (&lease.tickets[0], held);
    let left = MicroUsdc(left);
    wrong_in(stack, lease, ticket, &[wrong], left, NOW).map(|wrong| wrong.remedy)
}

#[test]
fn a_wrong_answer_in_the_kept_chain_is_challenged_within_what_may_be_staked() {
    let (stack, last) = examined();
    let held = Held {
        last: vec![last.clone()],
        ..Held::default()
    };
    let remedy = |left| found(&stack, &held, wrong(2, 60), left).unwrap();
    assert_eq!(remedy(BOND.0), Remedy::Challenge(BOND));
    let left = MicroUsdc(BOND.0 - 1);
    assert_eq!(remedy(left.0), Remedy::TooDear { bond: BOND, left });
    // the next receipt names the last one as well
    let mut next = receipt(4, 4, 10, 110).message().clone();
    next.previous = last.hash();
    let next = Held {
        next: vec![Signed::new(
            next,
            &atoma_keys::SigningKey::from_seed(&[7; 32]),
        )],
        ..Held::default()
    };
    let named = found(&stack, &next, wrong(2, 60), BOND.0);
    assert_eq!(named, Some(Remedy::Challenge(BOND)));
    // what isn't proved to be of the kept chain may be of another
    let unproven = Held {
        last: vec![receipt(3, 3, 10, 100)],
        missing: Some(Missing {
            seq: 2,
            denied: false,
        }),
        ..Held::default()
    };
    let unproven = found(&stack, &unproven, wrong(2, 60), BOND.0);
    assert_eq!(unproven, Some(Remedy::Unproven));
    // another chain has another record in its place, which may be good
    let other = Held {
        before: Some(receipt(2, 2, 10, 90)),
        ..Held::default()
    };
    let elsewhere = found(&stack, &other, wrong(2, 60), BOND.0);
    assert_eq!(elsewhere, Some(Remedy::AnotherChain));
    // and so may the records that are settled beside the kept chain's last receipt
    let beside = Held {
        last: vec![last],
        other_records: true,
        ..Held::default()
    };
    let elsewhere = found(&stack, &beside, wrong(2, 60), BOND.0);
    assert_eq!(elsewhere, Some(Remedy::AnotherChain));
}

#[test]
fn what_the_ticket_does_not_claim_or_no_longer_is_left() {
    let (mut stack, last) = examined();
    let held = Held {
        last: vec![last],
        ..Held::default()
    };
    assert_eq!(found(&stack, &held, wrong(4, 60), BOND.0), None);
    assert_eq!(found(&stack, &held, wrong(2, 100), BOND.0), None);
    stack.leases[0].tickets[0].deadline_ms = TimestampMs(NOW.0 - 1);
    assert_eq!(found(&stack, &held, wrong(2, 60), BOND.0), None);
}

#[test]
fn nothing_is_staked_where_no_jury_would_see_the_answer() {
    let (stack, last) = examined();
    let held = Held {
        last: vec![last],
        ..Held::default()
    };
    let remedy = |stack: &Stack| found(stack, &held, wrong(2, 60), BOND.0).unwrap();
    let mut plain = stack.clone();
    plain.terms.sampling = None;
    assert_eq!(remedy(&plain), Remedy::NotExamined);
    let mut drawn = stack.clone();
    drawn.engine.rule = Rule::Tolerant;
    assert_eq!(remedy(&drawn), Remedy::NotChosen);
    // once a ticket, whoever did it
    let mut before = stack;
    before.leases[0].tickets[0].challenge = Some(Challenge {
        bond: MicroUsdc::ZERO,
        unit: None,
        jury: None,
        over: true,
    });
    assert_eq!(remedy(&before), Remedy::Challenged);
}
