use super::*;
use atoma_keys::SigningKey;
use atoma_types::{
    Address, DurationMs, EngineClass, MicroUsdc, NetworkId, NodeId, Numerics, Price, RequestId,
    Rule, StackId, TaskId, UnitWeights, Usage,
    chain::{Demand, Exam, Terms, VERSION},
    hash::Hash32,
    message::{Domain, RequestTimes},
};

pub(in crate::watch) const STACK: StackId = StackId(Address::new([2; 32]));
pub(in crate::watch) const NODE: NodeId = NodeId(Address::new([3; 32]));
const ENGINE: EngineClass = EngineClass {
    model: Hash32([4; 32]),
    numerics: Numerics::DetF32V1,
    rule: Rule::Exact,
};
pub(in crate::watch) const NOW: TimestampMs = TimestampMs(1_000);
const POLICY: WatchPolicy = WatchPolicy {
    lost: ComputeUnits(50),
    complete: true,
    max_fees: MAX_FEES,
    max_bonds: MicroUsdc::ZERO,
};

/// The receipt of a request: its place, its units, and their sum.
pub(in crate::watch) fn receipt(request: u8, seq: u64, units: u64, sum: u64) -> Signed<Receipt> {
    let receipt = Receipt {
        domain: Domain::default(),
        network: NetworkId([1; 32]),
        stack: STACK,
        node: NODE,
        seq,
        request_id: RequestId([request; 16]),
        request_hash: Hash32([request; 32]),
        response_hash: Hash32([9; 32]),
        usage: Usage::of_text(units, 0, 0),
        units: ComputeUnits(units),
        cumulative_units: ComputeUnits(sum),
        times: RequestTimes {
            started_ms: NOW,
            first_token_ms: NOW,
            finished_ms: NOW,
        },
        engine: ENGINE,
        output_fingerprint: None,
        previous: Hash32([seq as u8; 32]),
        base: 0,
        history: Hash32([8; 32]),
    };
    Signed::new(receipt, &SigningKey::from_seed(&[7; 32]))
}

/// A stack whose one lease claims up to this receipt, from the first unit on.
pub(in crate::watch) fn claiming(last: &Signed<Receipt>) -> Stack {
    let ticket = Ticket {
        from_units: ComputeUnits::ZERO,
        to_units: last.message().cumulative_units,
        from_seq: 0,
        to_seq: last.message().seq,
        last: last.hash(),
        base: last.message().base,
        history: last.message().history,
        manifest_blob: None,
        opened_at_ms: NOW,
        deadline_ms: NOW,
        demands: Vec::new(),
        exam: Exam::None,
        exam_jury: None,
        exam_bond: MicroUsdc::ZERO,
        challenge: None,
    };
    let key = SigningKey::from_seed(&[7; 32]).public_key();
    Stack {
        id: STACK,
        version: VERSION,
        owner: key.address(),
        watcher: None,
        task: TaskId(Address::ZERO),
        weights: UnitWeights::TEXT,
        engine: ENGINE,
        request_key: key,
        max_price: Price(1_000_000),
        terms: Terms {
            fine_multiple: 10,
            fee_permille: 10,
            dispute_window_ms: DurationMs(1),
            answer_window_ms: DurationMs(1),
            settle_grace_ms: DurationMs(1),
            demand_fee: MicroUsdc(1),
            jail_ms: DurationMs(1),
            slash_delay_ms: DurationMs(1),
            sampling: None,
        },
        ungranted: ComputeUnits::ZERO,
        nonce: 0,
        candidates: Vec::new(),
        leases: vec![Lease {
            node: NODE,
            owner: key.address(),
            key,
            price: Price(1_000_000),
            units: ComputeUnits(5_000),
            paid_units: ComputeUnits::ZERO,
            paid_seq: 0,
            last: Hash32::ZERO,
            fees: MicroUsdc::ZERO,
            tickets: vec![ticket],
            closed: false,
        }],
        escrow: MicroUsdc(5_000),
        free: MicroUsdc::ZERO,
        created_at_ms: NOW,
        expires_at_ms: NOW,
    }
}

fn decided(stack: &Stack, held: &Held) -> Vec<Act> {
    let held = std::slice::from_ref(held);
    decide(stack, &stack.leases[0], held, &POLICY, 0, NOW)
}

