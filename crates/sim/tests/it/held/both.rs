//! A ledger by the contract beside one by the model.

use super::{compare, records::Chain};
use atoma_contract::{Changes, Env, State};
use atoma_keys::SigningKey;
use atoma_sim::model::{Ledger, NodeIx, Rules, StackIx, TaskIx};
use atoma_types::{
    Address, NetworkId, NodeId, StackId, TaskId, TimestampMs,
    chain::{AbortCode, Call, Deployment, LOCALNET_DB, Params},
    hash::Hash32,
};
use std::collections::BTreeMap;
use sui_sdk_types::Digest;

pub(super) const NETWORK: NetworkId = NetworkId([9; 32]);
pub(super) const USDC: u64 = 1_000_000;
/// The administrator and stranger.
pub(super) const ANYONE: u32 = 250;

pub(super) fn key(party: u32) -> SigningKey {
    SigningKey::from_seed(&[party as u8; 32])
}

pub(super) fn address(party: u32) -> Address {
    thread_local! {
        static KNOWN: std::cell::RefCell<BTreeMap<u32, Address>> = const { std::cell::RefCell::new(BTreeMap::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        *known
            .entry(party)
            .or_insert_with(|| key(party).public_key().address())
    })
}

pub(super) struct Both {
    pub(super) state: State,
    pub(super) model: Ledger,
    pub(super) now: u64,
    pub(super) nodes: Vec<NodeId>,
    pub(super) tasks: Vec<TaskId>,
    pub(super) stacks: Vec<StackId>,
    pub(super) chains: BTreeMap<(StackIx, NodeIx), Chain>,
    transactions: u64,
}

impl Both {
    pub(super) fn new(sample_permille: u64) -> Self {
        let params = Params {
            sample_permille,
            ..Params::default()
        };
        let deployment = Deployment::localnet(NETWORK);
        Self {
            state: State::genesis(&deployment, address(ANYONE), params.clone()),
            model: Ledger::new(Rules {
                params,
                ..Rules::default()
            }),
            now: 1_000 * atoma_sim::model::DAY,
            nodes: Vec::new(),
            tasks: Vec::new(),
            stacks: Vec::new(),
            chains: BTreeMap::new(),
            transactions: 0,
        }
    }

    /// The beacon of the next transaction.
    pub(super) fn seed(&self) -> [u8; 32] {
        Hash32::of(&(self.transactions + 1).to_le_bytes()).0
    }

    /// The contract's part of a call.
    pub(super) fn contract(
        &mut self,
        sender: u32,
        call: impl Into<Call>,
    ) -> Result<Changes, AbortCode> {
        self.transactions += 1;
        let number = self.transactions.to_le_bytes();
        let mut txn = self.state.begin(Env {
            sender: address(sender),
            now: TimestampMs(self.now),
            network: NETWORK,
            transaction: Digest::new(Hash32::of_parts(&[b"transaction", &number]).0),
            created: 3,
            seed: Hash32::of(&number).0,
        });
        txn.call(&call.into()).map_err(|abort| abort.code)?;
        let changes = txn.finish();
        self.state.commit(changes.clone());
        Ok(changes)
    }

    /// Both must say the same of a call, and hold the same after it. Returns whether it was done.
    #[track_caller]
    pub(super) fn same<A: std::fmt::Debug, B: std::fmt::Debug>(
        &self,
        what: &str,
        contract: &Result<A, AbortCode>,
        model: &Result<B, AbortCode>,
    ) -> bool {
        let codes = (contract.as_ref().err(), model.as_ref().err());
        assert_eq!(codes.0, codes.1, "{what}: contract, model");
        if contract.is_ok() {
            compare::all(self, what);
        }
        contract.is_ok()
    }

    pub(super) fn db() -> atoma_types::ObjectId {
        LOCALNET_DB
    }

    pub(super) fn node_ix(&self, id: NodeId) -> NodeIx {
        self.nodes.iter().position(|&node| node == id).unwrap()
    }

    pub(super) fn task_of(&self, stack: StackIx) -> TaskIx {
        self.model.stacks[stack].task
    }
}
