//! Every abort code, provoked once.

use crate::{storage::*, world::*};
use atoma_contract::{Object, Owner, State, limits};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NetworkId, NodeId, Numerics, Price, SecurityLevel, Sign,
    StackId, TaskId, TimestampMs, UnitWeights,
    chain::{
        AbortCode::{self, *},
        AdminCap, Deployment, EpochShare, LOCALNET_DB, NodeStatus, Params, Payment,
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
        ANYWHERE, DB, NODE, TASK, STACK, GRANT, SETTLEMENT, EVIDENCE, TREASURY, DISPUTE, WALRUS,
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

fn create(change: impl FnOnce(&mut calls::CreateTask)) -> Outcome {
    let mut call = create_call();
    change(&mut call);
    World::new().run(ADMIN, call)
}

/// A node tries to subscribe to a task that was made so, at this price and capacity.
fn subscribe(change: impl FnOnce(&mut calls::CreateTask), price: u64, capacity: u64) -> Outcome {
    let (mut world, node) = with_node();
    let mut call = create_call();
    change(&mut call);
    let task = world.create_task_from(call);
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
    World::new().run_raw(ADMIN, &raw(create_call(), name, value))
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

// === the cases ===

const ANYWHERE: &[Case] = &[
    (ObjectMissing, || {
        let (mut world, _) = with_node();
        world.run(OPERATOR, url_call(NodeId(address(77)), "http://a"))
    }),
    (WrongObjectKind, || {
        let (mut world, _) = with_node();
        world.run(OPERATOR, url_call(LOCALNET_DB, "http://a"))
    }),
    (AmountOverflow, || {
        let (mut world, node) = with_node();
        world.run(OPERATOR, collateral_call(node, u64::MAX))
    }),
    (WrongVersion, || {
        let mut world = World::new();
        world.edit(LOCALNET_DB, |object| match object {
            Object::Db(db) => db.version += 1,
            _ => panic!("not the database"),
        });
        world.run(OPERATOR, register_call(OPERATOR, 1_000))
    }),
    (Paused, || {
        let mut world = World::new();
        world.set_param("paused", 1);
        world.run(OPERATOR, register_call(OPERATOR, 1_000))
    }),
    (Paused, || {
        let mut world = World::new();
        world.set_param("paused", 1);
        world.run(ADMIN, create_call())
    }),
    (Paused, || {
        let (mut world, task, node) = with_task();
        world.set_param("paused", 1);
        world.run(OPERATOR, subscribe_call(task, node, 1, 1))
    }),
    (Paused, || {
        let (mut world, task, _) = with_task();
        world.set_param("paused", 1);
        let call = world.acquire_call(task, 1_000, 1_500_000, Single);
        world.run(USER, call)
    }),
    (Paused, || {
        let (mut world, stack, node) = with_any();
        world.set_param("paused", 1);
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
];

const DB: &[Case] = &[
    (NotAdmin, || set_param(USER, "paused", 1)),
    (WrongDatabase, || {
        let mut world = World::new();
        let foreign = address(55);
        let mut objects: Vec<_> = world.state.iter().map(|(o, w)| (o.clone(), w)).collect();
        let cap = AdminCap {
            id: foreign,
            db: foreign,
        };
        objects.push((Object::AdminCap(cap), Owner::Address(address(ADMIN))));
        world.state = State::restore(objects);
        let mut call = world.set_param_call("paused", 1);
        call.cap = foreign.into();
        world.run(ADMIN, call)
    }),
    (UnknownParam, || set_param(ADMIN, "nonsense", 1)),
    (ParamTooLarge, || set_param(ADMIN, "paused", 2)),
    (ParamTooSmall, || set_param(ADMIN, "epoch_ms", 999)),
    (ParamTooSmall, || set_param(ADMIN, "collateral_cap", 0)),
    (ParamsContradict, || {
        set_param(ADMIN, "max_lifetime_ms", 999)
    }),
];

const NODE: &[Case] = &[
    (NotNodeOwner, || {
        let (mut world, node) = with_node();
        world.run(STRANGER, url_call(node, "http://a"))
    }),
    (NotNodeOwner, || {
        let (mut world, node) = with_node();
        world.run(STRANGER, unbond_call(node))
    }),
    (CollateralTooLow, || {
        register(|call| call.collateral = Payment(MicroUsdc(999)))
    }),
    (UrlInvalid, || {
        register(|call| call.url = "ftp://a".to_owned())
    }),
    (UrlInvalid, || {
        let (mut world, node) = with_node();
        world.run(OPERATOR, url_call(node, "http://"))
    }),
    (ResponseKeyInvalid, || {
        register(|call| call.response_key = weak_key())
    }),
    (SealingKeyInvalid, || {
        World::new().run_raw(
            OPERATOR,
            &raw(
                register_call(OPERATOR, 1_000),
                "sealing_key",
                &vec![1u8; 31],
            ),
        )
    }),
    (NodeNotActive, || {
        let (mut world, node) = with_node();
        world.ok(OPERATOR, unbond_call(node));
        world.run(OPERATOR, collateral_call(node, 1))
    }),
    (NodeNotActive, || {
        let (mut world, node) = with_node();
        world.ok(OPERATOR, unbond_call(node));
        world.run(OPERATOR, unbond_call(node))
    }),
    (NodeNotActive, || {
        let (mut world, stack, node) = with_any();
        let until_ms = TimestampMs(world.now + 1);
        world.edit_node(node, |node| node.status = NodeStatus::Jailed { until_ms });
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
    (NodeHasSubscriptions, || {
        let (mut world, _, node) = with_task();
        world.run(OPERATOR, unbond_call(node))
    }),
    (NotUnbonding, || {
        let (mut world, node) = with_node();
        world.run(OPERATOR, withdraw_call(node))
    }),
    (UnbondingNotOver, || {
        let (mut world, node) = with_node();
        world.ok(OPERATOR, unbond_call(node));
        world.now += world.db().params.unbonding_ms - 1;
        world.run(OPERATOR, withdraw_call(node))
    }),
    (NothingAdded, || {
        let (mut world, node) = with_node();
        world.run(OPERATOR, collateral_call(node, 0))
    }),
];

const TASK: &[Case] = &[
    (NotTaskOwner, || {
        let (mut world, task, _) = with_task();
        world.run(STRANGER, deprecate_call(task))
    }),
    (RoleUnknown, || create_raw("role", &8u8)),
    (SecurityLevelUnknown, || create_raw("security_level", &4u8)),
    (ModelNameInvalid, || create(|call| call.model_name.clear())),
    (ModelNameInvalid, || {
        create(|call| call.model_name = "m".repeat(129))
    }),
    (PriceCeilingZero, || {
        create(|call| call.price_ceiling = Price(0))
    }),
    (WeightsInvalid, || create_raw("weights", &vec![1u64; 4])),
    (WeightsInvalid, || {
        create(|call| call.weights = UnitWeights::from_list([0; 5]))
    }),
    (WeightsInvalid, || {
        create(|call| call.weights.output = limits::MAX_WEIGHT + 1)
    }),
    (ModelHashInvalid, || create_raw("model", &vec![1u8; 33])),
    (NumericsUnknown, || create_raw("numerics", &3u8)),
    (RuleUnknown, || create_raw("rule", &2u8)),
    (RuleUnfit, || {
        create(|call| call.numerics = Numerics::Tolerant)
    }),
    (MinReputationTooHigh, || {
        create(|call| call.min_reputation = 1_001)
    }),
    (AllowListTooLong, || {
        create(|call| call.allow_list = Some(vec![NodeId(address(1)); 65]))
    }),
    (TaskDeprecated, || {
        let (mut world, task, _) = with_task();
        world.ok(ADMIN, deprecate_call(task));
        world.run(ADMIN, deprecate_call(task))
    }),
    (TaskDeprecated, || {
        let (mut world, task, node) = with_task();
        world.ok(ADMIN, deprecate_call(task));
        world.run(OPERATOR, subscribe_call(task, node, 1, 1))
    }),
    (TaskDeprecated, || {
        let (mut world, task, _) = with_task();
        world.ok(ADMIN, deprecate_call(task));
        let call = world.acquire_call(task, 1_000, 1_500_000, Single);
        world.run(USER, call)
    }),
    (TaskDeprecated, || {
        let (mut world, stack, _) = with_single();
        world.ok(ADMIN, deprecate_call(world.stack(stack).task));
        let call = world.top_up_call(stack, 1);
        world.run(USER, call)
    }),
    (NodeNotAllowed, || {
        subscribe(|call| call.allow_list = Some(vec![]), 1, 1)
    }),
    (PriceInvalid, || subscribe(|_| {}, 0, 1)),
    (PriceInvalid, || {
        subscribe(|call| call.price_ceiling = Price(5), 6, 1)
    }),
    (CapacityInvalid, || subscribe(|_| {}, 1, 0)),
    (CapacityInvalid, || {
        subscribe(|_| {}, 1, limits::MAX_UNITS + 1)
    }),
    (CollateralBelowTask, || {
        subscribe(|call| call.min_collateral = MicroUsdc(1_001), 1, 1)
    }),
    (ReputationBelowTask, || {
        subscribe(|call| call.min_reputation = 501, 1, 1)
    }),
    (SubscriptionsFull, || {
        let (mut world, task, node) = with_task();
        let late = world.register(OTHER, 1_000);
        world.edit(task, |object| {
            let Object::Task(task) = object else { panic!() };
            let one = task.subscription(node).cloned().unwrap();
            task.subscriptions = vec![one; limits::MAX_SUBSCRIPTIONS];
        });
        world.run(OTHER, subscribe_call(task, late, 1, 1))
    }),
    (NotSubscribed, || {
        let (mut world, task, _) = with_task();
        let other = world.register(OTHER, 1_000);
        world.run(OTHER, unsubscribe_call(task, other))
    }),
    (NotSubscribed, || {
        let (mut world, task, _) = with_task();
        let other = world.register(OTHER, 1_000);
        world.run(STRANGER, sync_call(task, other))
    }),
];

const STACK: &[Case] = &[
    (NotStackOwner, || {
        let (mut world, stack, _) = with_any();
        world.run(STRANGER, revoke_call(stack))
    }),
    (WrongTask, || {
        let (mut world, stack, _) = with_any();
        let mut call = world.top_up_call(stack, 1);
        call.task = world.create_task().into();
        world.run(USER, call)
    }),
    (WrongTask, || {
        let (mut world, stack, node) = with_single();
        let mut call = world.claim_call(stack, node);
        call.task = world.create_task().into();
        world.run(STRANGER, call)
    }),
    (UnitsInvalid, || {
        acquire(|call| call.total_units = ComputeUnits(0))
    }),
    (UnitsInvalid, || {
        acquire(|call| call.total_units = ComputeUnits(limits::MAX_UNITS + 1))
    }),
    (UnitsInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.top_up_call(stack, 0);
        world.run(USER, call)
    }),
    (UnitsInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.top_up_call(stack, u64::MAX);
        world.run(USER, call)
    }),
    (MaxPriceInvalid, || {
        acquire(|call| call.max_price = Price(0))
    }),
    (MaxPriceInvalid, || {
        acquire(|call| call.max_price = Price(10_000_001))
    }),
    (SelectionInvalid, || acquire_raw("selection", &3u8)),
    (NodeCountInvalid, || acquire_raw("nodes", &1u8)),
    (NodeCountInvalid, || {
        acquire(|call| call.selection = Limited { nodes: 0 })
    }),
    (NodeCountInvalid, || {
        acquire(|call| {
            call.selection = Limited {
                nodes: limits::MAX_CANDIDATES + 1,
            }
        })
    }),
    (RequestKeyInvalid, || {
        acquire(|call| call.request_key = weak_key())
    }),
    (LifetimeInvalid, || {
        acquire(|call| call.lifetime_ms = DurationMs(999))
    }),
    (LifetimeInvalid, || {
        acquire(|call| call.lifetime_ms = DurationMs(90 * DAY + 1))
    }),
    (EscrowOverflow, || {
        let mut world = World::new();
        let mut call = create_call();
        call.price_ceiling = Price(u64::MAX);
        let task = world.create_task_from(call);
        let call = world.acquire_call(task, limits::MAX_UNITS, u64::MAX, Any);
        world.run(USER, call)
    }),
    (EscrowZero, || {
        let (mut world, task, _) = with_task();
        let call = world.acquire_call(task, 333, 3_000, Single);
        world.run(USER, call)
    }),
    (WrongPayment, || acquire(|call| call.payment.0.0 -= 1)),
    (WrongPayment, || acquire(|call| call.payment.0.0 += 1)),
    (WrongPayment, || {
        let (mut world, stack, _) = with_any();
        let mut call = world.top_up_call(stack, 10);
        call.payment.0.0 += 1;
        world.run(USER, call)
    }),
    // too dear, too full, too poor, too few
    (NobodyEligible, || {
        let (mut world, task, _) = with_task();
        let call = world.acquire_call(task, 1_000, 999_999, Any);
        world.run(USER, call)
    }),
    (NobodyEligible, || {
        let (mut world, task, _) = with_task();
        let call = world.acquire_call(task, 10_001, 1_500_000, Single);
        world.run(USER, call)
    }),
    (NobodyEligible, || {
        // nobody can prove to be confidential yet
        let (mut world, node) = with_node();
        let mut call = create_call();
        call.security_level = SecurityLevel::ConfidentialCompute;
        let task = world.create_task_from(call);
        world.ok(OPERATOR, subscribe_call(task, node, 1, 1_000));
        let call = world.acquire_call(task, 1_000, 1_500_000, Any);
        world.run(USER, call)
    }),
    (TooFewEligible, || {
        let (mut world, task, _) = with_task();
        let call = world.acquire_call(task, 1_000, 1_500_000, Limited { nodes: 2 });
        world.run(USER, call)
    }),
    (StackClosed, || {
        let (mut world, stack, _) = with_any();
        world.ok(USER, begin_close_call(stack));
        world.run(USER, begin_close_call(stack))
    }),
    (StackClosed, || {
        let (mut world, stack, _) = with_any();
        world.ok(USER, begin_close_call(stack));
        world.now += DAY;
        world.run(STRANGER, close_call(stack))
    }),
    (StackExpired, || {
        let (mut world, stack, _) = with_any();
        world.now += DAY;
        let call = world.top_up_call(stack, 1);
        world.run(USER, call)
    }),
    (StackExpired, || {
        let (mut world, stack, _) = with_any();
        world.now += DAY;
        let call = world.extend_call(stack, 1);
        world.run(USER, call)
    }),
    (StackExpired, || {
        let (mut world, stack, node) = with_any();
        world.now += DAY;
        let call = world.lease_call(stack, node, 1);
        world.run(OPERATOR, call)
    }),
    (LeaseClosed, || {
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        let call = world.top_up_call(stack, 1);
        world.run(USER, call)
    }),
    (CapacityExceeded, || {
        let (mut world, stack, _) = with_single();
        let call = world.top_up_call(stack, 9_001);
        world.run(USER, call)
    }),
    (ExtensionInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.extend_call(stack, 0);
        world.run(USER, call)
    }),
    (ExtensionInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.extend_call(stack, 89 * DAY + 1);
        world.run(USER, call)
    }),
    (ExtensionInvalid, || {
        let (mut world, stack, _) = with_any();
        let call = world.extend_call(stack, u64::MAX);
        world.run(USER, call)
    }),
    (NothingUngranted, || {
        let (mut world, stack, _) = with_single();
        world.run(USER, revoke_call(stack))
    }),
    (GraceNotOver, || {
        let (mut world, stack, _) = with_any();
        world.now = world.stack(stack).settle_deadline().0;
        world.run(STRANGER, close_call(stack))
    }),
    (LeasesNotClosed, || {
        let (mut world, stack, _) = with_single();
        world.now = world.stack(stack).settle_deadline().0 + 1;
        world.run(STRANGER, close_call(stack))
    }),
];

const GRANT: &[Case] = &[
    (SingleTakesNoGrants, || {
        let (mut world, stack, node) = with_single();
        let call = world.lease_call(stack, node, 1_001);
        world.run(OPERATOR, call)
    }),
    (NotCandidate, || {
        let (mut world, task, first) = with_task();
        let second = world.serve(OTHER, task, 1_000_000, 10_000);
        let stack = world.buy(task, 1_000, Limited { nodes: 1 });
        let (operator, node) = if world.stack(stack).candidates == [first] {
            (OTHER, second)
        } else {
            (OPERATOR, first)
        };
        let call = world.lease_call(stack, node, 100);
        world.run(operator, call)
    }),
    (GrantInvalid, || {
        let (mut world, stack, node) = with_any();
        let mut call = world.lease_call(stack, node, 100);
        call.grant.pop();
        world.run(OPERATOR, call)
    }),
    (GrantWrongNetwork, || {
        grant(|grant| grant.network = NetworkId([1; 32]), USER)
    }),
    (GrantWrongStack, || {
        grant(|grant| grant.stack = StackId(address(1)), USER)
    }),
    (GrantWrongNode, || {
        grant(|grant| grant.node = NodeId(address(1)), USER)
    }),
    (GrantBadSignature, || grant(|_| {}, STRANGER)),
    (GrantBadSignature, || {
        let (mut world, stack, node) = with_any();
        let mut call = world.lease_call(stack, node, 100);
        call.signature.pop();
        world.run(OPERATOR, call)
    }),
    (GrantExpired, || {
        grant(|grant| grant.expires_at_ms = TimestampMs(1), USER)
    }),
    (GrantNotHigher, || {
        let (mut world, stack, node) = with_any();
        world.grant(OPERATOR, stack, node, 100);
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
    (LeaseClosed, || {
        let (mut world, stack, node) = with_any();
        world.grant(OPERATOR, stack, node, 100);
        world.ok(OPERATOR, nothing_call(stack, node));
        let call = world.lease_call(stack, node, 200);
        world.run(OPERATOR, call)
    }),
    (LeasesFull, || {
        let (mut world, stack, node) = with_any();
        let task = world.stack(stack).task;
        world.grant(OPERATOR, stack, node, 100);
        let late = world.serve(OTHER, task, 1_000_000, 10_000);
        world.edit(stack, |object| {
            let Object::Stack(stack) = object else {
                panic!()
            };
            stack.leases = vec![stack.leases[0].clone(); limits::MAX_LEASES];
        });
        let call = world.lease_call(stack, late, 100);
        world.run(OTHER, call)
    }),
    (LeasesExceedStack, || {
        grant(|grant| grant.cumulative_units = ComputeUnits(1_001), USER)
    }),
    (NotSubscribed, || {
        let (mut world, stack, _) = with_any();
        let other = world.register(OTHER, 1_000);
        let call = world.lease_call(stack, other, 100);
        world.run(OTHER, call)
    }),
    (SubscriptionNotActive, || {
        let (mut world, stack, node) = with_any();
        world.grant(OPERATOR, stack, node, 100);
        world.ok(OPERATOR, unsubscribe_call(world.stack(stack).task, node));
        let call = world.lease_call(stack, node, 200);
        world.run(OPERATOR, call)
    }),
    (PriceAboveMax, || {
        let (mut world, stack, node) = with_any();
        let task = world.stack(stack).task;
        world.ok(OPERATOR, subscribe_call(task, node, 1_500_001, 10_000));
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
    (CapacityExceeded, || {
        let (mut world, stack, node) = with_any();
        let task = world.stack(stack).task;
        world.ok(OPERATOR, subscribe_call(task, node, 1_000_000, 99));
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
    (CollateralBelowTask, || {
        let (mut world, stack, node) = with_any();
        let task = world.stack(stack).task;
        world.edit(task, |object| {
            let Object::Task(task) = object else { panic!() };
            task.min_collateral = MicroUsdc(1_001);
        });
        let call = world.lease_call(stack, node, 100);
        world.run(OPERATOR, call)
    }),
];

const SETTLEMENT: &[Case] = &[
    (NotNodeOwner, || {
        let (mut world, stack, node) = with_single();
        world.run(STRANGER, nothing_call(stack, node))
    }),
    (NoSuchLease, || {
        let (mut world, stack, node) = with_any();
        world.run(OPERATOR, nothing_call(stack, node))
    }),
    (NoSuchLease, || {
        let (mut world, stack, node) = with_any();
        let call = world.claim_call(stack, node);
        world.run(STRANGER, call)
    }),
    (DisputeOpen, || {
        let mut played = played();
        played.open(1);
        played.world.now += DAY;
        let call = played.world.claim_call(played.stack, played.node);
        played.world.run(STRANGER, call)
    }),
    (LeaseNotOpen, || {
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        world.run(OPERATOR, nothing_call(stack, node))
    }),
    (LeaseNotOpen, || {
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        world.now += 10 * DAY;
        let call = world.expire_call(stack, node);
        world.run(STRANGER, call)
    }),
    (DeadlinePassed, || {
        let (mut world, stack, node) = with_single();
        world.now = world.stack(stack).settle_deadline().0 + 1;
        world.run(OPERATOR, nothing_call(stack, node))
    }),
    (ClaimAboveLease, || {
        settle(|_, call, _, _| call.claimed_units = ComputeUnits(1_001))
    }),
    (RootInvalid, || settle_raw("receipts_root", &vec![0u8; 31])),
    (ManifestInvalid, || {
        settle_raw("manifest_blob", &vec![0u8; 31])
    }),
    (NotSettling, || {
        let (mut world, stack, node) = with_single();
        let call = world.claim_call(stack, node);
        world.run(STRANGER, call)
    }),
    (NotSettling, || {
        let (mut world, stack, node) = with_single();
        world.earn(OPERATOR, stack, node, 100);
        let call = world.claim_call(stack, node);
        world.run(STRANGER, call)
    }),
    (WindowNotOver, || {
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        world.now += HOUR - 1;
        let call = world.claim_call(stack, node);
        world.run(STRANGER, call)
    }),
    (DeadlineNotPassed, || {
        let (mut world, stack, node) = with_single();
        world.now = world.stack(stack).settle_deadline().0;
        let call = world.expire_call(stack, node);
        world.run(STRANGER, call)
    }),
];

const EVIDENCE: &[Case] = &[
    (NotAllEmpty, || {
        settle(|_, call, _, _| (call.claimed_units, call.count) = (ComputeUnits(0), 0))
    }),
    (NotAllEmpty, || {
        settle(|_, call, stack, node| {
            *call = nothing_call(stack, node);
            call.receipts_root = Hash32([1; 32]);
        })
    }),
    (CountMismatch, || settle(|_, call, _, _| call.count = 8)),
    (CountMismatch, || {
        settle(|world, call, stack, node| {
            call.count = 0;
            set_receipt(call, world.receipt(stack, node, 0, 100), OPERATOR);
        })
    }),
    (ClaimMismatch, || {
        settle_with_receipt(|r| r.cumulative_units = ComputeUnits(99), OPERATOR)
    }),
    (ReceiptInvalid, || {
        settle(|_, call, _, _| call.last_receipt.push(0))
    }),
    (ReceiptWrongNetwork, || {
        settle_with_receipt(|receipt| receipt.network = NetworkId([1; 32]), OPERATOR)
    }),
    (ReceiptWrongStack, || {
        settle_with_receipt(|receipt| receipt.stack = StackId(address(1)), OPERATOR)
    }),
    (ReceiptWrongNode, || {
        settle_with_receipt(|receipt| receipt.node = NodeId(address(1)), OPERATOR)
    }),
    (ReceiptBadSignature, || {
        settle_with_receipt(|_| {}, STRANGER)
    }),
    (ReceiptBadSignature, || {
        settle(|_, call, _, _| call.receipt_signature.clear())
    }),
    // of a batch: another's path, a side that no sibling has, one hash more than any may have, none at all
    (ReceiptBadSignature, || {
        settle_in_batch(|signature, other| *signature = other)
    }),
    (ReceiptBadSignature, || {
        settle_in_batch(|signature, _| signature[128] |= 4)
    }),
    (ReceiptBadSignature, settle_in_a_batch_too_large),
    (ReceiptBadSignature, || {
        settle_in_batch(|signature, _| {
            signature.splice(64.., [0, 0x80]);
        })
    }),
    // the root's own signature is nobody's
    (ReceiptBadSignature, || {
        settle_in_batch(|signature, _| signature.truncate(64))
    }),
    (HeaderCountInvalid, || {
        settle(|_, call, _, _| {
            call.headers.clear();
            call.header_signatures.clear();
        })
    }),
    (HeaderCountInvalid, || {
        settle(|_, call, _, _| call.header_signatures.clear())
    }),
    (HeaderCountInvalid, || {
        settle(|_, call, _, _| {
            call.headers = vec![call.headers[0].clone(); limits::MAX_LANES + 1];
            call.header_signatures = vec![call.header_signatures[0].clone(); limits::MAX_LANES + 1];
        })
    }),
    (HeaderInvalid, || {
        settle(|_, call, _, _| {
            call.headers[0].pop();
        })
    }),
    (HeaderWrongNetwork, || {
        settle_with_header(|header| header.network = NetworkId([1; 32]), USER)
    }),
    (HeaderWrongStack, || {
        settle_with_header(|header| header.stack = StackId(address(1)), USER)
    }),
    (HeaderWrongNode, || {
        settle_with_header(|header| header.node = NodeId(address(1)), USER)
    }),
    (HeaderWrongTask, || {
        settle_with_header(|header| header.task = TaskId(address(1)), USER)
    }),
    (HeaderBadSignature, || settle_with_header(|_| {}, OPERATOR)),
    (HeaderBadSignature, || {
        settle(|_, call, _, _| {
            call.header_signatures[0].pop();
        })
    }),
    (LanesNotRising, || {
        settle(|world, call, stack, node| {
            add_header(call, world.header(stack, node, 0, 100), USER);
        })
    }),
    (ClaimAboveCeilings, || {
        settle_with_header(|header| header.ceiling = ComputeUnits(99), USER)
    }),
];

/// Half a day into the epoch after one in which the node was paid for a hundred units.
fn with_work() -> (World, TaskId, NodeId) {
    let (mut world, stack, node) = with_single();
    world.earn(OPERATOR, stack, node, 100);
    let task = world.stack(stack).task;
    world.now = (world.now / DAY + 1) * DAY;
    (world, task, node)
}

const TREASURY: &[Case] = &[
    (NoFees, || {
        let (mut world, task, _) = with_task();
        world.run(STRANGER, collect_call(task))
    }),
    (NothingToReport, || {
        let (mut world, _, node) = with_task();
        world.run(STRANGER, report_call(node))
    }),
    (NothingToReport, || {
        let (mut world, _, node) = with_work();
        world.ok(STRANGER, report_call(node));
        world.run(STRANGER, report_call(node))
    }),
    (NothingToReport, || {
        let mut world = World::new();
        let node = world.register(OPERATOR, 1_000);
        world.now = 0;
        world.run(STRANGER, report_call(node))
    }),
    (ReportsClosed, || {
        let (mut world, _, node) = with_work();
        world.now += DAY / 2;
        world.run(STRANGER, report_call(node))
    }),
    (ReportsClosed, || {
        // the epoch's length changes while shares are being paid: its reports don't open again
        let (mut world, task, node) = with_work();
        let other = world.serve(OTHER, task, 1_000_000, 10_000);
        world.edit_node(other, |other| {
            other.previous.epoch = 1_000;
            other.previous.units = ComputeUnits(1);
        });
        world.ok(STRANGER, report_call(node));
        world.now += DAY / 2;
        world.ok(STRANGER, pay_call(node));
        world.now = 1_001 * DAY;
        world.run(STRANGER, report_call(other))
    }),
    (BookFull, || {
        let (mut world, _, node) = with_work();
        world.ok(STRANGER, report_call(node));
        world.edit(LOCALNET_DB, |object| {
            let Object::Db(db) = object else { panic!() };
            let share = EpochShare {
                node,
                units: ComputeUnits(1),
            };
            db.book.shares = vec![share; limits::MAX_SHARES];
        });
        world.edit_node(node, |node| node.current.units = ComputeUnits(1));
        world.run(STRANGER, report_call(node))
    }),
    (NoShare, || {
        let (mut world, _, node) = with_work();
        world.ok(STRANGER, report_call(node));
        world.now += DAY / 2;
        world.ok(STRANGER, pay_call(node));
        world.run(STRANGER, pay_call(node))
    }),
    (PaymentsNotOpen, || {
        let (mut world, _, node) = with_work();
        world.ok(STRANGER, report_call(node));
        world.now += DAY / 2 - 1;
        world.run(STRANGER, pay_call(node))
    }),
];

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

/// A demand for the first record, changed before it is sent.
fn open(change: impl FnOnce(&mut Played, &mut calls::OpenDispute)) -> Outcome {
    let mut played = played();
    let mut call = played.world.open_call(played.stack, played.node, 1);
    change(&mut played, &mut call);
    played.world.run(USER, call)
}

/// An answer to a demand for the first record, changed before it is sent.
fn answer(change: impl FnOnce(&mut Played, &mut calls::AnswerDispute)) -> Outcome {
    let mut played = played();
    played.open(1);
    let blob = played.world.blob(OPERATOR);
    let mut call = answer_call(played.stack, played.node, blob, &played.bytes(), 1);
    change(&mut played, &mut call);
    played.world.run(OPERATOR, call)
}

/// An answer with a blob that was registered so, by a wish certified.
fn answer_from(end_epoch: u32, deletable: bool, certified: bool) -> Outcome {
    answer(|played, call| {
        let world = &mut played.world;
        world.set_param("walrus_epoch", 10);
        let blob = world.register_blob(OPERATOR, end_epoch - 1, deletable);
        if certified {
            let certify = world.certify_call(blob);
            world.ok(OPERATOR, certify);
        }
        call.blob = blob.into();
    })
}

/// An answer with a first record that is made so, and was settled.
fn answer_with(make: impl FnOnce(&Played, EvidenceLeaf) -> Vec<u8>) -> Outcome {
    let (mut world, stack, node) = with_single();
    let records = world.records((USER, OPERATOR), stack, node, &[10; 3]);
    let mut settle = settle_records(stack, node, &records);
    let played = Played {
        world: World::new(),
        stack,
        node,
        records,
    };
    let mut bytes = played.bytes();
    bytes[0] = make(&played, played.records[0].clone());
    settle.receipts_root = root_of(&bytes);
    world.ok(OPERATOR, settle);
    let blob = world.blob(OPERATOR);
    let call = world.open_call(stack, node, 1);
    world.ok(USER, call);
    world.run(OPERATOR, answer_call(stack, node, blob, &bytes, 1))
}

const DISPUTE: &[Case] = &[
    // --- the demand ---
    (NotStackOwner, || {
        let mut played = played();
        let call = played.world.open_call(played.stack, played.node, 1);
        played.world.run(STRANGER, call)
    }),
    (StackClosed, || {
        open(|played, _| {
            played.world.now += HOUR;
            let call = played.world.claim_call(played.stack, played.node);
            played.world.ok(STRANGER, call);
        })
    }),
    (WrongBond, || open(|_, call| call.bond.0.0 -= 1)),
    (WrongBond, || open(|_, call| call.bond.0.0 += 1)),
    (NoSuchLease, || {
        open(|played, call| call.node = played.world.register(OTHER, 1_000).into())
    }),
    (NotSettling, || {
        let (mut world, stack, node) = with_single();
        let call = world.open_call(stack, node, 1);
        world.run(USER, call)
    }),
    (WindowOver, || open(|played, _| played.world.now += HOUR)),
    (SeqNotSettled, || open(|_, call| call.seq = 0)),
    (SeqNotSettled, || open(|_, call| call.seq = 11)),
    (SeqNotSettled, || {
        // a lease that was never used owes nothing
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        let call = world.open_call(stack, node, 1);
        world.run(USER, call)
    }),
    (AlreadyDisputed, || open(|played, _| played.open(1))),
    (DisputesFull, || {
        open(|played, _| {
            for seq in 0..limits::MAX_DISPUTES as u64 {
                played.open(seq + 2);
            }
        })
    }),
    (ReceiptWrongSeq, || {
        open(|played, call| (call.receipt, call.receipt_signature) = played.receipt(2))
    }),
    (ReceiptBadSignature, || {
        open(|played, call| call.receipt = played.receipt(1).0)
    }),
    (ReceiptInvalid, || {
        open(|played, call| call.receipt_signature = played.receipt(1).1)
    }),
    // --- the answer ---
    (NotSettling, || {
        answer(|played, _| {
            played.equivocate().unwrap();
        })
    }),
    (NoSuchLease, || {
        answer(|played, call| call.node = played.world.register(OTHER, 1_000).into())
    }),
    (WrongObjectKind, || {
        answer(|_, call| call.blob = LOCALNET_DB.into())
    }),
    (NoSuchDispute, || {
        answer(|played, call| (call.record, call.proof) = prove(&played.bytes(), 2))
    }),
    (NoSuchDispute, || {
        answer(|played, call| {
            played.world.ok(OPERATOR, call.clone());
        })
    }),
    (AnswerTooLate, || {
        answer(|played, _| played.world.now += HOUR + 1)
    }),
    (ProofInvalid, || answer(|_, call| call.proof.push(0))),
    (ProofFails, || answer(|_, call| call.record.push(0))),
    (ProofFails, || {
        // a tree of another size with the same root
        answer(|_, call| {
            let mut proof: Proof = bcs::from_bytes(&call.proof).unwrap();
            proof.count -= 1;
            call.proof = bcs::to_bytes(&proof).unwrap();
        })
    }),
    (BlobInvalid, || answer_from(11, false, false)),
    (BlobDeletable, || answer_from(11, true, true)),
    (BlobExpired, || answer_from(10, false, true)),
    (NotBlobOwner, || {
        answer(|played, call| call.blob = played.world.blob(STRANGER).into())
    }),
    (RecordInvalid, || answer_with(|_, leaf| leaf.receipt)),
    (HeaderInvalid, || {
        answer_with(|_, mut leaf| {
            leaf.header.pop();
            leaf.to_bytes()
        })
    }),
    (HeaderBadSignature, || {
        answer_with(|_, mut leaf| {
            leaf.header_signature[0] ^= 1;
            leaf.to_bytes()
        })
    }),
    (ReceiptBadSignature, || {
        answer_with(|_, mut leaf| {
            leaf.receipt_signature.pop();
            leaf.to_bytes()
        })
    }),
    (ReceiptWrongSeq, || {
        answer_with(|played, _| played.bytes()[1].clone())
    }),
    (ReceiptWrongRequest, || {
        answer_with(|played, mut leaf| {
            leaf.header.clone_from(&played.records[1].header);
            leaf.header_signature
                .clone_from(&played.records[1].header_signature);
            leaf.to_bytes()
        })
    }),
    (ReceiptDiffers, || {
        let mut played = played();
        let mut other: Receipt = bcs::from_bytes(&played.records[0].receipt).unwrap();
        other.units = ComputeUnits(11);
        let mut call = played.world.open_call(played.stack, played.node, 1);
        (call.receipt, call.receipt_signature) = sign(other, OPERATOR);
        played.world.ok(USER, call);
        let blob = played.world.blob(OPERATOR);
        let call = answer_call(played.stack, played.node, blob, &played.bytes(), 1);
        played.world.run(OPERATOR, call)
    }),
    // --- the end ---
    (AnswerTimeNotOver, || {
        let mut played = played();
        played.open(1);
        played.world.now += HOUR;
        let call = played.world.resolve_call(played.stack, played.node, 1);
        played.world.run(STRANGER, call)
    }),
    (NoSuchDispute, || {
        let mut played = played();
        played.open(1);
        played.world.now += DAY;
        let call = played.world.resolve_call(played.stack, played.node, 2);
        played.world.run(STRANGER, call)
    }),
    (NotSettling, || {
        let (mut world, stack, node) = with_single();
        let call = world.resolve_call(stack, node, 1);
        world.run(STRANGER, call)
    }),
    (WrongTask, || {
        let mut played = played();
        let other = played.world.create_task();
        let mut call = played.world.resolve_call(played.stack, played.node, 1);
        call.task = other.into();
        played.world.run(STRANGER, call)
    }),
    (AlreadyConvicted, || {
        let mut played = played();
        played.equivocate().unwrap();
        played.equivocate()
    }),
    (NodeLeft, || {
        let mut played = played();
        let task = played.world.stack(played.stack).task;
        played.world.now += HOUR;
        let call = played.world.claim_call(played.stack, played.node);
        played.world.ok(STRANGER, call);
        played
            .world
            .ok(OPERATOR, unsubscribe_call(task, played.node));
        played.world.ok(OPERATOR, unbond_call(played.node));
        played.world.now += 7 * DAY;
        played.world.ok(OPERATOR, withdraw_call(played.node));
        played.equivocate()
    }),
    // --- proofs ---
    (ReceiptsAgree, || {
        let mut played = played();
        let (one, other) = (played.receipt(3), played.receipt(7));
        let call = played
            .world
            .equivocation_call(played.stack, played.node, one, other);
        played.world.run(STRANGER, call)
    }),
    (ReceiptWrongStack, || {
        let mut played = played();
        let mut other: Receipt = bcs::from_bytes(&played.records[0].receipt).unwrap();
        other.stack = StackId(address(1));
        let one = played.receipt(1);
        let call =
            played
                .world
                .equivocation_call(played.stack, played.node, one, sign(other, OPERATOR));
        played.world.run(STRANGER, call)
    }),
    (ChargeAllowed, || {
        let mut played = played();
        let receipt = played.receipt(1);
        let call =
            played
                .world
                .over_claim_call(played.stack, played.node, receipt, Default::default());
        played.world.run(STRANGER, call)
    }),
    (ReceiptWrongRequest, || {
        let mut played = played();
        let receipt = played.receipt(1);
        let other = &played.records[1];
        let header = (other.header.clone(), other.header_signature.clone());
        let call = played
            .world
            .over_claim_call(played.stack, played.node, receipt, header);
        played.world.run(STRANGER, call)
    }),
    (RecordGenuine, || {
        let mut played = played();
        let call = played
            .world
            .forged_call(played.stack, played.node, &played.bytes(), 4);
        played.world.run(STRANGER, call)
    }),
    (ProofFails, || {
        let mut played = played();
        let mut call = played
            .world
            .forged_call(played.stack, played.node, &played.bytes(), 4);
        call.record = b"nothing".to_vec();
        played.world.run(STRANGER, call)
    }),
    (NotSettling, || {
        let mut played = played();
        played.world.now += HOUR;
        let call = played.world.claim_call(played.stack, played.node);
        played.world.ok(STRANGER, call);
        let call = played
            .world
            .forged_call(played.stack, played.node, &played.bytes(), 4);
        played.world.run(STRANGER, call)
    }),
];

/// A registration, changed before it is sent.
fn blob_register(change: impl FnOnce(&mut World, &mut calls::RegisterBlob)) -> Outcome {
    let mut world = World::new();
    world.start_walrus();
    let mut call = register_blob_call(10, false);
    change(&mut world, &mut call);
    world.run(USER, call)
}

/// A certification, changed before it is sent.
fn blob_certify(change: impl FnOnce(&mut World, &mut calls::CertifyBlob)) -> Outcome {
    let mut world = World::new();
    let blob = world.register_blob(USER, 3, false);
    let mut call = world.certify_call(blob);
    change(&mut world, &mut call);
    world.run(USER, call)
}

fn blob_extend(epochs: u32, certified: bool, passed: usize) -> Outcome {
    let mut world = World::new();
    let blob = world.register_blob(USER, 3, false);
    if certified {
        let certify = world.certify_call(blob);
        world.ok(USER, certify);
    }
    for _ in 0..passed {
        let call = world.advance_epoch_call();
        world.ok(ADMIN, call);
    }
    world.run(USER, extend_blob_call(blob, epochs))
}

fn named_committee(change: impl FnOnce(&mut calls::SetCommittee)) -> Outcome {
    let mut world = World::new();
    let mut call = world.committee_call();
    change(&mut call);
    world.run(ADMIN, call)
}

const WALRUS: &[Case] = &[
    // --- the operator ---
    (NotWalrusOperator, || {
        let mut world = World::new();
        let call = world.committee_call();
        world.run(STRANGER, call)
    }),
    (NotWalrusOperator, || {
        let mut world = World::new();
        let call = world.advance_epoch_call();
        world.run(STRANGER, call)
    }),
    (WrongObjectKind, || {
        named_committee(|call| call.cap = LOCALNET_DB.into())
    }),
    (CommitteeInvalid, || {
        named_committee(|call| call.public_keys[0][7] ^= 1)
    }),
    (CommitteeInvalid, || {
        named_committee(|call| drop(call.public_keys.pop()))
    }),
    (CommitteeInvalid, || {
        named_committee(|call| call.weights[0] = 0)
    }),
    (CommitteeInvalid, || {
        named_committee(|call| call.weights[0] = 1_000)
    }),
    (CommitteeInvalid, || {
        named_committee(|call| (call.public_keys, call.weights) = (Vec::new(), Vec::new()))
    }),
    // --- registering ---
    (NoCommittee, || {
        World::new().run(USER, register_blob_call(10, false))
    }),
    (EpochsInvalid, || {
        blob_register(|_, call| call.epochs_ahead = 0)
    }),
    (EpochsInvalid, || {
        blob_register(|_, call| call.epochs_ahead = 54)
    }),
    (EncodingUnknown, || {
        blob_register(|_, call| call.encoding_type = 0)
    }),
    (BlobTooLarge, || {
        blob_register(|_, call| call.size = 1_834_953)
    }),
    (StorageTooSmall, || {
        blob_register(|_, call| call.storage_amount -= 1)
    }),
    (BlobIdInvalid, || blob_register(|_, call| call.size += 1)),
    (BlobIdInvalid, || {
        blob_register(|_, call| call.root_hash.0.0[0] ^= 1)
    }),
    // --- certifying ---
    (AlreadyCertified, || {
        blob_certify(|world, call| drop(world.ok(USER, call.clone())))
    }),
    (NotBlobOwner, || {
        let mut world = World::new();
        let blob = world.register_blob(USER, 3, false);
        let call = world.certify_call(blob);
        world.run(STRANGER, call)
    }),
    (StorageEnded, || {
        blob_certify(|world, call| {
            for _ in 0..3 {
                let advance = world.advance_epoch_call();
                world.ok(ADMIN, advance);
            }
            *call = world.certify_call(call.blob.id());
        })
    }),
    (ConfirmationInvalid, || {
        blob_certify(|_, call| call.message.push(0))
    }),
    (ConfirmationInvalid, || {
        // of another blob
        blob_certify(|_, call| call.message[20] ^= 1)
    }),
    (ConfirmationInvalid, || {
        // of a deletable blob
        blob_certify(|_, call| {
            call.message.pop();
            call.message.push(1);
            call.message.extend([7; 32]);
        })
    }),
    (ConfirmationWrongEpoch, || {
        blob_certify(|world, _| {
            let advance = world.advance_epoch_call();
            world.ok(ADMIN, advance);
        })
    }),
    (NoQuorum, || {
        // six of ten shards
        blob_certify(|_, call| sign_confirmation(call, &[0, 2]))
    }),
    (CertificateInvalid, || {
        blob_certify(|_, call| call.signature[5] ^= 1)
    }),
    (CertificateInvalid, || {
        blob_certify(|_, call| call.signature = vec![0; 96])
    }),
    (CertificateInvalid, || {
        // says that one more signed
        blob_certify(|_, call| {
            sign_confirmation(call, &[0, 1]);
            call.signers_bitmap = vec![0b1111];
        })
    }),
    (CertificateInvalid, || {
        // a member that isn't
        blob_certify(|_, call| call.signers_bitmap = vec![0b1_1111])
    }),
    (CertificateInvalid, || {
        blob_certify(|_, call| call.signers_bitmap.push(0))
    }),
    // --- after that ---
    (NotCertified, || blob_extend(1, false, 0)),
    (StorageEnded, || blob_extend(1, true, 3)),
    (EpochsInvalid, || blob_extend(0, true, 0)),
    (EpochsInvalid, || blob_extend(51, true, 0)),
    (EpochsInvalid, || blob_extend(u32::MAX, true, 0)),
    (NotBlobOwner, || {
        let mut world = World::new();
        let blob = world.blob(USER);
        world.run(STRANGER, extend_blob_call(blob, 1))
    }),
    (BlobPermanent, || {
        let mut world = World::new();
        let blob = world.blob(USER);
        world.run(USER, delete_blob_call(blob))
    }),
    (NotBlobOwner, || {
        let mut world = World::new();
        let blob = world.register_blob(USER, 3, true);
        world.run(STRANGER, delete_blob_call(blob))
    }),
    (ObjectMissing, || {
        let mut world = World::new();
        let blob = world.register_blob(USER, 3, true);
        world.ok(USER, delete_blob_call(blob));
        world.run(USER, delete_blob_call(blob))
    }),
];

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