fn demanded(acts: &[Act]) -> Vec<u64> {
    let units = acts.iter().map(|act| match act {
        Act::Demand(claimed, _) => claimed.unit.0,
        other => panic!("{other:?}"),
    });
    units.collect()
}

#[test]
fn a_claim_on_the_kept_receipt_is_left_alone() {
    let last = receipt(3, 3, 10, 100);
    let stack = claiming(&last);
    let kept = Held {
        last: vec![last.clone()],
        ..Held::default()
    };
    assert_eq!(decided(&stack, &kept), []);
    // the next one names it, though it itself was lost
    let mut next = receipt(4, 4, 10, 110).message().clone();
    next.previous = last.hash();
    let next = Signed::new(next, &SigningKey::from_seed(&[7; 32]));
    let kept = Held {
        next: vec![next],
        ..Held::default()
    };
    assert_eq!(decided(&stack, &kept), []);
    // the last answers were lost, for no more than may be
    let kept = Held {
        before: Some(receipt(1, 1, 50, 50)),
        ..Held::default()
    };
    assert_eq!(decided(&stack, &kept), []);
}

#[test]
fn a_claim_on_another_receipt_is_demanded_twice_and_no_more_often_than_fees_allow() {
    let stack = claiming(&receipt(3, 3, 10, 100));
    let other = Held {
        last: vec![receipt(4, 3, 30, 90)],
        before: Some(receipt(2, 2, 40, 60)),
        ..Held::default()
    };
    let acts = decided(&stack, &other);
    assert_eq!(
        demanded(&acts),
        [89, 60],
        "the kept receipt's, then what follows the one before"
    );
    assert!(matches!(acts[0], Act::Demand(_, Doubt::AnotherChain)));
    let lease = &stack.leases[0];
    let with_fees = |fees, now| {
        decide(
            &stack,
            lease,
            std::slice::from_ref(&other),
            &POLICY,
            fees,
            now,
        )
    };
    assert_eq!(with_fees(MAX_FEES - 1, NOW).len(), 1);
    assert_eq!(with_fees(MAX_FEES, NOW), []);
    assert_eq!(
        with_fees(0, TimestampMs(NOW.0 + 1)),
        [],
        "the window is over"
    );

    // what a shown receipt covers isn't asked for again, nor what is asked for already
    let shown = Held {
        shown: vec![receipt(3, 3, 10, 100), receipt(5, 2, 50, 90)],
        ..other.clone()
    };
    assert_eq!(demanded(&decided(&stack, &shown)), [20, 10]);
    let mut asked = stack.clone();
    asked.leases[0].tickets[0].demands.push(Demand {
        unit: ComputeUnits(89),
        fee: MicroUsdc(1),
        deadline_ms: NOW,
    });
    assert_eq!(demanded(&decided(&asked, &other)), [60]);
}

#[test]
fn other_records_than_the_kept_ones_are_demanded_by_lot_though_the_last_receipt_is_the_kept_one() {
    let last = receipt(3, 3, 10, 100);
    let stack = claiming(&last);
    let other = Held {
        last: vec![last],
        before: Some(receipt(2, 2, 40, 90)),
        other_records: true,
        lots: [57, 1_099, 3, 4],
        ..Held::default()
    };
    let acts = decided(&stack, &other);
    assert!(matches!(acts[0], Act::Demand(_, Doubt::AnotherChain)));
    assert_eq!(demanded(&acts), [57, 10], "the second lot of 99 units");
    // what was shown isn't drawn again: 40 units are left, in two pieces, and 39 after the first lot
    let shown = Held {
        shown: vec![receipt(5, 2, 60, 90)],
        lots: [29, 33, 0, 0],
        ..other
    };
    assert_eq!(demanded(&decided(&stack, &shown)), [29, 94]);
    let all = Held {
        shown: vec![receipt(5, 2, 100, 100)],
        ..shown
    };
    assert_eq!(demanded(&decided(&stack, &all)), [] as [u64; 0]);
}

#[test]
fn units_that_no_receipt_explains_are_demanded_where_all_receipts_should_be_here() {
    let stack = claiming(&receipt(9, 9, 10, 101));
    let held = Held {
        before: Some(receipt(1, 1, 50, 50)),
        ..Held::default()
    };
    let acts = decided(&stack, &held);
    assert_eq!(demanded(&acts)[0], 50);
    let doubt = Doubt::Unexplained(ComputeUnits(51));
    assert!(matches!(&acts[0], Act::Demand(_, found) if *found == doubt));
    let elsewhere = WatchPolicy {
        complete: false,
        ..POLICY
    };
    let held = std::slice::from_ref(&held);
    assert_eq!(
        decide(&stack, &stack.leases[0], held, &elsewhere, 0, NOW),
        []
    );
}

