//! What a store is made of.

use super::{error::StoreError, price::Prices};
use crate::coding::Params;
use atoma_runtime::Runtime;
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// How many nodes, where, and how patient.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Where blobs and registry are kept; one store at a time uses it.
    pub folder: PathBuf,
    /// How many storage nodes there are.
    pub nodes: u16,
    /// Shards, dealt out to the nodes in turn. More of them allow larger blobs: 1.8 MB with 10,
    /// 149 MB with 100.
    pub shards: u16,
    /// How long an epoch lasts; without it only [`super::SqliteRegistry::advance_epoch`] ends one.
    pub epoch_length: Option<Duration>,
    /// A node that hasn't answered by then has failed.
    pub node_timeout: Duration,
    /// A node that hasn't answered by then is slow: others are asked besides, and with a quorum a
    /// write doesn't wait for it.
    pub hedge_after: Duration,
    /// The prices that the store answers with; nobody pays them.
    pub prices: Prices,
    /// Clock of the epochs and of tokens, randomness of the nodes' keys, threads, and the network.
    pub runtime: Runtime,
    /// Called between the steps of a write: tests kill the process there.
    pub step: Option<StepHook>,
}

impl StoreOptions {
    /// Ten nodes with a shard each, in a folder, on the machine's runtime.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            nodes: 10,
            shards: 10,
            epoch_length: None,
            node_timeout: Duration::from_secs(5),
            hedge_after: Duration::from_millis(250),
            prices: Prices::default(),
            runtime: Runtime::system(),
            step: None,
        }
    }

    pub(super) fn params(&self) -> Result<Params, StoreError> {
        let params = Params::new(usize::from(self.shards))?;
        if self.nodes == 0 || self.nodes > self.shards {
            return Err(StoreError::Nodes {
                nodes: self.nodes,
                shards: self.shards,
            });
        }
        Ok(params)
    }

    pub(super) fn node_of_shard(&self, shard: u16) -> usize {
        usize::from(shard % self.nodes)
    }

    /// How many shards a node keeps.
    pub(super) fn weight(&self, node: usize) -> u16 {
        let more = node < usize::from(self.shards % self.nodes);
        self.shards / self.nodes + u16::from(more)
    }

    pub(super) fn reached(&self, step: Step) {
        if let Some(hook) = &self.step {
            (hook.0)(step);
        }
    }
}

/// What a write has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The blob is encoded, nothing is stored.
    Encoded,
    /// The registration is durable.
    Registered,
    /// A node's slivers are written under another name.
    Written(usize),
    /// A node's slivers are durable.
    Stored(usize),
    /// A node has signed.
    Confirmed(usize),
    /// Enough have signed; the certificate isn't recorded.
    Quorum,
    /// The certificate is durable, nobody has been told.
    Certified,
}

/// A function that is called at each step of storing, so that tests can stop there.
#[derive(Clone)]
pub struct StepHook(pub Arc<dyn Fn(Step) + Send + Sync>);

impl fmt::Debug for StepHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StepHook")
    }
}
