//! A ledger in miniature with keys for everyone. After every call it checks all invariants and
//! that no micro-USDC came or went. Parameters are those of a network on which something is worth something.

mod calls;
mod chain;
mod market;
mod shown;

pub(crate) use calls::*;
pub(crate) use chain::{Chain, signed};
pub(crate) use market::*;
pub(crate) use shown::*;

use crate::tape::Tape;
use atoma_contract::{
    Changes, Env, Object, State,
    invariants::{self, Flow},
};
use atoma_keys::SigningKey;
use atoma_types::{
    Address, NetworkId, NodeId, ObjectId, StackId, TaskId, TimestampMs,
    chain::{
        AbortCode, AtomaDb, Call, CallArg, CallError, Deployment, Event, FunctionSpec, LOCALNET_DB,
        Lease, Node, Params, Stack, Subscription, Task, Ticket,
    },
    hash::Hash32,
};
use sui_sdk_types::Digest;

pub(crate) const NETWORK: NetworkId = NetworkId([9; 32]);
pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const DAY: u64 = 24 * HOUR;
pub(crate) const USDC: u64 = 1_000_000;

/// Parties by number; each has one key for all its purposes.
pub(crate) const ADMIN: u8 = 1;
pub(crate) const USER: u8 = 10;
pub(crate) const WATCHER: u8 = 11;
pub(crate) const OPERATOR: u8 = 20;
pub(crate) const STRANGER: u8 = 99;
/// The first of the parties that attest.
pub(crate) const ATTESTERS: u8 = 150;

pub(crate) type Outcome = Result<Changes, AbortCode>;

pub(crate) fn key(party: u8) -> SigningKey {
    SigningKey::from_seed(&[party; 32])
}

pub(crate) fn address(party: u8) -> Address {
    thread_local! {
        static KNOWN: std::cell::RefCell<std::collections::BTreeMap<u8, Address>> = const { std::cell::RefCell::new(std::collections::BTreeMap::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        *known
            .entry(party)
            .or_insert_with(|| key(party).public_key().address())
    })
}

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: u64,
    pub(crate) flow: Flow,
    /// What the beacon says next, if a test decides.
    pub(crate) beacon: Option<[u8; 32]>,
    transactions: u64,
    tape: Tape,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Params::default())
    }

    pub(crate) fn with(params: Params) -> Self {
        let deployment = Deployment::localnet(NETWORK);
        Self {
            state: State::genesis(&deployment, address(ADMIN), params),
            now: 1_000 * DAY,
            flow: Flow::default(),
            beacon: None,
            transactions: 0,
            tape: Tape::default(),
        }
    }

    /// Runs one call in a transaction of its own and commits it.
    pub(crate) fn run(&mut self, sender: u8, call: impl Into<Call>) -> Outcome {
        let outcome = self.run_unchecked(sender, call);
        if outcome.is_ok() {
            self.check();
        }
        outcome
    }

    /// The same without a look at all objects.
    pub(crate) fn run_unchecked(&mut self, sender: u8, call: impl Into<Call>) -> Outcome {
        let call = call.into();
        self.run_raw(sender, call.function(), &call.args())
    }

    /// The same with arguments that need not be those of a call.
    pub(crate) fn run_raw(
        &mut self,
        sender: u8,
        function: &FunctionSpec,
        args: &[CallArg],
    ) -> Outcome {
        self.transactions += 1;
        let number = self.transactions.to_le_bytes();
        let seed = Hash32::of_parts(&[b"seed", &number]).0;
        let env = Env {
            sender: address(sender),
            now: TimestampMs(self.now),
            network: NETWORK,
            transaction: Digest::new(Hash32::of(&number).0),
            created: 3,
            seed: self.beacon.take().unwrap_or(seed),
        };
        let outcome = self.try_raw(env.clone(), function, args.to_vec());
        let noted = outcome.as_ref().map_err(|code| *code);
        self.tape.note(&env, (function, args), noted);
        let changes = outcome?;
        self.state.commit(changes.clone());
        self.flow.record(&changes);
        Ok(changes)
    }

    fn try_raw(&self, env: Env, function: &FunctionSpec, args: Vec<CallArg>) -> Outcome {
        // what goes in is what comes out of its arguments
        let call = match Call::decode(function, args) {
            Ok(call) => call,
            Err(CallError::Refused { code }) => return Err(code),
            Err(error) => panic!("no such call: {error}"),
        };
        let mut txn = self.state.begin(env);
        let before = txn.changes().clone();
        if let Err(abort) = txn.call(&call) {
            assert_eq!(txn.changes(), &before, "an abort leaves nothing behind");
            return Err(abort.code);
        }
        Ok(txn.finish())
    }

    /// Runs a call that must succeed.
    #[track_caller]
    pub(crate) fn ok(&mut self, sender: u8, call: impl Into<Call>) -> Changes {
        match self.run(sender, call) {
            Ok(changes) => changes,
            Err(code) => panic!("aborted: {code}: {}", code.help()),
        }
    }

    /// Runs a call that must be refused so.
    #[track_caller]
    pub(crate) fn refused(&mut self, sender: u8, call: impl Into<Call>, code: AbortCode) {
        match self.run(sender, call) {
            Ok(changes) => panic!("done, not {code}: {:?}", changes.events),
            Err(other) => assert_eq!(other, code),
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
        self.tape.stop();
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

    pub(crate) fn ticket_of(&self, stack: StackId, node: NodeId) -> Option<&Ticket> {
        self.lease_of(stack, node).tickets.first()
    }

    pub(crate) fn subscription(&self, task: TaskId, node: NodeId) -> &Subscription {
        self.task(task).subscription(node).unwrap()
    }

    pub(crate) fn collateral(&self, node: NodeId) -> u64 {
        self.node(node).collateral.0
    }

    pub(crate) fn earnings(&self, node: NodeId) -> u64 {
        self.node(node).earnings.0
    }

    pub(crate) fn free(&self, stack: StackId) -> u64 {
        self.stack(stack).free.0
    }
}

/// The convictions among events: node, value, fine, what went to jurors, and to the owner.
pub(crate) fn convictions(changes: &Changes) -> Vec<(NodeId, u64, u64, u64, u64)> {
    let events = changes.events.iter();
    events
        .filter_map(|event| match event {
            Event::NodeConvicted(event) => Some((
                event.node,
                event.value.0,
                event.fine.0,
                event.jurors.0,
                event.freed.0,
            )),
            _ => None,
        })
        .collect()
}

pub(crate) fn paid_to(changes: &Changes, party: u8) -> u64 {
    let payouts = changes.payouts.iter();
    payouts
        .filter(|payout| payout.to == address(party))
        .map(|payout| payout.amount.0)
        .sum()
}
