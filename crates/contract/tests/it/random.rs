//! Random calls by many parties, honest and not, with real keys and a clock that jumps. After every
//! call all invariants hold and money is conserved (see `world`), books kept from events alone agree
//! (see `rounding`), and no lease outgrows its node's capacity. In the end everyone leaves: with new
//! business paused and nobody's help, every stack is closed and every collateral paid out.

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

    /// The first node like that, or else the given one.
    fn first(&self, like: impl Fn(&Node) -> bool, node: NodeId, operator: u8) -> (NodeId, u8) {
        let mut nodes = self.nodes.iter();
        let found = nodes.find(|(id, _)| like(self.world.node(*id)));
        found.copied().unwrap_or((node, operator))
    }

    fn create_task(&mut self, step: &Step) {
        let mut new = new_task();
        new.model = format!("model-{}", step.picks[0] % 2);
        new.security = [
            SecurityLevel::None,
            SecurityLevel::SamplingConsensus,
            SecurityLevel::None,
            SecurityLevel::ConfidentialCompute,
        ][usize::from(step.picks[1] % 4)];
        new.price_ceiling = Price(1 + u64::from(step.picks[2]) * 150);
        new.min_reputation = [0, 0, 400][usize::from(step.picks[3] % 3)];
        new.min_collateral = MicroUsdc([0, 0, 1_500][usize::from(step.picks[4] % 3)]);
        self.run(ADMIN, new.call(LOCALNET_DB));
    }

    fn acquire(&mut self, task: TaskId, step: &Step) {
        let selection = match step.picks[1] % 4 {
            0 => Selection::Single,
            1 => Selection::Limited {
                nodes: 1 + (step.picks[2] % 3) as u8,
            },
            _ => Selection::Any,
        };
        let user = USER + step.picks[2] as u8 % 4;
        let units = 1 + u64::from(step.picks[3]) % 3_000;
        let price = 1 + u64::from(step.picks[4]) * 150;
        let price = price.min(self.world.task(task).price_ceiling.0);
        let mut call = self.world.acquire_call(task, units, price, selection);
        call.request_key = key(user).public_key();
        call.lifetime_ms = DurationMs(1_000 + u64::from(step.picks[0]) * 3_000);
        if step.picks[5].is_multiple_of(16) {
            call.payment.0.0 += 1;
        }
        self.run(user, call);
    }

    fn on_stack(&mut self, what: What, stack: StackId, user: u8, step: &Step) {
        let number = |i: usize, n: u64| u64::from(step.picks[i]) % n;
        let by = |right: u8| {
            if step.picks[5].is_multiple_of(10) {
                STRANGER
            } else {
                right
            }
        };
        let held = self.world.stack(stack).clone();
        // the node of one of its leases, or any
        let leased = held.leases.len();
        let (node, operator) = match (what, leased) {
            (What::Settle | What::Claim | What::Expire, 1..) => {
                let node = held.leases[usize::from(step.picks[1]) % leased].node;
                *self.nodes.iter().find(|(id, _)| *id == node).unwrap()
            }
            _ => self.nodes[usize::from(step.picks[1]) % self.nodes.len()],
        };
        match what {
            What::Lease => {
                let now = held.lease(node).map_or(0, |lease| lease.units.0);
                let units = now + number(3, held.ungranted_units().0 + 3);
                let grant = self.world.grant_of(stack, node, units);
                let call = self.world.lease_call_of(stack, node, &grant, by(user));
                self.run(by(operator), call);
            }
            What::TopUp => {
                let mut call = self.world.top_up_call(stack, number(3, 2_000));
                call.payment.0.0 += u64::from(step.picks[4].is_multiple_of(16));
                self.run(by(user), call);
            }
            What::Extend => {
                let call = self.world.extend_call(stack, number(3, 2 * DAY));
                self.run(by(user), call);
            }
            What::Revoke => self.run(by(user), revoke_call(stack)),
            What::BeginClose => self.run(by(user), begin_close_call(stack)),
            What::Close => self.run(STRANGER, close_call(stack)),
            What::Settle => self.settle(stack, user, node, operator, step),
            What::Claim => {
                // often just when it can be paid
                if let Some(lease) = held.lease(node)
                    && let LeaseState::Settling(ticket) = &lease.state
                    && step.picks[3].is_multiple_of(2)
                {
                    self.world.now = self.world.now.max(ticket.deadline_ms.0);
                }
                let call = self.world.claim_call(stack, node);
                self.run(STRANGER, call);
            }
            What::Expire => {
                let call = self.world.expire_call(stack, node);
                self.run(STRANGER, call);
            }
            _ => {}
        }
    }

    /// An honest claim in one to three lanes, or one that is off by a little somewhere.
    fn settle(&mut self, stack: StackId, user: u8, node: NodeId, operator: u8, step: &Step) {
        let units = self
            .world
            .stack(stack)
            .lease(node)
            .map_or(5, |lease| lease.units.0);
        let claimed = u64::from(step.picks[3]) % (units + 2);
        let mut call = nothing_call(stack, node);
        let mut settled = None;
        if claimed > 0 {
            let lanes = 1 + step.picks[4] % 3;
            let count = 1 + u64::from(step.picks[0]) % 4;
            let parts: Vec<_> = (0..count)
                .map(|i| claimed * (i + 1) / count - claimed * i / count)
                .collect();
            let mut records = self.world.records((user, operator), stack, node, &parts);
            call = settle_records(stack, node, &records);
            (call.headers, call.header_signatures) = (Vec::new(), Vec::new());
            if step.picks[5].is_multiple_of(12) {
                call.receipt_signature[0] ^= 1;
            }
            // one in four is not what it should be
            let place = usize::from(step.picks[2]) % records.len();
            if step.picks[2].is_multiple_of(4) {
                records[place].header_signature[0] ^= 1;
            }
            let records: Vec<_> = records.iter().map(EvidenceLeaf::to_bytes).collect();
            call.receipts_root = root_of(&records);
            settled = Some(records);
            for lane in 0..lanes {
                let short = u64::from(step.picks[5] % 12 == 1 && lane == 0);
                let part = claimed.div_ceil(u64::from(lanes)).saturating_sub(short);
                add_header(&mut call, self.world.header(stack, node, lane, part), user);
            }
        }
        self.run(operator, call);
        let lease = self.world.stack(stack).lease(node);
        if let (Some(records), Some(lease)) = (settled, lease)
            && matches!(lease.state, LeaseState::Settling(_))
        {
            self.records.entry((stack, node)).or_insert(records);
        }
    }

    /// Settlements that wait to be paid: the stack, its user, the node, the ticket.
    fn tickets(&self) -> Vec<(StackId, u8, NodeId, Ticket)> {
        let leases = self.stacks.iter().flat_map(|&(stack, user)| {
            let leases = self.world.stack(stack).leases.iter();
            leases.map(move |lease| (stack, user, lease))
        });
        let tickets = leases.filter_map(|(stack, user, lease)| match &lease.state {
            LeaseState::Settling(ticket) => Some((stack, user, lease.node, ticket.clone())),
            LeaseState::Open | LeaseState::Closed { .. } => None,
        });
        tickets.collect()
    }

    fn operator_of(&self, node: NodeId) -> u8 {
        let (_, operator) = self.nodes.iter().find(|(id, _)| *id == node).unwrap();
        *operator
    }

    fn open_dispute(&mut self, step: &Step) {
        let mut tickets = self.tickets();
        let now = TimestampMs(self.world.now);
        tickets.retain(|(_, _, _, ticket)| now < ticket.deadline_ms);
        if tickets.is_empty() {
            return;
        }
        let (stack, user, node, ticket) = &tickets[usize::from(step.picks[0]) % tickets.len()];
        let seq = u64::from(step.picks[1]) % (ticket.count + 2);
        let mut call = self.world.open_call(*stack, *node, seq);
        call.bond.0.0 += u64::from(step.picks[4].is_multiple_of(16));
        // one in four shows the receipt
        if let Some(records) = self.records.get(&(*stack, *node))
            && let Some(record) = records.get((seq as usize).wrapping_sub(1))
            && step.picks[2].is_multiple_of(4)
        {
            let record = EvidenceLeaf::from_bytes(record).unwrap();
            (call.receipt, call.receipt_signature) = (record.receipt, record.receipt_signature);
        }
        let sender = if step.picks[5].is_multiple_of(10) {
            STRANGER
        } else {
            *user
        };
        self.run(sender, call);
    }

    /// An open dispute: the stack, the node, the record's `seq` and the last moment to answer.
    fn disputed(&self, step: &Step) -> Option<(StackId, NodeId, u64, u64)> {
        let tickets = self.tickets();
        let open: Vec<_> = tickets
            .iter()
            .flat_map(|(stack, _, node, ticket)| {
                let disputes = ticket.disputes.iter();
                disputes.map(|dispute| (*stack, *node, dispute.seq, dispute.deadline_ms.0))
            })
            .collect();
        let place = usize::from(step.picks[0]).checked_rem(open.len())?;
        Some(open[place])
    }

    /// What is done with one of the latest blobs, honestly or not.
    fn on_blob(&mut self, step: &Step) {
        let latest = self.blobs.len().saturating_sub(8);
        let latest = &self.blobs[latest..];
        let Some(place) = usize::from(step.picks[0]).checked_rem(latest.len()) else {
            return;
        };
        let (blob, owner) = latest[place];
        let sender = match step.picks[5] % 10 {
            0 => USER,
            _ => owner,
        };
        match step.what {
            What::CertifyBlob if matches!(self.world.state.get(blob), Some(Object::Blob(_))) => {
                let mut call = self.world.certify_call(blob);
                match step.picks[1] % 12 {
                    0 => call.signature[3] ^= 1,
                    1 => sign_confirmation(&mut call, &[1, 2, 3]),
                    2 => call.message[3] ^= 1,
                    _ => {}
                }
                self.run(sender, call);
            }
            What::ExtendBlob => {
                let epochs = u32::from(step.picks[1]) % 40;
                self.run(sender, extend_blob_call(blob, epochs));
            }
            What::DeleteBlob => self.run(sender, delete_blob_call(blob)),
            _ => {}
        }
    }

    fn answer(&mut self, step: &Step) {
        let (Some((stack, node, seq, _)), Some(&(blob, owner))) = (
            self.disputed(step),
            self.blobs
                .get(usize::from(step.picks[1]) % self.blobs.len().max(1)),
        ) else {
            return;
        };
        let records = &self.records[&(stack, node)];
        let mut call = answer_call(stack, node, blob, records, seq);
        // one in eight shows another record
        if step.picks[2].is_multiple_of(8) {
            (call.record, call.proof) = prove(records, 1);
        }
        let sender = match step.picks[5] % 10 {
            0 => USER,
            _ => owner,
        };
        self.run(sender, call);
    }

    fn resolve(&mut self, step: &Step) {
        let Some((stack, node, seq, deadline)) = self.disputed(step) else {
            return;
        };
        if step.picks[1].is_multiple_of(2) {
            self.world.now = self.world.now.max(deadline + 1);
        }
        let call = self.world.resolve_call(stack, node, seq);
        self.run(STRANGER, call);
    }

    /// The node of one of the stack's leases, with a receipt that it signed, or that somebody else
    /// made up.
    fn some_receipt(&self, stack: StackId, step: &Step) -> Option<(NodeId, Receipt, u8)> {
        let leases = &self.world.stack(stack).leases;
        let place = usize::from(step.picks[1]).checked_rem(leases.len())?;
        let node = leases[place].node;
        let units = 1 + u64::from(step.picks[2]) % 500;
        let mut receipt = self.world.receipt(stack, node, 1 + units % 3, units);
        receipt.usage.output = units;
        let signer = match step.picks[3] % 3 {
            0 => STRANGER,
            _ => self.operator_of(node),
        };
        Some((node, receipt, signer))
    }

    fn equivocate(&mut self, stack: StackId, step: &Step) {
        let Some((node, one, signer)) = self.some_receipt(stack, step) else {
            return;
        };
        let mut other = one.clone();
        if step.picks[4].is_multiple_of(2) {
            other.response_hash.0[0] ^= 1;
        }
        let (one, other) = (sign(one, signer), sign(other, signer));
        let call = self.world.equivocation_call(stack, node, one, other);
        self.run(STRANGER, call);
    }

    fn over_claim(&mut self, stack: StackId, step: &Step) {
        let Some((node, mut receipt, signer)) = self.some_receipt(stack, step) else {
            return;
        };
        if step.picks[4].is_multiple_of(2) {
            receipt.units.0 += 1;
        }
        let receipt = sign(receipt, signer);
        let call = self
            .world
            .over_claim_call(stack, node, receipt, Default::default());
        self.run(STRANGER, call);
    }

    fn forged(&mut self, step: &Step) {
        let mut tickets = self.tickets();
        tickets.retain(|(_, _, _, ticket)| ticket.count > 0);
        if tickets.is_empty() {
            return;
        }
        let (stack, _, node, ticket) = &tickets[usize::from(step.picks[0]) % tickets.len()];
        let seq = 1 + u64::from(step.picks[1]) % ticket.count;
        let records = &self.records[&(*stack, *node)];
        let call = self.world.forged_call(*stack, *node, records, seq);
        self.run(STRANGER, call);
    }

    fn wait(&mut self, step: &Step) {
        let epoch = self.world.db().params.epoch_ms;
        let begun = self.world.now % epoch;
        self.world.now += match step.picks[0] % 16 {
            0..4 => 1,
            4..8 => 1_000,
            8..10 => HOUR / 2,
            10..12 => HOUR,
            12 => DAY,
            13 => 9 * DAY,
            // the beginning of the next epoch, and the middle of one
            14 => epoch - begun,
            _ => (epoch / 2).saturating_sub(begun),
        };
    }

    /// Waits, if asked to, for the next epoch (half 0), or for the second half of this one.
    fn wait_for_half(&mut self, asked: bool, half: u64) {
        let epoch = self.world.db().params.epoch_ms;
        if asked {
            let begun = self.world.now % epoch;
            self.world.now += match half {
                0 => epoch - begun,
                _ => (epoch / 2 + 1).saturating_sub(begun),
            };
        }
    }

    fn set_param(&mut self, step: &Step) {
        let value = u64::from(step.picks[1]);
        let (name, value) = match step.picks[0] % 21 {
            0 => ("protocol_fee_permille", value % 201),
            1 => ("sampling_surcharge_permille", value % 501),
            2 => ("settle_grace_ms", value * 200),
            3 => ("dispute_window_ms", value * 200),
            4 => ("max_lifetime_ms", DAY + value * 10_000),
            5 => ("min_lifetime_ms", value),
            6 => ("reputation_gain", value % 50),
            7 => ("reputation_loss", value % 200),
            8 => ("epoch_ms", HOUR + value * 1_000),
            9 => ("treasury_payout_permille", value % 1_001),
            10 => ("unbonding_ms", value * 10_000),
            11 => ("collateral_cap", value),
            12 => ("min_collateral", value % 3_000),
            13 => ("dispute_bond", value),
            14 => ("answer_window_ms", 1_000 + value * 100),
            15 => ("silence_slash_permille", value % 1_001),
            16 => ("fraud_slash_permille", value % 1_001),
            17 => ("slash_owner_permille", value % 501),
            18 => ("jail_ms", value * 100),
            19 => ("walrus_epoch", value % 6),
            _ => ("paused", u64::from(value.is_multiple_of(4))),
        };
        let sender = if step.picks[5].is_multiple_of(10) {
            STRANGER
        } else {
            ADMIN
        };
        let call = self.world.set_param_call(name, value);
        self.run(sender, call);
    }

    /// Time passes, and everyone leaves by calls that anyone or they alone can make.
    fn everyone_leaves(&mut self) {
        self.world.set_param("paused", 1);
        self.world.now += 400 * DAY;
        for (stack, user) in self.stacks.clone() {
            let held = self.world.stack(stack).clone();
            for lease in &held.leases {
                let changes = match &lease.state {
                    LeaseState::Open => {
                        let call = self.world.expire_call(stack, lease.node);
                        self.world.ok(STRANGER, call)
                    }
                    LeaseState::Settling(ticket) => {
                        if let Some(dispute) = ticket.disputes.first() {
                            // nobody answered: one resolution ends all of them
                            let call = self.world.resolve_call(stack, lease.node, dispute.seq);
                            let changes = self.world.ok(STRANGER, call);
                            self.books.enter(&self.world, &changes);
                            continue;
                        }
                        let call = self.world.claim_call(stack, lease.node);
                        self.world.ok(STRANGER, call)
                    }
                    LeaseState::Closed { .. } => continue,
                };
                self.books.enter(&self.world, &changes);
            }
            if !self.world.stack(stack).closed {
                let changes = self.world.ok(STRANGER, close_call(stack));
                assert_eq!(
                    paid_to(&changes, user),
                    changes.payouts.iter().map(|p| p.amount.0).sum::<u64>()
                );
                self.books.enter(&self.world, &changes);
            }
            let left = self.world.stack(stack);
            assert!(left.closed && left.escrow == MicroUsdc::ZERO);
        }
        // the longest jail
        self.world.now += 366 * DAY;
        for (node, operator) in self.nodes.clone() {
            for task in self.tasks.clone() {
                if self.world.task(task).subscription(node).is_some() {
                    self.world.ok(operator, unsubscribe_call(task, node));
                }
            }
            match self.world.node(node).status {
                NodeStatus::Active | NodeStatus::Jailed { .. } => {
                    self.world.ok(operator, unbond_call(node));
                }
                NodeStatus::Unbonding { .. } | NodeStatus::Left => {}
            }
        }
        self.world.now += 90 * DAY;
        for (node, operator) in self.nodes.clone() {
            if self.world.node(node).status != NodeStatus::Left {
                self.world.ok(operator, withdraw_call(node));
            }
        }
        for task in self.tasks.clone() {
            if self.world.task(task).fees > MicroUsdc::ZERO {
                self.world.ok(STRANGER, collect_call(task));
            }
        }
        let rest = u128::from(self.world.db().communal_treasury.0);
        assert_eq!(atoma_contract::invariants::held(&self.world.state), rest);
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
