//! The writer: executes what was asked in order in memory, writes all of it in one commit of the
//! store, shows it, and only then answers.

use crate::{
    beacon::Beacon,
    checkpoint,
    clock::Clock,
    config::CheckpointMode,
    error::LocalnetError,
    execution::{self, Context, Refusal, gas},
    freeze::Frozen,
    record::{Executed, Sealed},
    state::State,
    store::{Batch, KIND, Readers},
    treasury::{Gift, Treasury},
    trouble::Trouble,
    view::View,
};
use atoma_runtime::{Threads, WithCauses};
use atoma_store::{FolderLock, Gather, OnFailure, OpenError, Policy, Reply, Store, WriterThread};
use atoma_types::{NetworkId, TimestampMs};
use parking_lot::RwLock;
use rusqlite::Connection;
use std::{collections::BTreeMap, mem, sync::Arc, time::Duration, vec::Drain};
use sui_sdk_types::{CheckpointSummary, Digest, Transaction, UserSignature};
use tokio::{
    sync::{Notify, broadcast, watch},
    time::sleep,
};

/// How commands become commits. The capacity is a few commits' worth.
const POLICY: Policy = Policy {
    // a larger batch saves no more time and keeps its first one waiting
    max_batch: 256,
    capacity: 1_024,
    gather: Gather::Nothing,
    on_failure: OnFailure::Close,
};

/// Name of the clock's offset among the stored values.
pub(crate) const CLOCK_OFFSET: &str = "clock_offset";
/// Name of the clock's latest time among the stored values.
pub(crate) const CLOCK_LATEST: &str = "clock_latest";

/// The way to write.
pub(crate) type Writes = Store<Writer>;

/// What the writer is asked.
#[derive(Debug)]
pub(crate) enum Command {
    /// Execute a transaction whose signatures were checked.
    Execute {
        transaction: Box<Transaction>,
        signatures: Vec<UserSignature>,
        reply: Reply<Result<Arc<Executed>, Rejected>>,
    },
    /// Pay out of the treasury.
    Give {
        gift: Gift,
        reply: Reply<Result<Arc<Executed>, Rejected>>,
    },
    /// Move the clock.
    Advance {
        by_ms: u64,
        reply: Reply<TimestampMs>,
    },
    /// Close the open checkpoint, if there is anything in it.
    Seal { reply: Reply },
    /// Done, and to be told once it is on the disk.
    Answered(Answer),
}

/// What became of a command, and who waits for it.
#[derive(Debug)]
pub(crate) enum Answer {
    Executed(
        Reply<Result<Arc<Executed>, Rejected>>,
        Result<Arc<Executed>, Rejected>,
    ),
    Advanced(Reply<TimestampMs>, TimestampMs),
    Sealed(Option<Reply>),
}

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

/// The writer's own things, and its ends of those that it shares with the services.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) mode: CheckpointMode,
    pub(crate) chain: Digest,
    pub(crate) clock: Arc<Clock>,
    pub(crate) frozen: Arc<Frozen>,
    pub(crate) readers: Arc<Readers>,
    /// The committed state.
    pub(crate) view: Arc<RwLock<View>>,
    /// Checkpoints as they are sealed, after they are on disk.
    pub(crate) sealed: broadcast::Sender<Arc<Sealed>>,
    /// True when streams should end.
    pub(crate) stopping: watch::Sender<bool>,
    /// Rings when there is a checkpoint to be sealed in time.
    pub(crate) bell: Arc<Notify>,
    /// Ahead of the committed state by what is being written.
    pub(crate) state: State,
    /// The last checkpoint sealed.
    pub(crate) tip: CheckpointSummary,
    /// Transactions since then.
    pub(crate) open: Vec<Arc<Executed>>,
    pub(crate) beacon: Beacon,
    pub(crate) treasury: Treasury,
    /// What transactions are to meet.
    pub(crate) trouble: Arc<Trouble>,
    /// What is being written.
    pub(crate) batch: Batch,
    /// It has rung for the open checkpoint.
    pub(crate) rung: bool,
    /// Held until the last commit.
    pub(crate) _lock: FolderLock,
}

/// Seals each checkpoint so long after its first transaction. Ends with the store.
pub(crate) async fn seal_in_time(writes: Writes, bell: Arc<Notify>, every: Duration) {
    loop {
        bell.notified().await;
        sleep(every).await;
        let (reply, ack) = writes.ack();
        if writes.send(Command::Seal { reply }).is_err() || ack.durable().await.is_err() {
            return;
        }
    }
}

impl atoma_store::Writer for Writer {
    type Op = Command;
    type Error = LocalnetError;

    fn write(
        &mut self,
        transaction: &rusqlite::Transaction<'_>,
        commands: &mut [Command],
    ) -> Result<(), LocalnetError> {
        // this batch's transactions, for a client that sends one twice
        let mut recent = BTreeMap::new();
        for command in commands {
            let taken = mem::replace(command, Command::Answered(Answer::Sealed(None)));
            *command = Command::Answered(self.handle(taken, &mut recent));
        }
        self.batch.put(transaction)
    }

