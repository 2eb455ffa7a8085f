//! A Walrus of one's own: several storage nodes in one process, for development, tests, machines
//! without a network, and as a durable tier before the real one.
//!
//! A write is encoded; registered; each node gets its slivers, checks them against the metadata,
//! writes them to its folder, waits until the disk has them, and signs a confirmation; with
//! confirmations of more than two thirds of the shards the blob is certified. A read takes the
//! metadata from any node (the blob id proves it) and as few slivers as give the blob back, each
//! checked; what a node gets wrong is reported and another node asked. With 10 nodes any 6 may be
//! lost before a blob is, and 3 may be down while one is written.
//!
//! Nothing that was certified is lost by killing the process at any point: slivers are on the disk
//! before their node signs, and the registration before the slivers. What was registered and never
//! certified is dropped at the next start.

mod disk;
mod error;
mod fault;
mod maintenance;
mod node;
mod node_file;
mod options;
mod price;
mod read;
mod registry;
mod repair;
mod report;
mod sqlite;
mod write;

pub use error::{NodeError, StoreError};
pub use fault::Fault;
pub use maintenance::{Collected, Maintenance};
pub use options::{Step, StepHook, StoreOptions};
pub use price::Prices;
pub use read::Check;
pub use registry::{
    Answer, BlobObject, EncodingType, MAX_EPOCHS_AHEAD, NewBlob, Registry, RegistryError,
    StorageResource,
};
pub use repair::Repaired;
pub use report::{NodeStatus, Problem, Report};
pub use sqlite::SqliteRegistry;
pub use write::{PutOptions, PutOutcome};

use crate::{
    BlobId,
    coding::{Params, shard_of_pair},
    committee::{Committee, Member},
};
use atoma_runtime::{Runtime, Threads};
use atoma_store::FolderLock;
use node::Node;
use parking_lot::Mutex;
use registry::OWN_REGISTRY;
use report::Reports;
use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

/// The nodes and what belongs to them. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: StoreOptions,
    params: Params,
    nodes: Vec<Arc<Node>>,
    committee: Committee,
    registry: Arc<dyn Registry>,
    reports: Reports,
    /// One write, deletion or repair of a blob at a time.
    busy: Mutex<BTreeMap<BlobId, Weak<tokio::sync::Mutex<()>>>>,
    /// Held as long as the store is: one program per folder.
    _lock: FolderLock,
}

/// File that says for how many shards a folder is.
const SHARDS_FILE: &str = "shards";
/// File that says where a folder's blobs are registered.
const REGISTERED_FILE: &str = "registered";
/// Folder of the nodes' folders.
const NODES_FOLDER: &str = "nodes";

