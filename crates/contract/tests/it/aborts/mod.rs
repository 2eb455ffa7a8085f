//! Every abort code, provoked once: the cases by subject in a file each.

mod dispute;
mod evidence;
mod lease;
mod market;
mod rules;
mod stack;
mod walrus;

use crate::{storage::*, world::*};
use atoma_contract::{Object, Owner, State, limits};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NetworkId, NodeId, Numerics, Price, SecurityLevel, Sign,
    StackId, TaskId, TimestampMs, UnitWeights,
    chain::{
        AbortCode::{self, *},
        AdminCap, Deployment, EpochShare, LOCALNET_DB, NewTask, NodeStatus, Params, Payment,
        Selection::{Any, Limited, Single},
        calls,
    },
    hash::Hash32,
    merkle::{self, MerkleTree, Proof},
    message::{Draft, EvidenceLeaf, MAX_BATCH, Receipt},
};
use serde::Serialize;
use std::collections::BTreeSet;

type Case = (AbortCode, fn() -> Outcome);

/// All of them.
pub(crate) fn cases() -> Vec<Case> {
    [
        rules::ANYWHERE,
        rules::DB,
        market::NODE,
        market::TASK,
        stack::STACK,
        lease::GRANT,
        lease::SETTLEMENT,
        evidence::EVIDENCE,
        evidence::TREASURY,
        dispute::DISPUTE,
        walrus::WALRUS,
    ]
    .concat()
}

#[test]
fn every_code_is_provoked() {
    let cases = cases();
    for (code, case) in &cases {
        assert_eq!(case().err(), Some(*code), "{code}");
    }
    let seen: BTreeSet<_> = cases.iter().map(|(code, _)| *code).collect();
    let unseen: Vec<_> = AbortCode::ALL
        .iter()
        .filter(|c| !seen.contains(c))
        .collect();
    assert!(unseen.is_empty(), "never provoked: {unseen:?}");
}

const OTHER: u8 = OPERATOR + 1;

// === worlds to start from ===

fn with_node() -> (World, NodeId) {
    let mut world = World::new();
    let node = world.register(OPERATOR, 1_000);
    (world, node)
}

fn with_task() -> (World, TaskId, NodeId) {
    let (mut world, node) = with_node();
    let task = world.create_task();
    world.ok(OPERATOR, subscribe_call(task, node, 1_000_000, 10_000));
    (world, task, node)
}

/// A stack of a thousand units, none granted.
fn with_any() -> (World, StackId, NodeId) {
    let (mut world, task, node) = with_task();
    let stack = world.buy(task, 1_000, Any);
    (world, stack, node)
}

/// A stack of a thousand units, all leased to its node.
fn with_single() -> (World, StackId, NodeId) {
    let (mut world, task, node) = with_task();
    let stack = world.buy(task, 1_000, Single);
    (world, stack, node)
}

fn register(change: impl FnOnce(&mut calls::RegisterNode)) -> Outcome {
    let mut call = register_call(OPERATOR, 1_000);
    change(&mut call);
    World::new().run(OPERATOR, call)
}

fn create(change: impl FnOnce(&mut NewTask)) -> Outcome {
    let mut new = new_task();
    change(&mut new);
    World::new().run(ADMIN, new.call(LOCALNET_DB))
}

/// A node tries to subscribe to a task that was made so, at this price and capacity.
fn subscribe(change: impl FnOnce(&mut NewTask), price: u64, capacity: u64) -> Outcome {
    let (mut world, node) = with_node();
    let mut new = new_task();
    change(&mut new);
    let task = world.create_task_from(new);
    world.run(OPERATOR, subscribe_call(task, node, price, capacity))
}

fn acquire(change: impl FnOnce(&mut calls::AcquireStack)) -> Outcome {
    let (mut world, task, _) = with_task();
    let mut call = world.acquire_call(task, 1_000, 1_500_000, Single);
    change(&mut call);
    world.run(USER, call)
}

/// A task with an argument that no typed call can have.
fn create_raw(name: &str, value: &impl Serialize) -> Outcome {
    World::new().run_raw(ADMIN, &raw(new_task().call(LOCALNET_DB), name, value))
}

/// A purchase with an argument that no typed call can have.
fn acquire_raw(name: &str, value: &impl Serialize) -> Outcome {
    let (mut world, task, _) = with_task();
    let call = world.acquire_call(task, 1_000, 1_500_000, Single);
    world.run_raw(USER, &raw(call, name, value))
}

/// A claim of 100 units with an argument that no typed call can have.
fn settle_raw(name: &str, value: &impl Serialize) -> Outcome {
    let (mut world, stack, node) = with_single();
    let call = world.settle_call(OPERATOR, stack, node, 100);
    world.run_raw(OPERATOR, &raw(call, name, value))
}

fn set_param(sender: u8, name: &str, value: u64) -> Outcome {
    let mut world = World::new();
    let call = world.set_param_call(name, value);
    world.run(sender, call)
}

/// A grant of 100 units, changed before it is signed.
fn grant(change: impl FnOnce(&mut atoma_types::message::Grant), signer: u8) -> Outcome {
    let (mut world, stack, node) = with_any();
    let mut grant = world.grant_of(stack, node, 100);
    change(&mut grant);
    let call = world.lease_call_of(stack, node, &grant, signer);
    world.run(OPERATOR, call)
}

