//! Database, nodes, tasks, treasury.

use super::codes::Scene;
use crate::world::*;
use atoma_types::{
    BlobId, MicroUsdc, NodeId, Numerics, ObjectId, Price, PublicKey, Rule as Comparison,
    SecurityLevel, TaskId, TimestampMs, UnitWeights,
    chain::{
        AbortCode::*, Attester, Call, Clock, LOCALNET_DB, NewTask, Payment, SubscriptionState,
        calls,
    },
    hash::Hash32,
};

/// The point of order one: no signature by it is strict.
pub(super) fn weak_key() -> PublicKey {
    let mut point = [0; 32];
    point[0] = 1;
    PublicKey(point)
}

pub(crate) fn scenes() {
    database();
    nodes();
    tasks();
    subscriptions();
    releases();
    attesters();
    treasury();
}

fn database() {
    let mut s = Scene::new(World::new());
    let call = s.w.set_param_call("nonsense", 1);
    s.case(UnknownParam, ADMIN, call);
    let call = s.w.set_param_call("paused", 2);
    s.case(ParamTooLarge, ADMIN, call);
    let call = s.w.set_param_call("answer_window_ms", 1);
    s.case(ParamTooSmall, ADMIN, call.clone());
    s.case(NotAdmin, OPERATOR, call);
    let call = s.w.set_param_call("min_attesters", 64);
    let call = calls::SetParam {
        name: "jury_size".to_owned(),
        value: 8,
        ..call
    };
    s.case(ParamsContradict, ADMIN, call);
    let call = calls::SetParam {
        db: ObjectId::new([77; 32]).into(),
        ..s.w.set_param_call("paused", 1)
    };
    s.case(ObjectMissing, ADMIN, call);
    let mut s = s.after(
        |w| {
            w.register(OPERATOR, 100 * USDC);
        },
        |s| {
            let call = calls::SetDevelopment {
                db: LOCALNET_DB.into(),
                cap: s.w.cap().into(),
            };
            s.case(InUse, ADMIN, call);
            let cap = s.w.cap();
            s.case(
                WrongObjectKind,
                OPERATOR,
                calls::SetNodeUrl {
                    node: cap.into(),
                    url: "http://a".to_owned(),
                },
            );
        },
    );
    s.play();
    let mut s = s.after(
        |w| {
            let cap = w.cap();
            w.edit(cap, |object| match object {
                atoma_contract::Object::AdminCap(cap) => cap.db = ObjectId::new([5; 32]),
                _ => panic!("not the cap"),
            });
        },
        |s| {
            let cap = s.w.state.iter().find_map(|(object, _)| match object {
                atoma_contract::Object::AdminCap(cap) => Some(cap.id),
                _ => None,
            });
            let call = calls::SetParam {
                db: LOCALNET_DB.into(),
                cap: cap.unwrap().into(),
                name: "paused".to_owned(),
                value: 1,
            };
            s.case(WrongDatabase, ADMIN, call);
        },
    );
    s.play();
}

