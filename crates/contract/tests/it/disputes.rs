//! Every kind of dispute with its parties guilty, silent and innocent, and the money counted by hand.

use crate::world::*;
use atoma_contract::Changes;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, Price, StackId, TaskId, TimestampMs,
    chain::{AbortCode, Event, LeaseState, NodeStatus, Selection, events::Charge},
    hash::Hash32,
    message::{EvidenceLeaf, Receipt, RequestHeader},
};

/// The tests of this module, for `conformance`.
pub(crate) const TALES: &[(&str, fn())] = &[
    ("silence_loses", silence_loses),
    (
        "an_honest_node_keeps_everything_and_gets_the_bond",
        an_honest_node_keeps_everything_and_gets_the_bond,
    ),
    (
        "an_answer_in_the_last_moment_counts",
        an_answer_in_the_last_moment_counts,
    ),
    (
        "the_record_must_have_the_receipt_that_the_owner_holds",
        the_record_must_have_the_receipt_that_the_owner_holds,
    ),
    (
        "a_node_that_settled_no_records_can_answer_nothing",
        a_node_that_settled_no_records_can_answer_nothing,
    ),
    (
        "the_deal_s_own_bond_and_deadline_count",
        the_deal_s_own_bond_and_deadline_count,
    ),
    (
        "a_conviction_gives_every_bond_back",
        a_conviction_gives_every_bond_back,
    ),
    ("two_receipts_with_one_seq", two_receipts_with_one_seq),
    (
        "broken_chains_and_double_charges",
        broken_chains_and_double_charges,
    ),
    ("honest_receipts_agree", honest_receipts_agree),
    (
        "a_charge_above_tariff_order_or_claim",
        a_charge_above_tariff_order_or_claim,
    ),
    ("honest_charges_are_allowed", honest_charges_are_allowed),
    ("forged_records", forged_records),
    ("an_odd_slash_is_rounded_up", an_odd_slash_is_rounded_up),
    (
        "a_slash_rounds_up_is_capped_and_half_of_it_at_most_is_the_owner_s",
        a_slash_rounds_up_is_capped_and_half_of_it_at_most_is_the_owner_s,
    ),
    (
        "one_lease_is_punished_once_and_others_go_on",
        one_lease_is_punished_once_and_others_go_on,
    ),
    (
        "a_convicted_node_can_leave_after_its_jail_with_what_is_left",
        a_convicted_node_can_leave_after_its_jail_with_what_is_left,
    ),
    (
        "a_node_can_not_leave_a_dispute_and_stays_liable_while_it_leaves",
        a_node_can_not_leave_a_dispute_and_stays_liable_while_it_leaves,
    ),
    ("a_pause_stops_no_dispute", a_pause_stops_no_dispute),
    (
        "other_leases_of_the_stack_are_untouched",
        other_leases_of_the_stack_are_untouched,
    ),
];

const BOND: u64 = 1_000_000;
/// Units of the three requests that were served.
const PARTS: [u64; 3] = [100, 200, 300];
/// What the stack of a thousand units costs.
const ESCROW: u64 = 1_500;
const BOTH: (u8, u8) = (USER, OPERATOR);

/// A node with a stack, and the records of what it served.
struct Scene {
    world: World,
    task: TaskId,
    stack: StackId,
    node: NodeId,
    records: Vec<EvidenceLeaf>,
}

impl Scene {
    /// Served, not settled.
    fn served() -> Self {
        let mut world = World::new();
        let task = world.create_task();
        let node = world.serve(OPERATOR, task, 1_000_000, 10_000);
        let stack = world.buy(task, 1_000, Selection::Single);
        let records = world.records(BOTH, stack, node, &PARTS);
        Self {
            world,
            task,
            stack,
            node,
            records,
        }
    }

    fn settled() -> Self {
        let mut scene = Self::served();
        scene.settle();
        scene
    }

    fn settle(&mut self) {
        let call = settle_records(self.stack, self.node, &self.records);
        self.world.ok(OPERATOR, call);
    }

    fn bytes(&self) -> Vec<Vec<u8>> {
        self.records.iter().map(EvidenceLeaf::to_bytes).collect()
    }

    fn open(&mut self, seq: u64) -> Changes {
        let call = self.world.open_call(self.stack, self.node, seq);
        self.world.ok(USER, call)
    }

