//! A ledger in miniature with keys for everyone. After every call it checks all invariants and
//! that no micro-USDC came or went.

mod claims;
mod plain_calls;

pub(crate) use self::{claims::*, plain_calls::*};

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
