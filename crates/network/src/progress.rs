//! What a network tells while it starts.

use atoma_engine::ModelInfo;
use atoma_types::{
    Address, EngineClass, MicroUsdc, NetworkId, NodeId, Price, SecurityLevel, TaskId,
};
use std::{fmt, time::Duration};

/// A part of the network has started; told in the order of starting.
#[derive(Debug)]
#[non_exhaustive]
pub enum Step<'a> {
    /// The ledger listens and has the package published.
    Ledger {
        /// The URL at which it listens.
        url: String,
        /// The network id of the ledger.
        network: NetworkId,
    },
    /// The local Walrus listens.
    Walrus {
        /// The URL at which it listens.
        url: String,
        /// How many storage nodes it has.
        nodes: u16,
        /// How many shards it has.
        shards: u16,
    },
    /// A party got test money.
    Funded {
        /// Its part in the story.
        who: &'static str,
        /// Where the money is.
        address: Address,
        /// All that it has now.
        balance: MicroUsdc,
    },
    /// There is a task for the model.
    Task {
        /// Id of the task's object.
        task: TaskId,
        /// The model that the task is for.
        model: &'a ModelInfo,
        /// What must compute the answers.
        engine: EngineClass,
        /// The highest price that nodes may ask, in micro-USDC for a million units.
        price_ceiling: Price,
        /// How it is secured.
        security: SecurityLevel,
    },
    /// A node is registered, subscribed and serves.
    Node {
        /// Its place among the nodes, from 1.
        number: usize,
        /// Id of the node's object.
        node: NodeId,
        /// Where users reach it.
        url: String,
        /// The node's price, in micro-USDC for a million units.
        price: Price,
        /// What it put up.
        collateral: MicroUsdc,
        /// What shows that nobody looks into it, where it runs so.
        guest: Option<&'static str>,
    },
}

/// Who listens to what a network tells.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A step is done; it took so long.
    fn step(&self, step: &Step<'_>, took: Duration);
}

/// Hears the steps and tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn step(&self, _: &Step<'_>, _: Duration) {}
}