    fn receipt(&self, seq: u64) -> (Vec<u8>, Vec<u8>) {
        let record = &self.records[seq as usize - 1];
        (record.receipt.clone(), record.receipt_signature.clone())
    }

    fn header(&self, seq: u64) -> (Vec<u8>, Vec<u8>) {
        let record = &self.records[seq as usize - 1];
        (record.header.clone(), record.header_signature.clone())
    }

    /// The receipt of a `seq`, changed and signed by the node.
    fn other_receipt(&self, seq: u64, change: impl FnOnce(&mut Receipt)) -> (Vec<u8>, Vec<u8>) {
        let mut receipt: Receipt = bcs::from_bytes(&self.receipt(seq).0).unwrap();
        change(&mut receipt);
        sign(receipt, OPERATOR)
    }

    fn equivocate(&mut self, first: (Vec<u8>, Vec<u8>), second: (Vec<u8>, Vec<u8>)) -> Outcome {
        let call = self
            .world
            .equivocation_call(self.stack, self.node, first, second);
        self.world.run(STRANGER, call)
    }

    fn over_claim(&mut self, receipt: (Vec<u8>, Vec<u8>), header: (Vec<u8>, Vec<u8>)) -> Outcome {
        let call = self
            .world
            .over_claim_call(self.stack, self.node, receipt, header);
        self.world.run(STRANGER, call)
    }

    /// Waits for the window and claims.
    fn claim(&mut self) -> Changes {
        self.world.now += HOUR;
        let call = self.world.claim_call(self.stack, self.node);
        self.world.ok(STRANGER, call)
    }

    fn treasury(&self) -> u64 {
        self.world.db().communal_treasury.0
    }

    /// Half of the collateral of 1000 is gone, and the owner has the escrow back.
    #[track_caller]
    fn assert_fraud(&self, changes: &Changes, charge: Charge, refunded: u64, bonds: u64) {
        let event = changes.events.iter().find_map(|event| match event {
            Event::NodeConvicted(event) => Some(event),
            _ => None,
        });
        let event = event.expect("a conviction");
        assert_eq!((event.stack, event.node), (self.stack, self.node));
        assert_eq!(event.charge, charge);
        assert_eq!((event.refunded.0, event.bonds.0), (refunded, bonds));
        assert_eq!((event.to_owner.0, event.to_treasury.0), (250, 250));
        assert_eq!(event.collateral, MicroUsdc(500));
        assert_eq!(paid_to(changes, USER), refunded + bonds + 250);
        assert_eq!(paid_to(changes, OPERATOR), 0);
        assert_eq!(paid_to(changes, STRANGER), 0);
        assert_eq!(self.treasury(), 250);
        let node = self.world.node(self.node);
        assert_eq!(node.collateral, MicroUsdc(500));
        assert_eq!((node.reputation, node.failed), (0, 1));
        let until_ms = TimestampMs(self.world.now + 7 * DAY);
        assert_eq!(node.status, NodeStatus::Jailed { until_ms });
        assert!(self.world.lease_of(self.stack, self.node).convicted);
    }
}

const NOTHING: (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());

// === the response that is not stored ===

#[test]
fn silence_loses() {
    let mut scene = Scene::settled();
    let changes = scene.open(2);
    assert_eq!(changes.paid_in, MicroUsdc(BOND));
    let Some(Event::DisputeOpened(event)) = changes.events.first() else {
        panic!("no event");
    };
    assert_eq!((event.seq, event.receipt), (2, None));
    assert_eq!(event.deadline_ms, TimestampMs(scene.world.now + HOUR));

    // nothing is paid while it is open, though the window is over
    scene.world.now += HOUR;
    let claim = scene.world.claim_call(scene.stack, scene.node);
    assert_eq!(
        scene.world.run(OPERATOR, claim.clone()).err(),
        Some(AbortCode::DisputeOpen)
    );
    let resolve = scene.world.resolve_call(scene.stack, scene.node, 2);
    assert_eq!(
        scene.world.run(STRANGER, resolve.clone()).err(),
        Some(AbortCode::AnswerTimeNotOver)
    );
    scene.world.now += 1;
    let changes = scene.world.ok(STRANGER, resolve);
    // all of the escrow, the bond, and half of a tenth of the collateral
    assert_eq!(paid_to(&changes, USER), ESCROW + BOND + 50);
    assert_eq!(paid_to(&changes, OPERATOR), 0);
    assert_eq!(scene.treasury(), 50);
    let node = scene.world.node(scene.node);
    assert_eq!(node.collateral, MicroUsdc(900));
    assert_eq!((node.reputation, node.failed), (450, 1));
    assert!(matches!(node.status, NodeStatus::Jailed { .. }));
    assert!(matches!(
        changes.events[..],
        [
            Event::NodeStatusChanged(_),
            Event::NodeConvicted(_),
            Event::StackClosed(_)
        ]
    ));
    assert_eq!(
        scene.world.lease_of(scene.stack, scene.node).state,
        LeaseState::Closed {
            paid_units: ComputeUnits(0),
            paid: MicroUsdc(0)
        }
    );
    let subscription = scene.world.subscription(scene.task, scene.node);
    assert_eq!(subscription.leased, ComputeUnits(0));
    assert_eq!(subscription.collateral, MicroUsdc(900));
    assert_eq!(
        scene.world.run(OPERATOR, claim).err(),
        Some(AbortCode::NotSettling)
    );
}