fn nodes() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut s = Scene::new(w);
    s.case(
        CollateralTooLow,
        OPERATOR,
        register_call(OPERATOR, 100 * USDC - 1),
    );
    let good = register_call(OPERATOR, 100 * USDC);
    s.case(
        UrlInvalid,
        OPERATOR,
        calls::RegisterNode {
            url: "ftp://x".to_owned(),
            ..good
        },
    );
    s.case(
        ResponseKeyInvalid,
        OPERATOR,
        calls::RegisterNode {
            response_key: weak_key(),
            ..good.clone()
        },
    );
    s.case(NotNodeOwner, STRANGER, withdraw_node_call(node, STRANGER));
    s.case(
        NothingToWithdraw,
        OPERATOR,
        withdraw_node_call(node, OPERATOR),
    );
    s.case(NothingAdded, OPERATOR, collateral_call(node, 0));
    s.case(NodeHasSubscriptions, OPERATOR, unbond_call(node));
    s.case(NotUnbonding, OPERATOR, leave_call(node));
    s.case(NothingPending, STRANGER, forfeit_call(node));
    let mut s = s.after(
        |w| {
            w.grant_all(OPERATOR, task, node);
            w.ok(OPERATOR, unsubscribe_call(task, node));
            w.ok(OPERATOR, unbond_call(node));
        },
        |s| {
            s.case(UnbondingNotOver, OPERATOR, leave_call(node));
            s.case(NodeNotActive, OPERATOR, collateral_call(node, 1));
        },
    );
    s.play();
    s.w.now += 8 * DAY;
    s.case(AtStake, OPERATOR, leave_call(node));
    s.play();
    s.w.edit_node(node, |node| {
        node.pending.fines = MicroUsdc(5);
        node.pending.until_ms = TimestampMs(u64::MAX);
    });
    s.case(PardonNotOver, STRANGER, forfeit_call(node));
    s.play();
    s.w.edit_node(node, |node| node.pending.until_ms = TimestampMs(1));
    let call = s.w.pardon_call(node, 5);
    s.case(PardonOver, ADMIN, call);
    s.play();
    let mut s = s.after(
        |w| {
            let call = w.set_param_call("paused", 1);
            w.run_unchecked(ADMIN, call).unwrap();
        },
        |s| s.case(Paused, OPERATOR, good),
    );
    s.play();
}

impl World {
    /// Some of a new stack of twenty days leased to a node.
    pub(super) fn grant_all(
        &mut self,
        operator: u8,
        task: atoma_types::TaskId,
        node: atoma_types::NodeId,
    ) {
        let mut call = self.acquire_call(task, USDC, PRICE, 0);
        call.lifetime_ms.0 = 20 * DAY;
        let stack = bought(&self.ok(USER, call));
        self.grant(operator, stack, node, USDC);
    }
}

fn tasks() {
    type Change = fn(&mut NewTask);
    let changes: [(Change, atoma_types::chain::AbortCode); 7] = [
        (|task| task.model.clear(), ModelNameInvalid),
        (|task| task.price_ceiling = Price(0), PriceCeilingZero),
        (
            |task| task.weights = UnitWeights::from_list([0; 5]),
            WeightsInvalid,
        ),
        (|task| task.engine.numerics = Numerics::Tolerant, RuleUnfit),
        (|task| task.min_reputation = 1_001, MinReputationTooHigh),
        (
            |task| {
                let id = atoma_types::NodeId(ObjectId::new([1; 32]));
                task.allow_list = Some(vec![id; 65]);
            },
            AllowListTooLong,
        ),
        (
            |task| task.weights = UnitWeights::from_list([1 << 41; 5]),
            WeightsInvalid,
        ),
    ];
    let mut w = World::new();
    let task = w.create_task();
    let mut s = Scene::new(w);
    for (change, code) in changes {
        let mut new = new_task();
        change(&mut new);
        s.case(code, ADMIN, new.call(LOCALNET_DB));
    }
    s.case(NotSampling, ADMIN, fund_call(task, 5));
    let deprecate = deprecate_call(task);
    s.case(NotTaskOwner, STRANGER, deprecate.clone());
    let mut s = s.after(
        |w| {
            w.ok(ADMIN, deprecate.clone());
        },
        |s| s.case(TaskDeprecated, ADMIN, deprecate.clone()),
    );
    s.play();
    assert_eq!(new_task().engine.rule, Comparison::Exact);
}