    fn committed(&mut self, commands: Drain<'_, Command>) {
        self.show();
        if self.mode != CheckpointMode::PerTransaction && !self.open.is_empty() && !self.rung {
            self.rung = true;
            self.bell.notify_one();
        }
        for command in commands {
            // who waits may have gone; the transaction stands
            match command {
                Command::Answered(Answer::Executed(reply, result)) => reply.send(result),
                Command::Answered(Answer::Advanced(reply, now)) => reply.send(now),
                Command::Answered(Answer::Sealed(Some(reply))) => reply.send(()),
                _ => {}
            }
        }
    }

    /// Nothing of the batch happened, and nothing more may.
    fn failed(&mut self) {
        self.stopping.send_replace(true);
    }
}

type Recent = BTreeMap<Digest, Arc<Executed>>;

impl Writer {
    /// Starts to write.
    pub(crate) fn start(
        self,
        connection: Connection,
        threads: Threads,
    ) -> Result<(Writes, WriterThread), OpenError> {
        Store::start(KIND.name, connection, self, POLICY, threads)
    }

    fn handle(&mut self, command: Command, recent: &mut Recent) -> Answer {
        match command {
            Command::Execute {
                transaction,
                signatures,
                reply,
            } => {
                let result = self.execute(*transaction, signatures, recent);
                Answer::Executed(reply, result)
            }
            Command::Give { gift, reply } => {
                let paid = self.treasury.pay(&self.state, &gift);
                let result = paid
                    .map_err(Rejected::from)
                    .and_then(|(transaction, signature)| {
                        self.execute(transaction, vec![signature], recent)
                    });
                Answer::Executed(reply, result)
            }
            Command::Advance { by_ms, reply } => {
                let (offset, now) = self.clock.advance(by_ms);
                let mut keep = |name, value: u64| {
                    self.batch.meta.push((name, value.to_le_bytes().to_vec()));
                };
                keep(CLOCK_OFFSET, offset);
                keep(CLOCK_LATEST, now.0);
                Answer::Advanced(reply, now)
            }
            Command::Seal { reply } => {
                self.rung = false;
                if !self.open.is_empty() {
                    self.seal();
                }
                Answer::Sealed(Some(reply))
            }
            Command::Answered(answer) => answer,
        }
    }

    /// Executes one transaction in memory. One that was executed before gives what it gave then.
    fn execute(
        &mut self,
        transaction: Transaction,
        signatures: Vec<UserSignature>,
        recent: &mut Recent,
    ) -> Result<Arc<Executed>, Rejected> {
        let digest = transaction.digest();
        if self.state.was_executed(&digest) {
            return self.again(digest, recent);
        }
        let checkpoint = self.tip.sequence_number + 1;
        let context = Context {
            now: self.clock.now(),
            network: NetworkId(self.chain.into_inner()),
            chain: self.chain,
            seed: self.beacon.seed(digest, checkpoint),
            frozen: self.frozen.now(),
            checks: true,
            mock_gas: None,
            congested: execution::changes_shared(&transaction) && self.trouble.is_congested(),
        };
        let outcome = execution::execute(&self.state, &transaction, &context)?;
        let place = (checkpoint, self.open.len() as u64);
        let executed = Arc::new(outcome.executed(transaction, signatures, place, context.now));
        self.state.apply(&outcome.delta);
        self.open.push(Arc::clone(&executed));
        recent.insert(digest, Arc::clone(&executed));
        self.batch
            .executed
            .push((Arc::clone(&executed), outcome.delta));
        if self.mode == CheckpointMode::PerTransaction {
            self.seal();
        }
        Ok(executed)
    }

    fn again(&self, digest: Digest, recent: &Recent) -> Result<Arc<Executed>, Rejected> {
        if let Some(executed) = recent.get(&digest) {
            return Ok(Arc::clone(executed));
        }
        match self.readers.transaction(digest) {
            Ok(Some(executed)) => Ok(Arc::new(executed)),
            Ok(None) => Err(Rejected::Stopped),
            Err(error) => {
                tracing::error!(error = %WithCauses(&error), "cannot read an executed transaction");
                Err(Rejected::Stopped)
            }
        }
    }

    /// Closes the open checkpoint.
    fn seal(&mut self) {
        let transactions = mem::take(&mut self.open);
        let gas = transactions.iter().fold(
            self.tip.epoch_rolling_gas_cost_summary.clone(),
            |sum, executed| gas::add(&sum, executed.effects.gas_summary()),
        );
        // the time of its transactions, so that nothing in it is later than itself
        let now = transactions.last().map_or(TimestampMs(0), |last| last.time);
        let sealed = checkpoint::seal(Some(&self.tip), transactions, now, gas);
        self.tip = sealed.summary.clone();
        self.batch.sealed.push(Arc::new(sealed));
    }

    /// Shows what was written.
    fn show(&mut self) {
        let batch = mem::take(&mut self.batch);
        self.view.write().apply(&batch);
        for sealed in batch.sealed {
            // nobody may be listening
            let _: Result<usize, _> = self.sealed.send(sealed);
        }
    }
}