#[test]
fn an_honest_node_keeps_everything_and_gets_the_bond() {
    let mut scene = Scene::settled();
    let blob = scene.world.blob(STRANGER);
    for seq in 1..=3 {
        scene.open(seq);
        let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), seq);
        // whoever answers: the bond is the node's
        let changes = scene.world.ok(STRANGER, call);
        assert_eq!(paid_to(&changes, OPERATOR), BOND);
        assert_eq!(changes.payouts.len(), 1);
        let Some(Event::DisputeAnswered(event)) = changes.events.first() else {
            panic!("no event");
        };
        assert_eq!((event.seq, event.bond), (seq, MicroUsdc(BOND)));
    }
    let changes = scene.claim();
    assert_eq!(paid_to(&changes, OPERATOR), 600 - 6);
    assert_eq!(paid_to(&changes, USER), ESCROW - 600);
    let node = scene.world.node(scene.node);
    assert_eq!((node.collateral, node.reputation), (MicroUsdc(1_000), 502));
    assert_eq!(node.status, NodeStatus::Active);
}

#[test]
fn an_answer_in_the_last_moment_counts() {
    let mut scene = Scene::settled();
    let blob = scene.world.blob(OPERATOR);
    scene.open(1);
    scene.world.now += HOUR;
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 1);
    scene.world.ok(OPERATOR, call);
    let call = scene.world.claim_call(scene.stack, scene.node);
    scene.world.ok(OPERATOR, call);
}

#[test]
fn the_record_must_have_the_receipt_that_the_owner_holds() {
    let mut scene = Scene::settled();
    let blob = scene.world.blob(OPERATOR);
    // the node gave the user another receipt than the one that it settled
    let held = scene.other_receipt(2, |receipt| receipt.units = ComputeUnits(150));
    let mut call = scene.world.open_call(scene.stack, scene.node, 2);
    (call.receipt, call.receipt_signature) = held;
    scene.world.ok(USER, call);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 2);
    assert_eq!(
        scene.world.run(OPERATOR, call).err(),
        Some(AbortCode::ReceiptDiffers)
    );
    // with the settled one in hand, the same answer is good
    let mut call = scene.world.open_call(scene.stack, scene.node, 3);
    (call.receipt, call.receipt_signature) = scene.receipt(3);
    scene.world.ok(USER, call);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 3);
    scene.world.ok(OPERATOR, call);
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 2);
    let changes = scene.world.ok(STRANGER, call);
    assert_eq!(paid_to(&changes, USER), ESCROW + BOND + 50);
}

#[test]
fn a_node_that_settled_no_records_can_answer_nothing() {
    let mut scene = Scene::served();
    let mut call = settle_records(scene.stack, scene.node, &scene.records);
    call.receipts_root = Hash32([6; 32]);
    scene.world.ok(OPERATOR, call);
    let blob = scene.world.blob(OPERATOR);
    scene.open(1);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 1);
    assert_eq!(
        scene.world.run(OPERATOR, call).err(),
        Some(AbortCode::ProofFails)
    );
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 1);
    scene.world.ok(STRANGER, call);
}

