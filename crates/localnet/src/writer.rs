//! The writer: the one thread that executes, writes and publishes. It takes what has come in,
//! executes it in order in memory, writes all of it in one commit, and only then answers.

use crate::{
    beacon::Beacon,
    checkpoint,
    config::CheckpointMode,
    execution::{self, Context, gas},
    record::Executed,
    shared::{Command, Rejected, Reply, Shared},
    state::State,
    store::{Batch, Store},
    treasury::Treasury,
};
use atoma_types::TimestampMs;
use std::{collections::HashMap, sync::Arc, time::Duration};
use sui_sdk_types::{CheckpointSummary, Digest, Transaction, UserSignature};
use tokio::{
    sync::{mpsc::Receiver, oneshot},
    time::{Instant, timeout_at},
};

/// Commands of one commit: a larger batch saves no more time and keeps its first one waiting.
const MAX_BATCH: usize = 256;

/// Name of the clock's offset among the stored values.
pub(crate) const CLOCK_OFFSET: &str = "clock_offset";
/// Name of the clock's latest time among the stored values.
pub(crate) const CLOCK_LATEST: &str = "clock_latest";

/// The writer's own things.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) store: Store,
    pub(crate) shared: Arc<Shared>,
    /// Ahead of the committed state by what is being written.
    pub(crate) state: State,
    /// The last checkpoint sealed.
    pub(crate) tip: CheckpointSummary,
    /// Transactions since then.
    pub(crate) open: Vec<Arc<Executed>>,
    pub(crate) beacon: Beacon,
    pub(crate) treasury: Treasury,
}

/// Answers that wait for the commit.
#[derive(Default)]
struct Waiting {
    executed: Vec<(Reply, Result<Arc<Executed>, Rejected>)>,
    advanced: Vec<(oneshot::Sender<TimestampMs>, TimestampMs)>,
    /// This batch's transactions, for a client that sends one twice.
    by_digest: HashMap<Digest, Arc<Executed>>,
    stop: bool,
}

impl Writer {
    /// Works until it is told to stop or the disk fails.
    pub(crate) async fn run(mut self, mut commands: Receiver<Command>) {
        // what a crash left unsealed is sealed in time
        let mut due = (!self.open.is_empty()).then(Instant::now);
        loop {
            // nothing if a checkpoint is due before anybody asks for something
            let first = match due {
                None => Some(commands.recv().await),
                Some(due) => timeout_at(due, commands.recv()).await.ok(),
            };
            let mut batch = Batch::default();
            let mut waiting = Waiting::default();
            match first {
                Some(Some(command)) => {
                    self.handle(command, &mut batch, &mut waiting);
                    for _ in 1..MAX_BATCH {
                        let Ok(command) = commands.try_recv() else {
                            break;
                        };
                        self.handle(command, &mut batch, &mut waiting);
                    }
                }
                Some(None) => waiting.stop = true,
                None => {}
            }
            if let CheckpointMode::EveryMs(every) = self.shared.config.checkpoint {
                let now = Instant::now();
                if due.is_some_and(|due| due <= now) || (waiting.stop && !self.open.is_empty()) {
                    self.seal(&mut batch);
                }
                due = match (self.open.is_empty(), due) {
                    (true, _) => None,
                    (false, Some(due)) if due > now => Some(due),
                    (false, _) => Some(now + Duration::from_millis(every)),
                };
            } else {
                if !self.open.is_empty() {
                    self.seal(&mut batch);
                }
                due = None;
            }
            let stop = waiting.stop;
            if !self.commit(batch, waiting) || stop {
                return;
            }
        }
    }

    fn handle(&mut self, command: Command, batch: &mut Batch, waiting: &mut Waiting) {
        match command {
            Command::Execute {
                transaction,
                signatures,
                reply,
            } => {
                let result = self.execute(*transaction, signatures, batch, waiting);
                waiting.executed.push((reply, result));
            }
            Command::Give {
                to,
                sui,
                usdc,
                reply,
            } => {
                let result = self
                    .treasury
                    .pay(&self.state, to, sui, usdc)
                    .map_err(Rejected::from)
                    .and_then(|(transaction, signature)| {
                        self.execute(transaction, vec![signature], batch, waiting)
                    });
                waiting.executed.push((reply, result));
            }
            Command::Advance { by_ms, reply } => {
                let (offset, now) = self.shared.clock.advance(by_ms);
                batch
                    .meta
                    .push((CLOCK_OFFSET, offset.to_le_bytes().to_vec()));
                batch
                    .meta
                    .push((CLOCK_LATEST, now.0.to_le_bytes().to_vec()));
                waiting.advanced.push((reply, now));
            }
            Command::Stop => waiting.stop = true,
        }
    }

