//! What the services and the writer share: the committed state to read, and the way to write.

use crate::{
    clock::Clock,
    config::LocalnetConfig,
    error::LocalnetError,
    execution::{self, Refusal},
    record::{Executed, Sealed},
    state::State,
    store::Readers,
};
use atoma_types::{Address, NetworkId, TimestampMs};
use parking_lot::RwLock;
use std::sync::Arc;
use sui_sdk_types::{CheckpointSummary, Digest, GasCostSummary, Transaction, UserSignature};
use tokio::sync::{
    broadcast,
    mpsc::{Sender, error::TrySendError},
    oneshot, watch,
};

/// The committed state.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) state: State,
    /// The last checkpoint sealed.
    pub(crate) tip: CheckpointSummary,
    /// What all transactions cost together, those not yet sealed included.
    pub(crate) gas: GasCostSummary,
}

/// Shared by everything that serves.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: LocalnetConfig,
    /// The network's id as Sui has it: the first checkpoint's digest.
    pub(crate) chain: Digest,
    pub(crate) view: RwLock<View>,
    pub(crate) readers: Readers,
    pub(crate) clock: Clock,
    /// Checkpoints as they are sealed, after they are on disk.
    pub(crate) sealed: broadcast::Sender<Arc<Sealed>>,
    /// True when streams should end.
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) commands: Sender<Command>,
}

/// What the writer is asked.
#[derive(Debug)]
pub(crate) enum Command {
    /// Execute a transaction whose signatures were checked.
    Execute {
        transaction: Box<Transaction>,
        signatures: Vec<UserSignature>,
        reply: Reply,
    },
    /// Pay out of the treasury.
    Give {
        to: Address,
        sui: u64,
        usdc: u64,
        reply: Reply,
    },
    /// Move the clock.
    Advance {
        by_ms: u64,
        reply: oneshot::Sender<TimestampMs>,
    },
    /// End, after everything that came before.
    Stop,
}

/// Answers once the transaction is on disk.
pub(crate) type Reply = oneshot::Sender<Result<Arc<Executed>, Rejected>>;

/// Why nothing was executed.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Rejected {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the ledger has more to do than it can keep: try again")]
    Busy,
    #[error("the ledger has stopped writing; it must be started again")]
    Stopped,
}

impl Shared {
    /// The network's id.
    pub(crate) fn network(&self) -> NetworkId {
        NetworkId(self.chain.into_inner())
    }

    /// Asks the writer for a transaction.
    pub(crate) async fn write(
        &self,
        command: impl FnOnce(Reply) -> Command,
    ) -> Result<Arc<Executed>, Rejected> {
        let (reply, answer) = oneshot::channel();
        self.send(command(reply))?;
        answer.await.map_err(|_| Rejected::Stopped)?
    }

    /// Hands a command to the writer.
    pub(crate) fn send(&self, command: Command) -> Result<(), Rejected> {
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                TrySendError::Full(_) => Rejected::Busy,
                TrySendError::Closed(_) => Rejected::Stopped,
            })
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
            checks: true,
            mock_gas: None,
        };
        with(&view.state, &context)
    }

    /// Runs a blocking read of history off the async threads.
    pub(crate) async fn history<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Readers) -> Result<T, LocalnetError> + Send + 'static,
    ) -> Result<T, LocalnetError> {
        let shared = Arc::clone(self);
        let threads = self.config.runtime.threads;
        threads
            .blocking(move || read(&shared.readers))
            .await
            .map_err(|error| LocalnetError::Writer(error.to_string()))?
    }
}