#[test]
fn the_deal_s_own_bond_and_deadline_count() {
    let mut scene = Scene::settled();
    scene.world.set_param("dispute_bond", 7);
    scene.world.set_param("answer_window_ms", 5 * HOUR);
    let changes = scene.open(1);
    assert_eq!(changes.paid_in, MicroUsdc(BOND));
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 1);
    scene.world.ok(STRANGER, call);
}

#[test]
fn a_conviction_gives_every_bond_back() {
    let mut scene = Scene::settled();
    scene.open(1);
    scene.open(3);
    let fake = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(1));
    let first = scene.receipt(1);
    let changes = scene.equivocate(first, fake).unwrap();
    scene.assert_fraud(&changes, Charge::Equivocation, ESCROW, 2 * BOND);
    scene.world.now += DAY;
    let call = scene.world.resolve_call(scene.stack, scene.node, 3);
    assert_eq!(
        scene.world.run(STRANGER, call).err(),
        Some(AbortCode::AlreadyConvicted)
    );
}

// === receipts that contradict each other ===

#[test]
fn two_receipts_with_one_seq() {
    // while the lease is open
    let mut scene = Scene::served();
    let (one, other) = (
        scene.receipt(1),
        scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5)),
    );
    let changes = scene.equivocate(one.clone(), other.clone()).unwrap();
    scene.assert_fraud(&changes, Charge::Equivocation, ESCROW, 0);
    assert!(scene.world.stack(scene.stack).closed);

    // while it is being settled
    let mut scene = Scene::settled();
    let changes = scene.equivocate(other, one).unwrap();
    scene.assert_fraud(&changes, Charge::Equivocation, ESCROW, 0);

    // after it was paid: what was paid is paid, the collateral stays liable
    let mut scene = Scene::settled();
    scene.claim();
    let one = scene.receipt(1);
    let other = scene.other_receipt(1, |receipt| receipt.previous.0[0] ^= 1);
    let changes = scene.equivocate(one.clone(), other.clone()).unwrap();
    scene.assert_fraud(&changes, Charge::Equivocation, 0, 0);
    assert!(matches!(
        scene.world.lease_of(scene.stack, scene.node).state,
        LeaseState::Closed {
            paid_units: ComputeUnits(600),
            ..
        }
    ));
    assert_eq!(
        scene.equivocate(one, other).err(),
        Some(AbortCode::AlreadyConvicted)
    );
}

#[test]
fn broken_chains_and_double_charges() {
    type Change = fn(&mut Receipt);
    let changes: [(u64, u64, Change); 6] = [
        // the sum falls
        (1, 3, |receipt| receipt.cumulative_units = ComputeUnits(50)),
        // the sum grows by less than the receipt's own units
        (1, 3, |receipt| receipt.units = ComputeUnits(501)),
        // the sum grows by more
        (1, 2, |receipt| receipt.cumulative_units = ComputeUnits(301)),
        // another receipt came before
        (1, 2, |receipt| receipt.previous.0[5] ^= 1),
        (2, 3, |receipt| receipt.previous.0[31] ^= 1),
        // sums near the end of numbers don't wrap
        (1, 3, |receipt| {
            receipt.units = ComputeUnits(u64::MAX);
            receipt.cumulative_units = ComputeUnits(u64::MAX);
        }),
    ];
    for (index, (one, other, change)) in changes.into_iter().enumerate() {
        let mut scene = Scene::settled();
        let one = scene.receipt(one);
        let other = scene.other_receipt(other, change);
        let changes = scene.equivocate(one, other);
        assert!(changes.is_ok(), "case {index}: {changes:?}");
        scene.assert_fraud(&changes.unwrap(), Charge::Equivocation, ESCROW, 0);
    }
    // one order charged twice
    let mut scene = Scene::settled();
    let first: Receipt = bcs::from_bytes(&scene.receipt(1).0).unwrap();
    let again = scene.other_receipt(3, |receipt| receipt.request_hash = first.request_hash);
    let one = scene.receipt(1);
    scene.equivocate(one, again).unwrap();
}

#[test]
fn honest_receipts_agree() {
    for settled in [false, true] {
        let mut scene = Scene::served();
        if settled {
            scene.settle();
        }
        for one in 1..=3 {
            for other in 1..=3 {
                let (first, second) = (scene.receipt(one), scene.receipt(other));
                assert_eq!(
                    scene.equivocate(first, second).err(),
                    Some(AbortCode::ReceiptsAgree)
                );
            }
        }
        // receipts that others made up prove nothing
        let mut fake: Receipt = bcs::from_bytes(&scene.receipt(1).0).unwrap();
        fake.units = ComputeUnits(9);
        let one = scene.receipt(1);
        assert_eq!(
            scene.equivocate(one, sign(fake, USER)).err(),
            Some(AbortCode::ReceiptBadSignature)
        );
    }
}

