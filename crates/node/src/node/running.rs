//! A node that serves, and how it stops.

use crate::{
    concurrency::ConcurrencyLimit, data_dir::DataDir, forward::Forwarder, journal::Journal,
};
use atoma_http::server::Server;
use atoma_runtime::Threads;
use atoma_store::WriterThread;
use atoma_types::NodeId;
use futures::future::BoxFuture;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};
use tokio_util::{sync::DropGuard, task::AbortOnDropHandle};

/// The operator's port closes at once; nothing runs there for long.
const ADMIN_GRACE: Duration = Duration::from_secs(1);

/// A node that serves. Dropping it stops it at once; [`RunningNode::drain_and_stop`] does so
/// gracefully.
#[derive(Debug)]
pub struct RunningNode {
    pub(super) node: NodeId,
    pub(super) url: String,
    pub(super) concurrency: Arc<ConcurrencyLimit>,
    pub(super) forwarder: Option<Arc<Forwarder>>,
    pub(super) drain_grace: Duration,
    /// Ends what outlives its connection.
    pub(super) stopper: DropGuard,
    pub(super) public: Server,
    pub(super) admin: Server,
    pub(super) background: Vec<AbortOnDropHandle<()>>,
    pub(super) journal: Journal,
    pub(super) journal_thread: WriterThread,
    pub(super) threads: Threads,
    /// Held for as long as the node lives.
    pub(super) data_dir: DataDir,
}

impl RunningNode {
    /// Where users reach it.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Where the operator reaches it.
    #[must_use]
    pub fn admin_url(&self) -> String {
        format!("http://{}", self.admin.address())
    }

    /// Its id on the ledger.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        self.node
    }

    /// Refuses new requests, lets those that run end within the grace, makes everything durable
    /// and stops. Leases stay as they are: the node goes on with them when it starts again.
    pub fn drain_and_stop(self) -> BoxFuture<'static, ()> {
        Box::pin(stop(self))
    }
}

async fn stop(node: RunningNode) {
    node.concurrency.drain();
    let begun = Instant::now();
    let passes_on = |forwarder: &Arc<Forwarder>| forwarder.config().draining;
    if !node.concurrency.is_retired() && node.forwarder.as_ref().is_some_and(passes_on) {
        // until the last answer of our own is complete, who comes finds another node behind the door
        let _ = timeout(node.drain_grace, node.concurrency.idle()).await;
    }
    let left = node.drain_grace.saturating_sub(begun.elapsed());
    node.public.close(left).await;
    drop(node.stopper);
    // what was passed on waits a moment for the other node's receipt
    if let Some(forwarder) = node.forwarder {
        forwarder.stopping.cancel();
        forwarder.tracker.close();
        forwarder.tracker.wait().await;
    }
    // dropped connections have settled their requests by now; nothing else holds a place
    node.concurrency.idle().await;
    for task in node.background {
        task.abort();
        // aborted on purpose
        let _ = task.await;
    }
    node.admin.close(ADMIN_GRACE).await;
    node.journal.close();
    // the writer ends by itself; waiting for it must not hold up the runtime
    let _ = node
        .threads
        .blocking(move || node.journal_thread.join())
        .await;
    drop(node.data_dir);
    tracing::info!("stopped");
}