#[test]
fn two_receipts_for_one_request_convict_whether_kept_or_shown() {
    let last = receipt(1, 9, 10, 100);
    let stack = claiming(&last);
    let kept = receipt(1, 1, 10, 10);
    let against_kept = Held {
        shown: vec![last.clone()],
        same_requests: vec![kept.clone()],
        ..Held::default()
    };
    let pair = [last.clone(), kept.clone()];
    assert_eq!(
        decided(&stack, &against_kept),
        [Act::Equivocation(Box::new(pair.clone()))]
    );
    // nothing of it is kept: two of the records that were shown
    let both_shown = Held {
        shown: vec![last.clone(), kept],
        ..Held::default()
    };
    assert_eq!(
        decided(&stack, &both_shown),
        [Act::Equivocation(Box::new(pair))]
    );
    // the ledger has shown neither
    let copy = receipt(1, 5, 10, 50);
    let both_kept = Held {
        last: vec![receipt(3, 9, 10, 100)],
        same_requests: vec![receipt(1, 1, 10, 10), copy.clone(), receipt(2, 2, 10, 20)],
        ..Held::default()
    };
    let pair = [receipt(1, 1, 10, 10), copy];
    assert_eq!(
        decided(&stack, &both_kept),
        [Act::Equivocation(Box::new(pair))]
    );
    // the same one twice is one
    let honest = Held {
        last: vec![last.clone()],
        shown: vec![last.clone()],
        same_requests: vec![last],
        ..Held::default()
    };
    assert_eq!(decided(&stack, &honest), []);
}

#[test]
fn a_node_that_is_late_is_convicted_and_costs_no_fee() {
    let last = receipt(3, 3, 10, 100);
    let mut stack = claiming(&last);
    stack.leases[0].tickets[0].demands.push(Demand {
        unit: ComputeUnits(7),
        fee: MicroUsdc(1),
        deadline_ms: TimestampMs(NOW.0 - 1),
    });
    let held = Held {
        last: vec![last],
        ..Held::default()
    };
    let held = std::slice::from_ref(&held);
    let acts = decide(&stack, &stack.leases[0], held, &POLICY, MAX_FEES, NOW);
    assert!(
        matches!(&acts[..], [Act::Overdue(due)] if due.convicts),
        "{acts:?}"
    );
}

#[test]
fn a_receipt_that_its_node_does_not_show_is_a_doubt_at_once_and_one_that_it_cannot_be_asked_for_after_half_of_the_window()
 {
    let last = receipt(3, 3, 10, 100);
    let mut stack = claiming(&last);
    let ticket = &mut stack.leases[0].tickets[0];
    ticket.deadline_ms = TimestampMs(NOW.0 + 100);
    let held = |denied| Held {
        last: vec![last.clone()],
        missing: Some(Missing { seq: 2, denied }),
        lots: [57, 1_099, 3, 4],
        ..Held::default()
    };
    let acts = |denied, complete, after| {
        let policy = WatchPolicy { complete, ..POLICY };
        let now = TimestampMs(NOW.0 + after);
        let held = held(denied);
        let held = std::slice::from_ref(&held);
        decide(&stack, &stack.leases[0], held, &policy, 0, now)
    };
    // it was asked, whoever else uses the stack
    for complete in [true, false] {
        let acts = acts(true, complete, 0);
        assert!(matches!(acts[0], Act::Demand(_, Doubt::Unproven(2))));
        assert_eq!(demanded(&acts), [57, 10, 3, 5], "each of what is left");
    }
    // it may only be away
    assert_eq!(acts(false, true, 50), []);
    assert_eq!(acts(false, true, 51).len(), LOTS);
    assert_eq!(acts(false, false, 100), []);
    assert_eq!(acts(false, true, 101), [], "the window is over");
    // what contradicts it says more
    let held = Held {
        other_records: true,
        ..held(true)
    };
    let acts = decided(&stack, &held);
    assert!(matches!(acts[0], Act::Demand(_, Doubt::AnotherChain)));
}