// === charges that are too high ===

#[test]
fn a_charge_above_tariff_order_or_claim() {
    // above what the usage costs
    let mut scene = Scene::settled();
    let dear = scene.other_receipt(2, |receipt| receipt.usage.output -= 1);
    let changes = scene.over_claim(dear, NOTHING).unwrap();
    scene.assert_fraud(&changes, Charge::OverClaim, ESCROW, 0);

    // above what the order allows
    let mut scene = Scene::served();
    let dear = scene.other_receipt(2, |receipt| {
        receipt.usage.output += 1;
        receipt.units = ComputeUnits(201);
    });
    assert_eq!(
        scene.over_claim(dear.clone(), NOTHING).err(),
        Some(AbortCode::ChargeAllowed)
    );
    let order = scene.header(2);
    let changes = scene.over_claim(dear, order).unwrap();
    scene.assert_fraud(&changes, Charge::OverClaim, ESCROW, 0);

    // a first receipt that begins with a sum
    let mut scene = Scene::served();
    let dear = scene.other_receipt(1, |receipt| receipt.cumulative_units = ComputeUnits(101));
    let changes = scene.over_claim(dear, NOTHING).unwrap();
    scene.assert_fraud(&changes, Charge::OverClaim, ESCROW, 0);

    // the node goes on after its settlement with less than it claimed
    let mut scene = Scene::settled();
    let later = scene.other_receipt(3, |receipt| {
        receipt.seq = 4;
        receipt.units = ComputeUnits(1);
        receipt.cumulative_units = ComputeUnits(599);
    });
    let changes = scene.over_claim(later, NOTHING).unwrap();
    scene.assert_fraud(&changes, Charge::OverClaim, ESCROW, 0);
}

#[test]
fn honest_charges_are_allowed() {
    for settled in [false, true] {
        let mut scene = Scene::served();
        if settled {
            scene.settle();
        }
        for seq in 1..=3 {
            for header in [NOTHING, scene.header(seq)] {
                let receipt = scene.receipt(seq);
                assert_eq!(
                    scene.over_claim(receipt, header).err(),
                    Some(AbortCode::ChargeAllowed)
                );
            }
        }
        // a charge below the tariff, and usage past counting, harm nobody
        for output in [201, u64::MAX] {
            let cheap = scene.other_receipt(2, |receipt| {
                receipt.usage.output = output;
                receipt.usage.input = output;
            });
            assert_eq!(
                scene.over_claim(cheap, NOTHING).err(),
                Some(AbortCode::ChargeAllowed)
            );
        }
    }
}

// === records that are none ===

#[test]
fn forged_records() {
    type Forge = fn(&Scene) -> Vec<u8>;
    let forgeries: [Forge; 8] = [
        // an order that the owner never signed
        |scene| forge(scene, |_| {}, STRANGER, |_| {}, OPERATOR),
        // an order to somebody else
        |scene| {
            forge(
                scene,
                |header| header.node = NodeId(address(7)),
                USER,
                |_| {},
                OPERATOR,
            )
        },
        // a receipt that the node didn't sign
        |scene| forge(scene, |_| {}, USER, |_| {}, STRANGER),
        // a receipt of another place
        |scene| forge(scene, |_| {}, USER, |receipt| receipt.seq = 1, OPERATOR),
        // a receipt for another order
        |scene| {
            forge(
                scene,
                |_| {},
                USER,
                |receipt| receipt.request_hash.0[0] ^= 1,
                OPERATOR,
            )
        },
        // a record at a place that isn't its
        |scene| scene.records[0].to_bytes(),
        // bytes that are no record at all
        |_| b"nothing".to_vec(),
        |_| Vec::new(),
    ];
    for (index, forge) in forgeries.into_iter().enumerate() {
        let mut scene = Scene::served();
        let mut records = scene.bytes();
        records[1] = forge(&scene);
        let mut call = settle_records(scene.stack, scene.node, &scene.records);
        call.receipts_root = root_of(&records);
        scene.world.ok(OPERATOR, call);
        for seq in [1, 3] {
            let call = scene
                .world
                .forged_call(scene.stack, scene.node, &records, seq);
            assert_eq!(
                scene.world.run(STRANGER, call).err(),
                Some(AbortCode::RecordGenuine)
            );
        }
        // it is no answer either
        let blob = scene.world.blob(OPERATOR);
        scene.open(2);
        let call = answer_call(scene.stack, scene.node, blob, &records, 2);
        assert!(scene.world.run(OPERATOR, call).is_err(), "case {index}");
        let call = scene
            .world
            .forged_call(scene.stack, scene.node, &records, 2);
        let changes = scene.world.ok(STRANGER, call);
        scene.assert_fraud(&changes, Charge::ForgedRequest, ESCROW, BOND);
    }
}

