//! Random calls by many parties, honest and not, with real keys and a clock that jumps. After every
//! call all invariants hold and money is conserved (see `world`), books kept from events alone agree
//! (see `rounding`), and no lease outgrows its node's capacity. In the end everyone leaves: with new
//! business paused and nobody's help, every stack is closed and every collateral paid out.

mod disputes;
mod market;
mod time;

use crate::{rounding::Books, storage::*, world::*};
use atoma_contract::Object;
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, ObjectId, Price, SecurityLevel, StackId, TaskId,
    TimestampMs,
    chain::{Call, LOCALNET_DB, LeaseState, Node, NodeStatus, Selection, Ticket},
    message::{EvidenceLeaf, Receipt},
};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use std::collections::BTreeMap;

/// Cases unless `PROPTEST_CASES` says otherwise: a few seconds.
const CASES: u32 = 64;
/// Calls of one case.
const CALLS: std::ops::Range<usize> = 60..300;
/// Calls of a case that Move plays again.
const SHORT_CALLS: std::ops::Range<usize> = 10..40;

pub(crate) fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    config
}

/// One random step: what to do, and numbers to choose everything else by.
#[derive(Clone, Debug)]
struct Step {
    what: What,
    picks: [u16; 6],
}

#[derive(Clone, Copy, Debug)]
enum What {
    Register,
    CreateTask,
    Subscribe,
    Unsubscribe,
    Sync,
    Acquire,
    Lease,
    TopUp,
    Extend,
    Revoke,
    BeginClose,
    Close,
    Settle,
    Claim,
    Expire,
    CollectFees,
    Report,
    Pay,
    Wait,
    SetParam,
    AddCollateral,
    Unbond,
    Withdraw,
    Deprecate,
    SetUrl,
    RegisterBlob,
    CertifyBlob,
    ExtendBlob,
    DeleteBlob,
    AdvanceEpoch,
    SetCommittee,
    OpenDispute,
    Answer,
    Resolve,
    Equivocation,
    OverClaim,
    Forged,
}

/// What is chosen how often.
const WEIGHTS: &[(u32, What)] = &[
    (3, What::Register),
    (2, What::CreateTask),
    (8, What::Subscribe),
    (2, What::Unsubscribe),
    (2, What::Sync),
    (14, What::Acquire),
    (20, What::Lease),
    (5, What::TopUp),
    (2, What::Extend),
    (2, What::Revoke),
    (2, What::BeginClose),
    (3, What::Close),
    (18, What::Settle),
    (14, What::Claim),
    (4, What::Expire),
    (4, What::CollectFees),
    (5, What::Report),
    (5, What::Pay),
    (12, What::Wait),
    (4, What::SetParam),
    (1, What::AddCollateral),
    (3, What::Unbond),
    (4, What::Withdraw),
    (1, What::Deprecate),
    (1, What::SetUrl),
    (4, What::RegisterBlob),
    (4, What::CertifyBlob),
    (1, What::ExtendBlob),
    (1, What::DeleteBlob),
    (1, What::AdvanceEpoch),
    (1, What::SetCommittee),
    (10, What::OpenDispute),
    (9, What::Answer),
    (4, What::Resolve),
    (1, What::Equivocation),
    (1, What::OverClaim),
    (6, What::Forged),
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), CALLS)
}

fn step() -> impl Strategy<Value = Step> {
    let what = prop::strategy::Union::new_weighted(
        WEIGHTS
            .iter()
            .map(|&(weight, what)| (weight, Just(what)))
            .collect(),
    );
    (what, any::<[u16; 6]>()).prop_map(|(what, picks)| Step { what, picks })
}

/// A play under way.
struct Play {
    world: World,
    books: Books,
    nodes: Vec<(NodeId, u8)>,
    tasks: Vec<TaskId>,
    stacks: Vec<(StackId, u8)>,
    /// What nodes settled, by lease: bytes of each record.
    records: BTreeMap<(StackId, NodeId), Vec<Vec<u8>>>,
    /// Blobs with their owners, deleted ones too.
    blobs: Vec<(ObjectId, u8)>,
    /// Calls that succeeded, by function.
    done: BTreeMap<&'static str, u64>,
}