impl Store {
    /// Opens a folder, with a registry of its own in it.
    ///
    /// # Errors
    /// If the folder is in use, is another store's, or can't be used.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let lock = FolderLock::take(&options.folder)?;
        let registry = SqliteRegistry::open(
            &options.folder,
            options.epoch_length,
            options.runtime.clone(),
        )?;
        Self::start(options, Arc::new(registry), lock).await
    }

    /// Opens a folder whose blobs are registered elsewhere.
    ///
    /// # Errors
    /// If the folder is in use, is another store's, or can't be used.
    pub async fn open_with(
        options: StoreOptions,
        registry: Arc<dyn Registry>,
    ) -> Result<Self, StoreError> {
        let lock = FolderLock::take(&options.folder)?;
        Self::start(options, registry, lock).await
    }

    async fn start(
        options: StoreOptions,
        registry: Arc<dyn Registry>,
        lock: FolderLock,
    ) -> Result<Self, StoreError> {
        let params = options.params()?;
        let nodes = {
            let (options, place) = (options.clone(), registry.place());
            let threads = options.runtime.threads;
            blocking(threads, move || open_nodes(&options, &place)).await??
        };
        let members = nodes
            .iter()
            .map(|node| Member {
                key: node.public_key(),
                weight: options.weight(node.number()),
            })
            .collect();
        let store = Self(Arc::new(Inner {
            params,
            committee: Committee::new(params, members)?,
            reports: Reports::new(nodes.len()),
            nodes,
            registry,
            options,
            busy: Mutex::default(),
            _lock: lock,
        }));
        store.drop_unfinished().await?;
        Ok(store)
    }

    /// How many shards blobs are coded for: ids depend on it.
    #[must_use]
    pub fn params(&self) -> Params {
        self.0.params
    }

    /// The nodes' keys and weights.
    #[must_use]
    pub fn committee(&self) -> &Committee {
        &self.0.committee
    }

    /// Where blobs are registered.
    #[must_use]
    pub fn registry(&self) -> &Arc<dyn Registry> {
        &self.0.registry
    }

    /// What storing costs here.
    #[must_use]
    pub fn prices(&self) -> Prices {
        self.0.options.prices
    }

    /// What it runs on.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.0.options.runtime
    }

    /// Computes something, or waits for the disk, where that holds nobody up.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        blocking(self.runtime().threads, work).await
    }

    /// Lets a node fail in some way, or work again.
    ///
    /// # Errors
    /// If there's no such node.
    pub fn set_fault(&self, node: usize, fault: Fault) -> Result<(), StoreError> {
        let node = self.0.nodes.get(node).ok_or(StoreError::NoNode(node))?;
        node.set_fault(fault);
        Ok(())
    }

    /// How each node does.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeStatus> {
        let faults = self.0.nodes.iter().map(|node| node.fault());
        self.0.reports.status(faults)
    }

    /// What nodes got wrong lately, oldest first.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.0.reports.recent()
    }

    /// The node that keeps a sliver pair.
    fn node_of_pair(&self, blob: BlobId, pair: u16) -> &Arc<Node> {
        let shard = shard_of_pair(blob, pair, self.0.params.shards());
        &self.0.nodes[self.0.options.node_of_shard(shard)]
    }

    /// Waits for others that write, delete or repair the same blob.
    async fn exclusive(&self, blob: BlobId) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut busy = self.0.busy.lock();
            match busy.get(&blob).and_then(Weak::upgrade) {
                Some(lock) => lock,
                None => {
                    busy.retain(|_, lock| lock.strong_count() > 0);
                    let lock = Arc::new(tokio::sync::Mutex::new(()));
                    busy.insert(blob, Arc::downgrade(&lock));
                    lock
                }
            }
        };
        lock.lock_owned().await
    }
}

fn open_nodes(options: &StoreOptions, place: &str) -> Result<Vec<Arc<Node>>, StoreError> {
    let wanted = format!("{} shards on {} nodes\n", options.shards, options.nodes);
    let kept = |name| std::fs::read_to_string(options.folder.join(name)).ok();
    let shards = kept(SHARDS_FILE);
    // a folder without the mark is of a time when every store registered its blobs itself
    let marked = kept(REGISTERED_FILE).or(shards.as_ref().map(|_| OWN_REGISTRY.to_owned()));
    match marked {
        Some(found) if found.trim() == place => {}
        Some(found) => return Err(StoreError::OtherRegistry(found.trim().to_owned())),
        None => disk::write(&options.folder, REGISTERED_FILE, &[place.as_bytes()])?,
    }
    match shards {
        Some(found) if found == wanted => {}
        Some(found) => return Err(StoreError::OtherShards(found.trim().to_owned())),
        None => disk::write(&options.folder, SHARDS_FILE, &[wanted.as_bytes()])?,
    }
    let folder = options.folder.join(NODES_FOLDER);
    let nodes = (0..usize::from(options.nodes)).map(|number| {
        let node = Node::open(&folder, number, &options.runtime)?;
        Ok(Arc::new(node))
    });
    nodes.collect()
}

/// Runs what computes or waits for the disk away from the tasks that serve.
async fn blocking<T: Send + 'static>(
    threads: Threads,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    threads
        .blocking(work)
        .await
        .map_err(|e| StoreError::Internal(e.into()))
}
