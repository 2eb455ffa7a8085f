//! A ledger in miniature with keys for everyone. After every call it checks all invariants and
//! that no micro-USDC came or went.

use crate::tape;
use atoma_contract::{
    Changes, Env, Object, State,
    invariants::{self, Flow},
};
use atoma_keys::SigningKey;
use atoma_types::{
    Address, ComputeUnits, DurationMs, EngineClass, MicroUsdc, NetworkId, NodeId, Numerics,
    ObjectId, Price, PublicKey, RequestId, Rule, StackId, TaskId, TimestampMs, Usage,
    chain::{
        AbortCode, AtomaDb, Call, Clock, Deployment, Event, LOCALNET_DB, Lease, NewTask, Node,
        Params, Payment, Random, Selection, Stack, Subscription, Task, calls,
    },
    chain::{CallArg, CallError, FunctionSpec},
    hash::Hash32,
    merkle::{self, MerkleTree},
    message::{
        Domain, Draft, Endpoint, EvidenceLeaf, Grant, MAX_BATCH, Message, Receipt, RequestHeader,
        RequestTimes, Signed,
    },
};
use serde::Serialize;
use sui_sdk_types::Digest;

pub(crate) const NETWORK: NetworkId = NetworkId([9; 32]);
pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const DAY: u64 = 24 * HOUR;

/// Parties by number; each has one key for all its purposes.
pub(crate) const ADMIN: u8 = 1;
pub(crate) const USER: u8 = 10;
pub(crate) const OPERATOR: u8 = 20;
pub(crate) const STRANGER: u8 = 99;

pub(crate) type Outcome = Result<Changes, AbortCode>;

pub(crate) fn key(party: u8) -> SigningKey {
    SigningKey::from_seed(&[party; 32])
}

pub(crate) fn address(party: u8) -> Address {
    key(party).public_key().address()
}

pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: u64,
    pub(crate) flow: Flow,
    transactions: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let params = Params {
            min_collateral: 1_000,
            ..Params::default()
        };
        let deployment = Deployment::localnet(NETWORK);
        let state = State::genesis(&deployment, address(ADMIN), params);
        tape::begin(&state);
        Self {
            state,
            now: 1_000 * DAY,
            flow: Flow::default(),
            transactions: 0,
        }
    }

    /// Runs one call in a transaction of its own and commits it.
    pub(crate) fn run(&mut self, sender: u8, call: impl Into<Call>) -> Outcome {
        let call = call.into();
        self.run_raw(sender, &(call.function(), call.args()))
    }

    /// The same with arguments of which the typed call is still to be read.
    pub(crate) fn run_raw(&mut self, sender: u8, (function, args): &RawCall) -> Outcome {
        self.transactions += 1;
        let number = self.transactions.to_le_bytes();
        let env = Env {
            sender: address(sender),
            now: TimestampMs(self.now),
            network: NETWORK,
            transaction: Digest::new(Hash32::of(&number).0),
            created: 3,
            seed: Hash32::of_parts(&[b"seed", &number]).0,
        };
        let call = match Call::decode(function, args.clone()) {
            Ok(call) => call,
            Err(CallError::Refused { code }) => {
                let outcome = Err(code);
                tape::note(&self.state, &self.state, &env, (function, args), outcome);
                return Err(code);
            }
            Err(error) => panic!("{error}"),
        };
        let mut txn = self.state.begin(env.clone());
        let before = txn.changes().clone();
        if let Err(abort) = txn.call(&call) {
            assert_eq!(txn.changes(), &before, "an abort leaves nothing behind");
            let outcome = Err(abort.code);
            tape::note(&self.state, &self.state, &env, (function, args), outcome);
            return Err(abort.code);
        }
        let changes = txn.finish();
        let before = self.state.clone();
        self.state.commit(changes.clone());
        tape::note(&before, &self.state, &env, (function, args), Ok(&changes));
        self.flow.record(&changes);
        self.check();
        Ok(changes)
    }

    /// Runs a call that must succeed.
    #[track_caller]
    pub(crate) fn ok(&mut self, sender: u8, call: impl Into<Call>) -> Changes {
        match self.run(sender, call) {
            Ok(changes) => changes,
            Err(code) => panic!("aborted: {code}: {}", code.help()),
        }
    }

    #[track_caller]
    pub(crate) fn check(&self) {
        if let Err(violation) = invariants::check(&self.state).and(self.flow.check(&self.state)) {
            panic!("{violation}");
        }
    }

    /// Changes an object behind the rules' back, for states that take long to reach.
    pub(crate) fn edit(&mut self, id: impl Into<ObjectId>, change: impl FnOnce(&mut Object)) {
        let id = id.into();
        let mut change = Some(change);
        let objects = self.state.iter().map(|(object, owner)| {
            let mut object = object.clone();
            if object.id() == id {
                change
                    .take()
                    .into_iter()
                    .for_each(|change| change(&mut object));
            }
            (object, owner)
        });
        self.state = State::restore(objects.collect::<Vec<_>>());
    }

    pub(crate) fn edit_node(&mut self, id: NodeId, change: impl FnOnce(&mut Node)) {
        self.edit(id, |object| match object {
            Object::Node(node) => change(node),
            _ => panic!("not a node"),
        });
    }

    // --- reading ---

    pub(crate) fn db(&self) -> &AtomaDb {
        match self.state.get(LOCALNET_DB) {
            Some(Object::Db(db)) => db,
            other => panic!("no database: {other:?}"),
        }
    }

    pub(crate) fn cap(&self) -> ObjectId {
        let caps = self.state.iter().filter_map(|(object, _)| match object {
            Object::AdminCap(cap) if cap.db == LOCALNET_DB => Some(cap.id),
            _ => None,
        });
        caps.last().unwrap()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        match self.state.get(id.0) {
            Some(Object::Node(node)) => node,
            other => panic!("no node: {other:?}"),
        }
    }

    pub(crate) fn task(&self, id: TaskId) -> &Task {
        match self.state.get(id.0) {
            Some(Object::Task(task)) => task,
            other => panic!("no task: {other:?}"),
        }
    }

    pub(crate) fn stack(&self, id: StackId) -> &Stack {
        match self.state.get(id.0) {
            Some(Object::Stack(stack)) => stack,
            other => panic!("no stack: {other:?}"),
        }
    }

    pub(crate) fn lease_of(&self, stack: StackId, node: NodeId) -> &Lease {
        self.stack(stack).lease(node).unwrap()
    }

    pub(crate) fn subscription(&self, task: TaskId, node: NodeId) -> &Subscription {
        self.task(task).subscription(node).unwrap()
    }

    // --- doing ---

    pub(crate) fn set_param(&mut self, name: &str, value: u64) {
        let call = self.set_param_call(name, value);
        self.ok(ADMIN, call);
    }

    pub(crate) fn set_param_call(&self, name: &str, value: u64) -> calls::SetParam {
        calls::SetParam {
            db: LOCALNET_DB.into(),
            cap: self.cap().into(),
            name: name.to_owned(),
            value,
        }
    }

    pub(crate) fn register(&mut self, operator: u8, collateral: u64) -> NodeId {
        let changes = self.ok(operator, register_call(operator, collateral));
        match &changes.events[..] {
            [Event::NodeRegistered(event)] => event.node,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn create_task(&mut self) -> TaskId {
        self.create_task_from(new_task())
    }

    pub(crate) fn create_task_from(&mut self, task: NewTask) -> TaskId {
        let changes = self.ok(ADMIN, task.call(LOCALNET_DB));
        match &changes.events[..] {
            [Event::TaskCreated(event)] => event.task,
            other => panic!("{other:?}"),
        }
    }

    /// A registered and subscribed node.
    pub(crate) fn serve(
        &mut self,
        operator: u8,
        task: TaskId,
        price: u64,
        capacity: u64,
    ) -> NodeId {
        let node = self.register(operator, 1_000);
        self.ok(operator, subscribe_call(task, node, price, capacity));
        node
    }

    pub(crate) fn acquire_call(
        &self,
        task: TaskId,
        units: u64,
        max_price: u64,
        selection: Selection,
    ) -> calls::AcquireStack {
        let surcharge = if self.task(task).security_level.samples() {
            self.db().params.sampling_surcharge_permille
        } else {
            0
        };
        let escrow = Price(max_price).escrow(ComputeUnits(units), surcharge);
        calls::AcquireStack {
            db: LOCALNET_DB.into(),
            task: task.into(),
            payment: Payment(escrow.unwrap_or_default()),
            total_units: ComputeUnits(units),
            max_price: Price(max_price),
            selection,
            request_key: key(USER).public_key(),
            lifetime_ms: DurationMs(DAY),
            random: Random,
            clock: Clock,
        }
    }

    /// A stack of `USER`'s that costs at most one micro-USDC a unit and a half.
    pub(crate) fn buy(&mut self, task: TaskId, units: u64, selection: Selection) -> StackId {
        let call = self.acquire_call(task, units, 1_500_000, selection);
        bought(&self.ok(USER, call))
    }

    pub(crate) fn grant(&mut self, operator: u8, stack: StackId, node: NodeId, units: u64) {
        let call = self.lease_call(stack, node, units);
        self.ok(operator, call);
    }

    pub(crate) fn lease_call(&self, stack: StackId, node: NodeId, units: u64) -> calls::Lease {
        self.lease_call_of(stack, node, &self.grant_of(stack, node, units), USER)
    }

    pub(crate) fn grant_of(&self, stack: StackId, node: NodeId, units: u64) -> Grant {
        Grant {
            domain: Domain::default(),
            network: NETWORK,
            stack,
            node,
            cumulative_units: ComputeUnits(units),
            expires_at_ms: TimestampMs(self.now + HOUR),
        }
    }

    pub(crate) fn lease_call_of(
        &self,
        stack: StackId,
        node: NodeId,
        grant: &Grant,
        signer: u8,
    ) -> calls::Lease {
        let (grant, signature) = sign(grant.clone(), signer);
        calls::Lease {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            grant,
            signature,
            clock: Clock,
        }
    }

    pub(crate) fn top_up_call(&self, stack: StackId, units: u64) -> calls::TopUp {
        let held = self.stack(stack);
        let open = held.total_units.0.saturating_add(units) - held.closed_units.0;
        let needed = held
            .max_price
            .escrow(ComputeUnits(open), held.surcharge_permille);
        let payment = needed.and_then(|needed| needed.checked_sub(held.escrow));
        calls::TopUp {
            stack: stack.into(),
            task: held.task.into(),
            payment: Payment(payment.unwrap_or_default()),
            units: ComputeUnits(units),
            clock: Clock,
        }
    }

    pub(crate) fn extend_call(&self, stack: StackId, by_ms: u64) -> calls::Extend {
        calls::Extend {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            by_ms: DurationMs(by_ms),
            clock: Clock,
        }
    }

    pub(crate) fn header(
        &self,
        stack: StackId,
        node: NodeId,
        lane: u16,
        ceiling: u64,
    ) -> RequestHeader {
        RequestHeader {
            domain: Domain::default(),
            network: NETWORK,
            stack,
            node,
            task: self.stack(stack).task,
            request_id: RequestId([1; 16]),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::ZERO,
            lane,
            ceiling: ComputeUnits(ceiling),
            max_units: ComputeUnits(ceiling),
            issued_at_ms: TimestampMs(self.now),
            expires_at_ms: TimestampMs(self.now),
            evidence: None,
        }
    }

    pub(crate) fn receipt(
        &self,
        stack: StackId,
        node: NodeId,
        seq: u64,
        cumulative: u64,
    ) -> Receipt {
        Receipt {
            domain: Domain::default(),
            network: NETWORK,
            stack,
            node,
            seq,
            request_id: RequestId([1; 16]),
            request_hash: Hash32::ZERO,
            response_hash: Hash32::ZERO,
            usage: Usage::default(),
            units: ComputeUnits(cumulative),
            cumulative_units: ComputeUnits(cumulative),
            times: RequestTimes {
                started_ms: TimestampMs(self.now),
                first_token_ms: TimestampMs(self.now),
                finished_ms: TimestampMs(self.now),
            },
            engine: EngineClass {
                model: Hash32::ZERO,
                numerics: Numerics::DetF32V1,
                rule: Rule::Exact,
            },
            output_fingerprint: None,
            previous: Hash32::ZERO,
        }
    }

    /// A claim of `units` with one header whose ceiling is just that; the receipt is signed by the
    /// `operator`, the header by `USER`.
    pub(crate) fn settle_call(
        &self,
        operator: u8,
        stack: StackId,
        node: NodeId,
        units: u64,
    ) -> calls::Settle {
        let mut call = nothing_call(stack, node);
        if units > 0 {
            call.claimed_units = ComputeUnits(units);
            call.count = 7;
            set_receipt(&mut call, self.receipt(stack, node, 7, units), operator);
            add_header(&mut call, self.header(stack, node, 0, units), USER);
        }
        call
    }

    pub(crate) fn claim_call(&self, stack: StackId, node: NodeId) -> calls::Claim {
        calls::Claim {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            clock: Clock,
        }
    }

    pub(crate) fn expire_call(&self, stack: StackId, node: NodeId) -> calls::ExpireLease {
        calls::ExpireLease {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            clock: Clock,
        }
    }

    /// The records of honestly served requests that cost so many units each: ordered by `user`,
    /// receipts by `operator`.
    pub(crate) fn records(
        &self,
        (user, operator): (u8, u8),
        stack: StackId,
        node: NodeId,
        parts: &[u64],
    ) -> Vec<EvidenceLeaf> {
        let (mut sum, mut previous) = (0, Hash32::ZERO);
        let mut records = Vec::new();
        for (seq, &units) in (1u64..).zip(parts) {
            sum += units;
            let mut header = self.header(stack, node, 0, sum);
            header.request_id = RequestId([seq as u8; 16]);
            header.max_units = ComputeUnits(units);
            let header = signed(header, user);
            let mut receipt = self.receipt(stack, node, seq, sum);
            receipt.request_id = header.message().request_id;
            receipt.request_hash = header.hash();
            receipt.usage.output = units;
            receipt.units = ComputeUnits(units);
            receipt.previous = previous;
            let receipt = signed(receipt, operator);
            previous = receipt.hash();
            records.push(EvidenceLeaf::new(&header, &receipt));
        }
        records
    }

    /// A demand with the right bond and no receipt.
    pub(crate) fn open_call(&self, stack: StackId, node: NodeId, seq: u64) -> calls::OpenDispute {
        calls::OpenDispute {
            stack: stack.into(),
            node: node.into(),
            bond: Payment(self.stack(stack).dispute_bond),
            seq,
            receipt: Vec::new(),
            receipt_signature: Vec::new(),
            clock: Clock,
        }
    }

    pub(crate) fn resolve_call(
        &self,
        stack: StackId,
        node: NodeId,
        seq: u64,
    ) -> calls::ResolveDispute {
        calls::ResolveDispute {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            seq,
            clock: Clock,
        }
    }

    /// The proof by two signed receipts.
    pub(crate) fn equivocation_call(
        &self,
        stack: StackId,
        node: NodeId,
        first: (Vec<u8>, Vec<u8>),
        second: (Vec<u8>, Vec<u8>),
    ) -> calls::ProveEquivocation {
        calls::ProveEquivocation {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            first: first.0,
            first_signature: first.1,
            second: second.0,
            second_signature: second.1,
            clock: Clock,
        }
    }

    /// The proof by a signed receipt and, unless it is empty, its signed header.
    pub(crate) fn over_claim_call(
        &self,
        stack: StackId,
        node: NodeId,
        receipt: (Vec<u8>, Vec<u8>),
        header: (Vec<u8>, Vec<u8>),
    ) -> calls::ProveOverClaim {
        calls::ProveOverClaim {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            receipt: receipt.0,
            receipt_signature: receipt.1,
            header: header.0,
            header_signature: header.1,
            clock: Clock,
        }
    }

    /// The proof by the record of a `seq`, or by what was settled in its place.
    pub(crate) fn forged_call(
        &self,
        stack: StackId,
        node: NodeId,
        records: &[Vec<u8>],
        seq: u64,
    ) -> calls::ProveForgedRequest {
        let (record, proof) = prove(records, seq);
        calls::ProveForgedRequest {
            db: LOCALNET_DB.into(),
            stack: stack.into(),
            task: self.stack(stack).task.into(),
            node: node.into(),
            record,
            proof,
            clock: Clock,
        }
    }

    /// Settles, waits and claims.
    pub(crate) fn earn(
        &mut self,
        operator: u8,
        stack: StackId,
        node: NodeId,
        units: u64,
    ) -> Changes {
        let call = self.settle_call(operator, stack, node, units);
        self.ok(operator, call);
        self.now += self.stack(stack).dispute_window_ms.0;
        let call = self.claim_call(stack, node);
        self.ok(STRANGER, call)
    }
}

/// Signs a message: alone, or, as its hash decides, with others, so that every rule sees both.
pub(crate) fn signed<T: Message + Clone>(message: T, signer: u8) -> Signed<T> {
    let draft = Draft::new(message);
    let (place, count) = match draft.hash().0[0] % 8 {
        0 => (0, 2),
        1 => (4, 5),
        2 => (21, MAX_BATCH),
        _ => return draft.sign(&key(signer)),
    };
    Draft::sign_all(vec![draft; count], &key(signer)).swap_remove(place)
}

pub(crate) fn sign<T: Message + Clone>(message: T, signer: u8) -> (Vec<u8>, Vec<u8>) {
    let signed = signed(message, signer);
    (signed.bytes().to_vec(), signed.signature().to_bytes())
}

pub(crate) fn set_receipt(call: &mut calls::Settle, receipt: Receipt, signer: u8) {
    (call.last_receipt, call.receipt_signature) = sign(receipt, signer);
}

pub(crate) fn add_header(call: &mut calls::Settle, header: RequestHeader, signer: u8) {
    let (header, signature) = sign(header, signer);
    call.headers.push(header);
    call.header_signatures.push(signature);
}

/// The honest settlement of records.
pub(crate) fn settle_records(
    stack: StackId,
    node: NodeId,
    records: &[EvidenceLeaf],
) -> calls::Settle {
    let bytes: Vec<_> = records.iter().map(EvidenceLeaf::to_bytes).collect();
    let last = records.last().unwrap();
    let receipt: Receipt = bcs::from_bytes(&last.receipt).unwrap();
    calls::Settle {
        claimed_units: receipt.cumulative_units,
        headers: vec![last.header.clone()],
        header_signatures: vec![last.header_signature.clone()],
        last_receipt: last.receipt.clone(),
        receipt_signature: last.receipt_signature.clone(),
        receipts_root: root_of(&bytes),
        count: records.len() as u64,
        ..nothing_call(stack, node)
    }
}

fn tree_of(records: &[Vec<u8>]) -> MerkleTree {
    let leaves = records.iter().map(|record| merkle::leaf_hash(record));
    MerkleTree::from_leaves(leaves.collect())
}

pub(crate) fn root_of(records: &[Vec<u8>]) -> Hash32 {
    tree_of(records).root()
}

/// The record of a `seq` and the proof of its place.
pub(crate) fn prove(records: &[Vec<u8>], seq: u64) -> (Vec<u8>, Vec<u8>) {
    let place = seq as usize - 1;
    let proof = tree_of(records).prove(place).unwrap();
    (records[place].clone(), bcs::to_bytes(&proof).unwrap())
}

/// The answer with the record of a `seq`.
pub(crate) fn answer_call(
    stack: StackId,
    node: NodeId,
    blob: ObjectId,
    records: &[Vec<u8>],
    seq: u64,
) -> calls::AnswerDispute {
    let (record, proof) = prove(records, seq);
    calls::AnswerDispute {
        db: LOCALNET_DB.into(),
        stack: stack.into(),
        node: node.into(),
        blob: blob.into(),
        record,
        proof,
        clock: Clock,
    }
}

/// The settlement of a lease that was never used.
pub(crate) fn nothing_call(stack: StackId, node: NodeId) -> calls::Settle {
    calls::Settle {
        db: LOCALNET_DB.into(),
        stack: stack.into(),
        node: node.into(),
        claimed_units: ComputeUnits::ZERO,
        headers: Vec::new(),
        header_signatures: Vec::new(),
        last_receipt: Vec::new(),
        receipt_signature: Vec::new(),
        receipts_root: Hash32::ZERO,
        count: 0,
        manifest_blob: None,
        clock: Clock,
    }
}

/// A function and its arguments.
pub(crate) type RawCall = (&'static FunctionSpec, Vec<CallArg>);

/// A call with another value of one argument.
pub(crate) fn raw(call: impl Into<Call>, name: &str, value: &impl Serialize) -> RawCall {
    let call = call.into();
    let (function, mut args) = (call.function(), call.args());
    let place = function.args.iter().position(|(arg, _)| *arg == name);
    args[place.unwrap()] = CallArg::Pure(bcs::to_bytes(value).unwrap());
    (function, args)
}

pub(crate) fn bought(changes: &Changes) -> StackId {
    match changes.events.first() {
        Some(Event::StackAcquired(event)) => event.stack,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn paid_to(changes: &Changes, party: u8) -> u64 {
    let payouts = changes.payouts.iter();
    payouts
        .filter(|payout| payout.to == address(party))
        .map(|payout| payout.amount.0)
        .sum()
}

pub(crate) fn register_call(operator: u8, collateral: u64) -> calls::RegisterNode {
    calls::RegisterNode {
        db: LOCALNET_DB.into(),
        collateral: Payment(MicroUsdc(collateral)),
        url: "http://192.0.2.1:8000".to_owned(),
        response_key: key(operator).public_key(),
        sealing_key: None,
    }
}

pub(crate) fn new_task() -> NewTask {
    let engine = EngineClass {
        model: Hash32([7; 32]),
        numerics: Numerics::DetF32V1,
        rule: Rule::Exact,
    };
    NewTask::chat("tiny", engine, Price(10_000_000))
}

pub(crate) fn subscribe_call(
    task: TaskId,
    node: NodeId,
    price: u64,
    capacity: u64,
) -> calls::Subscribe {
    calls::Subscribe {
        db: LOCALNET_DB.into(),
        task: task.into(),
        node: node.into(),
        price: Price(price),
        capacity: ComputeUnits(capacity),
    }
}

pub(crate) fn unsubscribe_call(task: TaskId, node: NodeId) -> calls::Unsubscribe {
    calls::Unsubscribe {
        task: task.into(),
        node: node.into(),
    }
}

pub(crate) fn sync_call(task: TaskId, node: NodeId) -> calls::SyncSubscription {
    calls::SyncSubscription {
        task: task.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn unbond_call(node: NodeId) -> calls::BeginUnbonding {
    calls::BeginUnbonding {
        db: LOCALNET_DB.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn withdraw_call(node: NodeId) -> calls::WithdrawCollateral {
    calls::WithdrawCollateral {
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn collateral_call(node: NodeId, amount: u64) -> calls::AddCollateral {
    calls::AddCollateral {
        node: node.into(),
        collateral: Payment(MicroUsdc(amount)),
    }
}

pub(crate) fn url_call(node: impl Into<ObjectId>, url: &str) -> calls::SetNodeUrl {
    calls::SetNodeUrl {
        node: node.into().into(),
        url: url.to_owned(),
    }
}

pub(crate) fn deprecate_call(task: TaskId) -> calls::DeprecateTask {
    calls::DeprecateTask {
        db: LOCALNET_DB.into(),
        task: task.into(),
    }
}

pub(crate) fn revoke_call(stack: StackId) -> calls::RevokeUngranted {
    calls::RevokeUngranted {
        stack: stack.into(),
    }
}

pub(crate) fn begin_close_call(stack: StackId) -> calls::BeginClose {
    calls::BeginClose {
        stack: stack.into(),
        clock: Clock,
    }
}

pub(crate) fn close_call(stack: StackId) -> calls::CloseStack {
    calls::CloseStack {
        stack: stack.into(),
        clock: Clock,
    }
}

pub(crate) fn collect_call(task: TaskId) -> calls::CollectFees {
    calls::CollectFees {
        db: LOCALNET_DB.into(),
        task: task.into(),
    }
}

pub(crate) fn report_call(node: NodeId) -> calls::ReportUnits {
    calls::ReportUnits {
        db: LOCALNET_DB.into(),
        node: node.into(),
        clock: Clock,
    }
}

pub(crate) fn pay_call(node: NodeId) -> calls::PayTreasury {
    calls::PayTreasury {
        db: LOCALNET_DB.into(),
        node: node.into(),
        clock: Clock,
    }
}

/// The point of order one: no signature by it is strict.
pub(crate) fn weak_key() -> PublicKey {
    let mut point = [0; 32];
    point[0] = 1;
    PublicKey(point)
}