fn subscriptions() {
    let mut w = World::new();
    let mut new = new_task();
    new.min_collateral = MicroUsdc(200 * USDC);
    new.min_reputation = 50;
    let task = w.create_task_from(new.clone());
    new.allow_list = Some(Vec::new());
    let closed = w.create_task_from(new);
    let poor = w.register(OPERATOR, 100 * USDC);
    let node = w.register(OPERATOR, 1_000 * USDC);
    let mut s = Scene::new(w);
    s.case(
        CollateralBelowTask,
        OPERATOR,
        subscribe_call(task, poor, PRICE),
    );
    s.case(
        NodeNotAllowed,
        OPERATOR,
        subscribe_call(closed, node, PRICE),
    );
    s.case(PriceInvalid, OPERATOR, subscribe_call(task, node, 0));
    s.case(
        PriceInvalid,
        OPERATOR,
        subscribe_call(task, node, 10_000_001),
    );
    s.case(NotSubscribed, OPERATOR, unsubscribe_call(task, node));
    s.case(NotSubscribed, STRANGER, sync_call(task, node));
    s.case(
        SubscriptionsNotFull,
        OPERATOR,
        evict_call(task, node, poor, PRICE),
    );
    let mut s = s.after(
        |w| w.edit_node(node, |node| node.standing.reputation = 49),
        |s| {
            s.case(
                ReputationBelowTask,
                OPERATOR,
                subscribe_call(task, node, PRICE),
            );
        },
    );
    s.play();
    // a full task; its places are copies of one, so that it is quickly made
    s.w.edit_node(node, |node| node.standing.reputation = 100);
    s.w.ok(OPERATOR, subscribe_call(task, node, PRICE));
    let other = s.w.register(OPERATOR, 1_000 * USDC);
    s.w.edit(task, |object| match object {
        atoma_contract::Object::Task(task) => {
            let one = task.subscriptions[0].clone();
            task.subscriptions = vec![one; 256];
        }
        _ => panic!("not a task"),
    });
    s.case(
        SubscriptionsFull,
        OPERATOR,
        subscribe_call(task, other, PRICE),
    );
    s.case(NotEvictable, OPERATOR, evict_call(task, other, node, PRICE));
    s.case(
        SubscribedAlready,
        OPERATOR,
        evict_call(task, node, node, PRICE),
    );
    s.play();
    evicted_on_duty(s, task, node, other);
}

/// Places of those who stay for a duty.
fn evicted_on_duty(mut s: Scene, task: TaskId, node: NodeId, other: NodeId) {
    // suspended, so that it goes whoever comes
    s.w.edit_node(node, |node| node.standing.reputation = 49);
    s.w.edit(task, |object| match object {
        atoma_contract::Object::Task(task) => {
            let mut one = task.subscriptions[0].clone();
            one.attester = Some(Attester {
                duties: 1,
                ..Attester::default()
            });
            let mut gone = one.clone();
            gone.state = SubscriptionState::Evicted;
            task.subscriptions = [vec![one; 256], vec![gone; 64]].concat();
        }
        _ => panic!("not a task"),
    });
    s.case(DutyOpen, OPERATOR, evict_call(task, other, node, PRICE));
    s.play();
    s.w.edit_node(node, |node| node.standing.reputation = 100);
    s.w.edit(task, |object| match object {
        atoma_contract::Object::Task(task) => {
            task.subscriptions[0].state = SubscriptionState::Evicted;
        }
        _ => panic!("not a task"),
    });
    s.case(DutyOpen, OPERATOR, subscribe_call(task, node, PRICE));
    s.play();
}