/// A claim of 100 units, changed before it is sent.
fn settle(change: impl FnOnce(&World, &mut calls::Settle, StackId, NodeId)) -> Outcome {
    let (mut world, stack, node) = with_single();
    let mut call = world.settle_call(OPERATOR, stack, node, 100);
    change(&world, &mut call, stack, node);
    world.run(OPERATOR, call)
}

fn settle_with_receipt(
    change: impl FnOnce(&mut atoma_types::message::Receipt),
    signer: u8,
) -> Outcome {
    settle(|world, call, stack, node| {
        let mut receipt = world.receipt(stack, node, 7, 100);
        change(&mut receipt);
        set_receipt(call, receipt, signer);
    })
}

/// The receipt's signature is of a batch of three, and changed: another of the batch is at hand.
fn settle_in_batch(change: impl FnOnce(&mut Vec<u8>, Vec<u8>)) -> Outcome {
    settle(|world, call, stack, node| {
        let drafts = [7, 8, 9].map(|seq| Draft::new(world.receipt(stack, node, seq, 100)));
        let signed = Draft::sign_all(drafts.to_vec(), &key(OPERATOR));
        let [mut signature, other] = [0, 1].map(|place| signed[place].signature().to_bytes());
        change(&mut signature, other);
        call.last_receipt = signed[0].bytes().to_vec();
        call.receipt_signature = signature;
    })
}

/// With a signature that would hold, if as many messages might share one.
fn settle_in_a_batch_too_large() -> Outcome {
    const HASHES: u32 = MAX_BATCH.ilog2() + 1;
    settle(|world, call, stack, node| {
        let receipt = Draft::new(world.receipt(stack, node, 7, 100));
        let signed = &Draft::sign_all(vec![receipt], &key(OPERATOR))[0];
        let others = |level: u32| vec![Hash32([0; 32]); 1 << level];
        let mut leaves = others(HASHES);
        leaves[0] = merkle::leaf_hash(signed.bytes());
        let root = MerkleTree::from_leaves(leaves).root();
        let message = [b"atoma/batch/v1\0\0".as_slice(), &root.0].concat();
        let mut signature = key(OPERATOR).sign(&message).0.to_vec();
        for level in 0..HASHES {
            signature.extend(MerkleTree::from_leaves(others(level)).root().0);
        }
        signature.extend([0, 0x86]);
        call.last_receipt = signed.bytes().to_vec();
        call.receipt_signature = signature;
    })
}

fn settle_with_header(
    change: impl FnOnce(&mut atoma_types::message::RequestHeader),
    signer: u8,
) -> Outcome {
    settle(|world, call, stack, node| {
        let mut header = world.header(stack, node, 0, 100);
        change(&mut header);
        call.headers.clear();
        call.header_signatures.clear();
        add_header(call, header, signer);
    })
}

/// A stack of which ten requests of ten units each were served and settled.
struct Played {
    world: World,
    stack: StackId,
    node: NodeId,
    records: Vec<EvidenceLeaf>,
}

fn played() -> Played {
    let (mut world, stack, node) = with_single();
    let records = world.records((USER, OPERATOR), stack, node, &[10; 10]);
    world.ok(OPERATOR, settle_records(stack, node, &records));
    Played {
        world,
        stack,
        node,
        records,
    }
}

impl Played {
    fn open(&mut self, seq: u64) {
        let call = self.world.open_call(self.stack, self.node, seq);
        self.world.ok(USER, call);
    }

    fn bytes(&self) -> Vec<Vec<u8>> {
        self.records.iter().map(EvidenceLeaf::to_bytes).collect()
    }

    fn receipt(&self, seq: usize) -> (Vec<u8>, Vec<u8>) {
        let record = &self.records[seq - 1];
        (record.receipt.clone(), record.receipt_signature.clone())
    }

    fn equivocate(&mut self) -> Outcome {
        let mut other: Receipt = bcs::from_bytes(&self.records[0].receipt).unwrap();
        other.units = ComputeUnits(11);
        let (one, other) = (self.receipt(1), sign(other, OPERATOR));
        let call = self
            .world
            .equivocation_call(self.stack, self.node, one, other);
        self.world.run(STRANGER, call)
    }
}

#[test]
fn a_pause_stops_no_exit() {
    let (mut world, stack, node) = with_single();
    let task = world.stack(stack).task;
    world.set_param("paused", 1);
    let top_up = world.top_up_call(stack, 1);
    world.ok(USER, top_up);
    world.ok(USER, begin_close_call(stack));
    world.earn(OPERATOR, stack, node, 100);
    world.ok(STRANGER, collect_call(task));
    world.ok(OPERATOR, unsubscribe_call(task, node));
    world.ok(OPERATOR, unbond_call(node));
    world.now += 7 * DAY;
    let changes = world.ok(OPERATOR, withdraw_call(node));
    assert_eq!(paid_to(&changes, OPERATOR), 1_000);
}

#[test]
fn genesis_takes_any_parameters() {
    let zero = Params {
        epoch_ms: 0,
        ..Params::default()
    };
    let mut world = World::new();
    world.state = State::genesis(&Deployment::localnet(NETWORK), address(ADMIN), zero);
    world.set_param("min_collateral", 1);
    let node = world.register(OPERATOR, 1_000);
    assert_eq!(
        world.run(STRANGER, report_call(node)).err(),
        Some(NothingToReport)
    );
}