/// The second record, with header and receipt changed and signed by these.
fn forge(
    scene: &Scene,
    change_header: fn(&mut RequestHeader),
    by: u8,
    change_receipt: fn(&mut Receipt),
    receipt_by: u8,
) -> Vec<u8> {
    let mut header: RequestHeader = bcs::from_bytes(&scene.header(2).0).unwrap();
    change_header(&mut header);
    let header = signed(header, by);
    let mut receipt: Receipt = bcs::from_bytes(&scene.receipt(2).0).unwrap();
    receipt.request_hash = header.hash();
    change_receipt(&mut receipt);
    EvidenceLeaf::new(&header, &signed(receipt, receipt_by)).to_bytes()
}

// === what a conviction takes ===

#[test]
fn an_odd_slash_is_rounded_up() {
    let mut scene = Scene::settled();
    scene.world.ok(OPERATOR, collateral_call(scene.node, 1));
    let held = scene.world.node(scene.node).collateral.0;
    assert_eq!(held % 2, 1);
    let one = scene.receipt(1);
    let other = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5));
    scene.equivocate(one, other).unwrap();
    assert_eq!(scene.world.node(scene.node).collateral.0, held / 2);
}

#[test]
fn a_slash_rounds_up_is_capped_and_half_of_it_at_most_is_the_owner_s() {
    for (collateral, permille, owner_permille, to_owner, to_treasury) in [
        (1_001, 500, 500, 250, 251),
        (1_000, 1, 500, 0, 1),
        (1, 1, 500, 0, 1),
        (999, 1_000, 500, 499, 500),
        (1_000, 1_000, 0, 0, 1_000),
        (0, 1_000, 500, 0, 0),
        (1_000, 0, 500, 0, 0),
    ] {
        let mut scene = Scene::settled();
        scene.world.set_param("fraud_slash_permille", permille);
        scene
            .world
            .set_param("slash_owner_permille", owner_permille);
        let held = scene.world.node(scene.node).collateral.0;
        scene
            .world
            .edit_node(scene.node, |node| node.collateral = MicroUsdc(collateral));
        scene.world.flow.paid_in -= u128::from(held);
        scene.world.flow.paid_in += u128::from(collateral);
        let one = scene.receipt(1);
        let other = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5));
        let changes = scene.equivocate(one, other).unwrap();
        assert_eq!(paid_to(&changes, USER), ESCROW + to_owner);
        assert_eq!(scene.treasury(), to_treasury);
        let left = scene.world.node(scene.node).collateral.0;
        assert_eq!(left, collateral - to_owner - to_treasury);
    }
}

#[test]
fn one_lease_is_punished_once_and_others_go_on() {
    let mut scene = Scene::served();
    let second = scene.world.buy(scene.task, 1_000, Selection::Any);
    scene.world.grant(OPERATOR, second, scene.node, 400);
    let one = scene.receipt(1);
    let other = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5));
    scene.equivocate(one, other).unwrap();
    // what it served elsewhere it is paid for, even in jail
    let changes = scene.world.earn(OPERATOR, second, scene.node, 400);
    assert_eq!(paid_to(&changes, OPERATOR), 400 - 4);
    // but it gets nothing new
    let call = scene.world.lease_call(second, scene.node, 500);
    assert_eq!(
        scene.world.run(OPERATOR, call).err(),
        Some(AbortCode::NodeNotActive)
    );
    // a second conviction, of another lease, makes the jail longer
    let until = TimestampMs(scene.world.now + 7 * DAY);
    scene.stack = second;
    let records = scene.world.records(BOTH, second, scene.node, &[400]);
    let one = (
        records[0].receipt.clone(),
        records[0].receipt_signature.clone(),
    );
    let mut fake: Receipt = bcs::from_bytes(&one.0).unwrap();
    fake.units = ComputeUnits(3);
    scene.equivocate(one, sign(fake, OPERATOR)).unwrap();
    let node = scene.world.node(scene.node);
    assert_eq!(node.status, NodeStatus::Jailed { until_ms: until });
    assert_eq!(node.collateral, MicroUsdc(250));
}