fn releases() {
    let mut w = World::new();
    let plain = w.create_task();
    let mut new = new_task();
    new.security = SecurityLevel::ConfidentialCompute;
    let task = w.create_task_from(new);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let release = |task: atoma_types::TaskId, byte| calls::AnnounceRelease {
        db: LOCALNET_DB.into(),
        task: task.into(),
        release: Hash32([byte; 32]),
        clock: Clock,
    };
    let attest = calls::AttestNode {
        node: node.into(),
        kind: 1,
        release: Hash32([1; 32]),
        evidence: BlobId([2; 32]),
        expires_at_ms: TimestampMs(w.now + 30 * DAY),
    };
    let mut s = Scene::new(w);
    s.case(NotConfidential, ADMIN, release(plain, 1));
    let withdraw = calls::WithdrawRelease {
        task: task.into(),
        release: Hash32([1; 32]),
    };
    s.case(NoSuchRelease, ADMIN, withdraw.clone());
    s.play();
    for byte in 1..=16 {
        s.w.ok(ADMIN, release(task, byte));
    }
    s.case(ReleasesFull, ADMIN, release(task, 17));
    s.case(ReleasedAlready, ADMIN, release(task, 1));
    s.play();
    // a release counts after its delay, and for whoever attests it
    s.w.ok(OPERATOR, attest);
    s.w.ok(STRANGER, sync_call(task, node));
    let early = s.w.acquire_call(task, USDC, PRICE, 0);
    s.case(NobodyEligible, USER, early.clone());
    s.play();
    s.w.now += DAY;
    s.w.ok(STRANGER, sync_call(task, node));
    let stack = bought(&s.w.ok(USER, early));
    let lease = s.w.lease_call(stack, node, 1_000);
    s.w.clone().ok(OPERATOR, lease.clone());
    s.w.ok(ADMIN, withdraw);
    s.case(NotAttested, OPERATOR, lease);
    s.play();
}

fn attesters() {
    let mut w = World::new();
    let plain = w.create_task();
    let task = w.sampling_task(Comparison::Exact, 9);
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    w.ok(OPERATOR, subscribe_call(plain, node, PRICE));
    let mut s = Scene::new(w);
    let call = attester_call(&s.w, plain, node);
    s.case(NotSampling, OPERATOR, call);
    let call = attester_call(&s.w, task, node);
    let mut cheap = call.clone();
    cheap.deposit = Payment(MicroUsdc(1));
    s.case(WrongDeposit, OPERATOR, cheap);
    let resign = calls::ResignAttester {
        task: task.into(),
        node: node.into(),
    };
    s.case(NotAttesting, OPERATOR, resign);
    s.case(NothingAdded, ADMIN, fund_call(task, 0));
    s.play();
    s.w.ok(OPERATOR, call.clone());
    s.case(AttestsAlready, OPERATOR, call);
    let collect = calls::CollectAttesterFees {
        task: task.into(),
        node: node.into(),
    };
    s.case(NoFees, STRANGER, collect);
    s.play();
    // whoever is drawn isn't drawn again, and its deposit stays
    let mut chain = s.w.leased(OPERATOR, task, node, 5 * USDC);
    chain.serve(&s.w, USDC);
    s.w.settle(&chain);
    s.w.draw(&chain, true);
    let (_, examiner) = s.w.examine(&chain);
    let owner = address(examiner);
    let mut subscriptions = s.w.task(task).subscriptions.iter();
    let drawn = subscriptions.find(|s| s.owner == owner).unwrap().node;
    let resign = calls::ResignAttester {
        task: task.into(),
        node: drawn.into(),
    };
    s.case(DutyOpen, examiner, unsubscribe_call(task, drawn));
    s.play();
    s.w.ok(examiner, resign.clone());
    s.case(DutyOpen, examiner, resign);
    s.case(DutyOpen, examiner, unsubscribe_call(task, drawn));
    s.play();
}

fn treasury() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 10_000 * USDC);
    w.now = (w.now / DAY + 1) * DAY;
    let mut chain = w.leased(OPERATOR, task, node, 100 * USDC);
    chain.serve(&w, 100 * USDC);
    let mut s = Scene::new(w);
    s.case(NoFees, STRANGER, collect_call(task));
    s.case(NothingToReport, STRANGER, report_call(node));
    s.case(NoShare, STRANGER, pay_call(node));
    s.play();
    s.w.earn(&mut chain);
    s.w.now = (s.w.now / DAY + 1) * DAY;
    let late = DAY / 2;
    s.w.now += late;
    s.case(ReportsClosed, STRANGER, report_call(node));
    s.play();
    s.w.now -= late;
    s.w.ok(STRANGER, report_call(node));
    s.case(PaymentsNotOpen, STRANGER, pay_call(node));
    s.play();
    let _: Call = collect_call(task).into();
}
