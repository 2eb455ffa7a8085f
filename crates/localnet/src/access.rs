//! What the services and the writer share: the committed state to read, and the way to write.

use crate::{
    clock::Clock,
    config::LocalnetConfig,
    error::LocalnetError,
    execution,
    freeze::Frozen,
    record::{Executed, Sealed},
    state::State,
    store::Readers,
    trouble::Trouble,
    view::View,
    writer::{Command, Rejected, Writes},
};
use atoma_store::{Reply, WriteError};
use atoma_types::NetworkId;
use parking_lot::RwLock;
use std::sync::Arc;
use sui_sdk_types::Digest;
use tokio::sync::{broadcast, watch};

/// LedgerAccess by everything that serves.
#[derive(Debug)]
pub(crate) struct LedgerAccess {
    pub(crate) config: LocalnetConfig,
    /// The network's id as Sui has it: the first checkpoint's digest.
    pub(crate) chain: Digest,
    pub(crate) view: Arc<RwLock<View>>,
    pub(crate) readers: Arc<Readers>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) frozen: Arc<Frozen>,
    /// Checkpoints as they are sealed, after they are on disk.
    pub(crate) sealed: broadcast::Sender<Arc<Sealed>>,
    /// True when streams should end.
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) writes: Writes,
    /// What transactions are to meet.
    pub(crate) trouble: Arc<Trouble>,
}

impl LedgerAccess {
    /// The network's id.
    pub(crate) fn network(&self) -> NetworkId {
        NetworkId(self.chain.into_inner())
    }

    /// Asks the writer for a transaction.
    pub(crate) async fn execute(
        &self,
        command: impl FnOnce(Reply<Result<Arc<Executed>, Rejected>>) -> Command,
    ) -> Result<Arc<Executed>, Rejected> {
        self.write(command).await?
    }

    /// Asks the writer for something, and waits until it is on the disk.
    pub(crate) async fn write<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, Rejected> {
        let (reply, ack) = self.writes.ack();
        self.writes.send(command(reply)).map_err(rejected)?;
        ack.durable().await.map_err(rejected)
    }

    /// Holds the committed state still for something that executes on it without changing it.
    pub(crate) fn simulate<T>(&self, with: impl FnOnce(&State, &execution::Context) -> T) -> T {
        let view = self.view.read();
        let context = execution::Context {
            now: self.clock.now(),
            network: self.network(),
            chain: self.chain,
            // tells nothing of what the beacon would say
            seed: self.config.runtime.random.bytes(),
            frozen: self.frozen.now(),
            checks: true,
            mock_gas: None,
            congested: false,
        };
        with(&view.state, &context)
    }

    /// Runs a blocking read of history off the async threads.
    pub(crate) async fn history<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Readers) -> Result<T, LocalnetError> + Send + 'static,
    ) -> Result<T, LocalnetError> {
        let access = Arc::clone(self);
        let threads = self.config.runtime.threads;
        threads.blocking(move || read(&access.readers)).await?
    }
}

/// The store has logged why.
#[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
fn rejected(error: WriteError) -> Rejected {
    match error {
        WriteError::Full { .. } => Rejected::Busy,
        _ => Rejected::Stopped,
    }
}