    /// Executes one transaction in memory. One that was executed before gives what it gave then.
    fn execute(
        &mut self,
        transaction: Transaction,
        signatures: Vec<UserSignature>,
        batch: &mut Batch,
        waiting: &mut Waiting,
    ) -> Result<Arc<Executed>, Rejected> {
        let digest = transaction.digest();
        if self.state.was_executed(&digest) {
            return self.again(digest, waiting);
        }
        let checkpoint = self.tip.sequence_number + 1;
        let context = Context {
            now: self.shared.clock.now(),
            network: self.shared.network(),
            chain: self.shared.chain,
            seed: self.beacon.seed(digest, checkpoint),
            checks: true,
            mock_gas: None,
        };
        let outcome = execution::execute(&self.state, &transaction, &context)?;
        let place = (checkpoint, self.open.len() as u64);
        let executed = Arc::new(outcome.executed(transaction, signatures, place, context.now));
        self.state.apply(&outcome.delta);
        self.open.push(Arc::clone(&executed));
        waiting.by_digest.insert(digest, Arc::clone(&executed));
        batch.executed.push((Arc::clone(&executed), outcome.delta));
        if self.shared.config.checkpoint == CheckpointMode::PerTransaction {
            self.seal(batch);
        }
        Ok(executed)
    }

    fn again(&self, digest: Digest, waiting: &Waiting) -> Result<Arc<Executed>, Rejected> {
        if let Some(executed) = waiting.by_digest.get(&digest) {
            return Ok(Arc::clone(executed));
        }
        match self.shared.readers.transaction(digest) {
            Ok(Some(executed)) => Ok(Arc::new(executed)),
            Ok(None) => Err(Rejected::Stopped),
            Err(error) => {
                tracing::error!(%error, "cannot read an executed transaction");
                Err(Rejected::Stopped)
            }
        }
    }

    /// Closes the open checkpoint.
    fn seal(&mut self, batch: &mut Batch) {
        let transactions = std::mem::take(&mut self.open);
        let gas = transactions.iter().fold(
            self.tip.epoch_rolling_gas_cost_summary.clone(),
            |sum, executed| gas::add(&sum, executed.effects.gas_summary()),
        );
        // the time of its transactions, so that nothing in it is later than itself
        let now = transactions.last().map_or(TimestampMs(0), |last| last.time);
        let sealed = checkpoint::seal(Some(&self.tip), transactions, now, gas);
        self.tip = sealed.summary.clone();
        batch.sealed.push(Arc::new(sealed));
    }

    /// Writes the batch, shows it, and answers. False if the disk failed: then nothing of it
    /// happened, and nothing more may.
    fn commit(&mut self, batch: Batch, waiting: Waiting) -> bool {
        if !batch.is_empty()
            && let Err(error) = self.store.write(&batch)
        {
            tracing::error!(%error, "cannot write: the ledger stops here");
            self.shared.stopping.send_replace(true);
            for (reply, result) in waiting.executed {
                let _ = reply.send(result.and(Err(Rejected::Stopped)));
            }
            return false;
        }
        {
            let mut view = self.shared.view.write();
            for (executed, delta) in &batch.executed {
                view.state.apply(delta);
                view.gas = gas::add(&view.gas, executed.effects.gas_summary());
            }
            if let Some(sealed) = batch.sealed.last() {
                view.tip = sealed.summary.clone();
            }
        }
        for sealed in batch.sealed {
            // nobody may be listening
            let _: Result<usize, _> = self.shared.sealed.send(sealed);
        }
        for (reply, result) in waiting.executed {
            // the client may have gone; the transaction stands
            let _ = reply.send(result);
        }
        for (reply, now) in waiting.advanced {
            let _ = reply.send(now);
        }
        true
    }
}