#[test]
fn a_convicted_node_can_leave_after_its_jail_with_what_is_left() {
    let mut scene = Scene::settled();
    scene.open(1);
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 1);
    scene.world.ok(STRANGER, call);
    scene
        .world
        .ok(OPERATOR, unsubscribe_call(scene.task, scene.node));
    assert_eq!(
        scene.world.run(OPERATOR, unbond_call(scene.node)).err(),
        Some(AbortCode::NodeNotActive)
    );
    scene.world.now += 7 * DAY;
    scene.world.ok(OPERATOR, unbond_call(scene.node));
    scene.world.now += 7 * DAY;
    let changes = scene.world.ok(OPERATOR, withdraw_call(scene.node));
    assert_eq!(paid_to(&changes, OPERATOR), 900);
}

#[test]
fn a_node_can_not_leave_a_dispute_and_stays_liable_while_it_leaves() {
    let mut scene = Scene::settled();
    scene.open(1);
    scene
        .world
        .ok(OPERATOR, unsubscribe_call(scene.task, scene.node));
    assert_eq!(
        scene.world.run(OPERATOR, unbond_call(scene.node)).err(),
        Some(AbortCode::NodeHasSubscriptions)
    );
    let blob = scene.world.blob(OPERATOR);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 1);
    scene.world.ok(OPERATOR, call);
    scene.claim();
    scene.world.ok(OPERATOR, unbond_call(scene.node));
    let leaving = scene.world.node(scene.node).status;
    let one = scene.receipt(1);
    let other = scene.other_receipt(1, |receipt| receipt.units = ComputeUnits(5));
    scene.equivocate(one, other).unwrap();
    let node = scene.world.node(scene.node);
    assert_eq!((node.status, node.collateral), (leaving, MicroUsdc(500)));
}

#[test]
fn a_pause_stops_no_dispute() {
    let mut scene = Scene::settled();
    let blob = scene.world.blob(OPERATOR);
    scene.world.set_param("paused", 1);
    scene.open(1);
    scene.open(2);
    let call = answer_call(scene.stack, scene.node, blob, &scene.bytes(), 1);
    scene.world.ok(OPERATOR, call);
    scene.world.now += HOUR + 1;
    let call = scene.world.resolve_call(scene.stack, scene.node, 2);
    scene.world.ok(STRANGER, call);
}

#[test]
fn other_leases_of_the_stack_are_untouched() {
    let mut world = World::new();
    let task = world.create_task();
    let bad = world.serve(OPERATOR, task, 500_000, 10_000);
    let good = world.serve(OPERATOR + 1, task, 1_500_000, 10_000);
    let stack = world.buy(task, 1_000, Selection::Any);
    world.grant(OPERATOR, stack, bad, 300);
    world.grant(OPERATOR + 1, stack, good, 500);
    let records = world.records(BOTH, stack, bad, &[100, 200]);
    world.ok(OPERATOR, settle_records(stack, bad, &records));
    let call = world.open_call(stack, bad, 2);
    world.ok(USER, call);
    world.now += HOUR + 1;
    let call = world.resolve_call(stack, bad, 2);
    let changes = world.ok(STRANGER, call);
    // the escrow of the three hundred units alone
    assert_eq!(paid_to(&changes, USER), 450 + BOND + 50);
    assert_eq!(world.stack(stack).escrow, MicroUsdc(1_050));
    assert_eq!(world.lease_of(stack, good).price, Price(1_500_000));
    let changes = world.earn(OPERATOR + 1, stack, good, 500);
    assert_eq!(paid_to(&changes, OPERATOR + 1), 750 - 7);
    let changes = world.ok(USER, revoke_call(stack));
    assert_eq!(paid_to(&changes, USER), 300);
    assert!(world.stack(stack).closed);
}