impl Play {
    /// Two tasks and three nodes to begin with.
    fn new() -> Self {
        let mut play = Self {
            world: World::new(),
            books: Books::default(),
            nodes: Vec::new(),
            tasks: Vec::new(),
            stacks: Vec::new(),
            records: BTreeMap::new(),
            blobs: Vec::new(),
            done: BTreeMap::new(),
        };
        play.world.start_walrus();
        // or else one conviction would end a case
        play.world.set_param("jail_ms", HOUR);
        play.world.set_param("dispute_bond", 1_003);
        for level in [SecurityLevel::None, SecurityLevel::SamplingConsensus] {
            let mut new = new_task();
            new.security = level;
            play.tasks.push(play.world.create_task_from(new));
        }
        for operator in OPERATOR..OPERATOR + 3 {
            let price = 700_003 * u64::from(operator - OPERATOR + 1);
            let node = play.world.serve(operator, play.tasks[0], price, 5_000);
            play.nodes.push((node, operator));
        }
        play
    }

    fn run(&mut self, sender: u8, call: impl Into<Call>) {
        let call = call.into();
        let before = self.world.state.clone();
        let Ok(changes) = self.world.run(sender, call.clone()) else {
            assert_eq!(self.world.state, before);
            return;
        };
        *self.done.entry(call.function().name).or_default() += 1;
        self.books.enter(&self.world, &changes);
        for (object, _) in changes.written.values() {
            match object {
                Object::Task(task) => {
                    for new in &task.subscriptions {
                        let old = match before.get(task.id.0) {
                            Some(Object::Task(old)) => old.subscription(new.node),
                            _ => None,
                        };
                        let old = old.map_or(ComputeUnits::ZERO, |old| old.leased);
                        assert!(new.leased <= old || new.leased <= new.capacity);
                    }
                }
                Object::Node(node) if !before.iter().any(|(old, _)| old.id() == node.id.0) => {
                    self.nodes.push((node.id, sender));
                }
                Object::Blob(blob) if before.get(blob.id).is_none() => {
                    self.blobs.push((blob.id, sender));
                }
                Object::Stack(stack) if before.get(stack.id.0).is_none() => {
                    self.stacks.push((stack.id, sender));
                }
                _ => {}
            }
        }
        for (object, _) in changes.written.values() {
            if let Object::Task(task) = object
                && !self.tasks.contains(&task.id)
            {
                self.tasks.push(task.id);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let pick = |i: usize, n: usize| usize::from(step.picks[i]) % n;
        let number = |i: usize, n: u64| u64::from(step.picks[i]) % n;
        // one in ten calls comes from somebody who has no business there
        let by = |right: u8| {
            if step.picks[5].is_multiple_of(10) {
                STRANGER
            } else {
                right
            }
        };
        // half of the calls are about the first task, so that its parties meet
        let task = match pick(0, 2) {
            0 => self.tasks[0],
            _ => self.tasks[pick(3, self.tasks.len())],
        };
        let (node, operator) = self.nodes[pick(1, self.nodes.len())];
        let stack = match self.stacks.len() {
            0 => None,
            // mostly late ones, which are still open
            n => Some(self.stacks[n - 1 - pick(2, n.min(6))]),
        };
        match (step.what, stack) {
            (What::Register, _) => {
                let operator = OPERATOR + step.picks[0] as u8 % 4;
                self.run(operator, register_call(operator, 500 + number(1, 4_000)));
            }
            (What::CreateTask, _) if self.tasks.len() < 5 => self.create_task(step),
            (What::Subscribe, _) => {
                let price = 1 + number(2, 1 << 16) * 100;
                let call = subscribe_call(task, node, price, 1 + number(3, 8_000));
                self.run(by(operator), call);
            }
            (What::Unsubscribe, _) => self.run(by(operator), unsubscribe_call(task, node)),
            (What::Sync, _) => self.run(STRANGER, sync_call(task, node)),
            (What::Acquire, _) => self.acquire(task, step),
            (What::Wait, _) => self.wait(step),
            (What::SetParam, _) => self.set_param(step),
            (What::CollectFees, _) => self.run(STRANGER, collect_call(task)),
            (What::Report, _) => {
                self.wait_for_half(pick(2, 4) == 0, 0);
                let paid = |node: &Node| node.current.units > ComputeUnits::ZERO;
                let (node, _) = self.first(paid, node, operator);
                self.run(STRANGER, report_call(node));
            }
            (What::Pay, _) => {
                self.wait_for_half(pick(2, 2) == 0, 1);
                let shares = &self.world.db().book.shares;
                let node = shares.first().map_or(node, |share| share.node);
                self.run(STRANGER, pay_call(node));
            }
            (What::AddCollateral, _) => {
                self.run(by(operator), collateral_call(node, number(0, 3_000)));
            }
            (What::Unbond, _) => {
                let (node, operator) = self.first(|node| node.subscriptions == 0, node, operator);
                self.run(by(operator), unbond_call(node));
            }
            (What::Withdraw, _) => {
                let leaving = |node: &Node| matches!(node.status, NodeStatus::Unbonding { .. });
                let (node, operator) = self.first(leaving, node, operator);
                if let NodeStatus::Unbonding { until_ms } = self.world.node(node).status
                    && pick(2, 3) == 0
                {
                    self.world.now = self.world.now.max(until_ms.0);
                }
                self.run(by(operator), withdraw_call(node));
            }
            (What::Deprecate, _) if task != self.tasks[0] || pick(2, 4) == 0 => {
                self.run(by(ADMIN), deprecate_call(task));
            }
            (What::SetUrl, _) => self.run(by(operator), url_call(node, "http://192.0.2.7")),
            (What::RegisterBlob, _) => {
                let call = register_blob_call(1 + number(0, 55) as u32, pick(1, 6) == 0);
                self.run([OPERATOR, STRANGER][pick(2, 2)], call);
            }
            (What::AdvanceEpoch, _) => {
                let call = self.world.advance_epoch_call();
                self.run(by(ADMIN), call);
            }
            (What::SetCommittee, _) => {
                let call = self.world.committee_call();
                self.run(by(ADMIN), call);
            }
            (What::CertifyBlob | What::ExtendBlob | What::DeleteBlob, _) => self.on_blob(step),
            (What::OpenDispute, _) => self.open_dispute(step),
            (What::Answer, _) => self.answer(step),
            (What::Resolve, _) => self.resolve(step),
            (What::Equivocation, Some((stack, _))) => self.equivocate(stack, step),
            (What::OverClaim, Some((stack, _))) => self.over_claim(stack, step),
            (What::Forged, _) => self.forged(step),
            (what, Some((stack, user))) => self.on_stack(what, stack, user, step),
            _ => {}
        }
    }
}

fn play(steps: &[Step]) -> BTreeMap<&'static str, u64> {
    let mut play = Play::new();
    for step in steps {
        play.step(step);
    }
    play.everyone_leaves();
    play.done
}

/// A play of a few dozen calls, for `conformance`.
pub(crate) fn short_play(runner: &mut TestRunner) {
    let steps = prop::collection::vec(step(), SHORT_CALLS);
    play(&steps.new_tree(runner).unwrap().current());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn random_parties_break_nothing(steps in steps()) {
        play(&steps);
    }
}

/// The random calls above would prove little if they all failed.
#[test]
fn random_calls_reach_every_function() {
    let mut runner = TestRunner::deterministic();
    let mut done: BTreeMap<&'static str, u64> = BTreeMap::new();
    for _ in 0..60 {
        let tree = steps().new_tree(&mut runner).unwrap();
        for (name, count) in play(&tree.current()) {
            *done.entry(name).or_default() += count;
        }
    }
    for function in Call::FUNCTIONS.iter().chain(Call::WALRUS_FUNCTIONS) {
        let count = done.get(function.name).copied().unwrap_or(0);
        assert!(count >= 3, "{} never succeeded: {done:?}", function.name);
    }
}
