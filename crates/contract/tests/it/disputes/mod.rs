//! Every kind of dispute with its parties guilty, silent and innocent, and the money counted by hand.

mod charges;
mod contradictions;
mod convictions;
mod forgeries;
mod silence;

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
    ("silence_loses", silence::silence_loses),
    (
        "an_honest_node_keeps_everything_and_gets_the_bond",
        silence::an_honest_node_keeps_everything_and_gets_the_bond,
    ),
    (
        "an_answer_in_the_last_moment_counts",
        silence::an_answer_in_the_last_moment_counts,
    ),
    (
        "the_record_must_have_the_receipt_that_the_owner_holds",
        silence::the_record_must_have_the_receipt_that_the_owner_holds,
    ),
    (
        "a_node_that_settled_no_records_can_answer_nothing",
        silence::a_node_that_settled_no_records_can_answer_nothing,
    ),
    (
        "the_deal_s_own_bond_and_deadline_count",
        silence::the_deal_s_own_bond_and_deadline_count,
    ),
    (
        "a_conviction_gives_every_bond_back",
        silence::a_conviction_gives_every_bond_back,
    ),
    (
        "two_receipts_with_one_seq",
        contradictions::two_receipts_with_one_seq,
    ),
    (
        "broken_chains_and_double_charges",
        contradictions::broken_chains_and_double_charges,
    ),
    (
        "honest_receipts_agree",
        contradictions::honest_receipts_agree,
    ),
    (
        "a_charge_above_tariff_order_or_claim",
        charges::a_charge_above_tariff_order_or_claim,
    ),
    (
        "honest_charges_are_allowed",
        charges::honest_charges_are_allowed,
    ),
    ("forged_records", forgeries::forged_records),
    (
        "an_odd_slash_is_rounded_up",
        convictions::an_odd_slash_is_rounded_up,
    ),
    (
        "a_slash_rounds_up_is_capped_and_half_of_it_at_most_is_the_owner_s",
        convictions::a_slash_rounds_up_is_capped_and_half_of_it_at_most_is_the_owner_s,
    ),
    (
        "one_lease_is_punished_once_and_others_go_on",
        convictions::one_lease_is_punished_once_and_others_go_on,
    ),
    (
        "a_convicted_node_can_leave_after_its_jail_with_what_is_left",
        convictions::a_convicted_node_can_leave_after_its_jail_with_what_is_left,
    ),
    (
        "a_node_can_not_leave_a_dispute_and_stays_liable_while_it_leaves",
        convictions::a_node_can_not_leave_a_dispute_and_stays_liable_while_it_leaves,
    ),
    (
        "a_pause_stops_no_dispute",
        convictions::a_pause_stops_no_dispute,
    ),
    (
        "other_leases_of_the_stack_are_untouched",
        convictions::other_leases_of_the_stack_are_untouched,
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
