//! The ledger's events into the file: from where it stands, in bounded batches, for as long as wanted.
//!
//! Before each commit the ledger is asked who it is and whether it still has the checkpoint that the
//! file ends with. A network that was wiped or set back under a running program is refused there,
//! before anything of it is in the file.

use super::{
    error::IndexError,
    refresh::{self, Read},
    rows::ProgressRow,
    store::{Batch, Existing, Store},
};
use atoma_ledger::{
    Checkpoint, Cursor, Digest, EventStart, Ledger, LedgerFrame, MalformedAnswer, ReadError, Tip,
};
use atoma_store::{SharedConnection, Stopped};
use futures::{FutureExt, StreamExt, TryStreamExt};
use std::{collections::BTreeMap, path::Path, time::Duration};
use tokio::{sync::watch, time::MissedTickBehavior};

/// Frames in one commit: enough that commits cost little, few enough that one is done in a moment.
const MAX_BATCH: usize = 512;
/// Checkpoints asked for at once, for their times.
const QUESTIONS: usize = 16;
/// How often a quiet ledger is asked who it is, and word of it is kept.
const TICK: Duration = Duration::from_secs(2);

/// When to stop by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// With the last event that there was when it began.
    CaughtUp,
    /// It goes on until it is told to stop.
    Stopped,
}

/// How far the read model is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last checkpoint that is wholly in the read model.
    pub checkpoint: u64,
    /// The ledger's last checkpoint.
    pub tip: u64,
    /// Events that the read model has applied.
    pub events: u64,
    /// All that there was when it began is in it.
    pub caught_up: bool,
    /// Why nothing comes just now.
    pub trouble: Option<String>,
}

/// Fills a read model from a ledger.
#[derive(Debug)]
pub struct Indexer {
    ledger: Ledger,
    store: SharedConnection<Store>,
}

impl Indexer {
    /// Opens the file, or makes it, and checks that it is about this ledger.
    ///
    /// # Errors
    /// If the file is of another ledger or version, or the ledger cannot be asked.
    pub async fn open(
        ledger: &Ledger,
        path: &Path,
        existing: Existing,
    ) -> Result<Self, IndexError> {
        let tip = ledger.tip().await?;
        let (path, deployment) = (path.to_owned(), ledger.deployment().clone());
        let open = move || Store::open(&path, &deployment, tip.oldest, existing);
        let threads = ledger.runtime().threads;
        let store = threads.blocking(open).await.map_err(|_| Stopped)??;
        let indexer = Self {
            ledger: ledger.clone(),
            store: SharedConnection::new(store, threads),
        };
        match indexer.confirm().await {
            Err(error) if !error.is_transient() => Err(error),
            _ => Ok(indexer),
        }
    }

    /// Follows the ledger until it is told to stop (or `stop`'s sender is gone), or has what was
    /// wanted. A ledger that can't be reached is waited for if it is to run until stopped.
    ///
    /// # Errors
    /// If the ledger has another history than the file, or the file cannot be written.
    pub async fn run(
        &self,
        until: Until,
        mut stop: watch::Receiver<bool>,
        mut report: impl FnMut(Progress),
    ) -> Result<(), IndexError> {
        let mut progress = Progress::default();
        loop {
            let session = self.session(until, &mut progress, &mut report);
            let ended = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                ended = session => ended,
            };
            match ended {
                Ok(()) => return Ok(()),
                // a refusal, too, may be over soon; whether the file's place is still there was asked before
                Err(error) if until == Until::Stopped && error.may_pass() => {
                    progress.trouble = Some(error.to_string());
                    report(progress.clone());
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Follows from the file's place until something fails. It may be dropped at any moment: what is
    /// not committed then is read again.
    async fn session(
        &self,
        until: Until,
        progress: &mut Progress,
        report: &mut impl FnMut(Progress),
    ) -> Result<(), IndexError> {
        let (first_tip, row) = self.confirm().await?;
        progress.trouble = None;
        progress.tell(first_tip, &row);
        report(progress.clone());
        self.refresh().await?;
        // a stream that has nothing new says nothing
        let mut covered = row.covered;
        let mut frames = self.ledger.frames(start(&row)?);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // word of a quiet ledger that is not in the file yet
        let mut waiting: Option<Cursor> = None;
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                frame = frames.next() => batch.push(frame.ok_or_else(ended)??),
                _ = tick.tick() => {}
            }
            // whatever else is here already
            while batch.len() < MAX_BATCH
                && let Some(frame) = frames.next().now_or_never()
            {
                batch.push(frame.ok_or_else(ended)??);
            }
            covered = batch.iter().filter_map(|f| f.covered).max().max(covered);
            let caught_up = covered.is_some_and(|covered| covered >= first_tip.checkpoint);
            let idle = batch.iter().all(|frame| frame.event.is_none());
            if let Some(last) = batch.last() {
                waiting = Some(last.cursor.clone());
            }
            // a quiet ledger says often where it is: that is kept with the tick, or to be done
            if idle && !batch.is_empty() && (progress.caught_up || !caught_up) {
                continue;
            }
            let (tip, mut row) = self.confirm().await?;
            if let Some(cursor) = waiting.take() {
                row = self.commit(batch, cursor, covered).await?;
                self.refresh().await?;
            }
            progress.caught_up |= caught_up;
            progress.tell(tip, &row);
            report(progress.clone());
            if until == Until::CaughtUp && progress.caught_up {
                return Ok(());
            }
        }
    }

    /// Checks that the ledger is the one that the file is about, and has the file's last checkpoint.
    async fn confirm(&self) -> Result<(Tip, ProgressRow), IndexError> {
        let row = self.store.run(Store::progress).await?;
        let tip = self.ledger.tip().await?;
        let (Some(checkpoint), Some(digest)) = (row.checkpoint, row.checkpoint_digest) else {
            return Ok((tip, row));
        };
        if tip.checkpoint < checkpoint {
            return Err(IndexError::Behind {
                checkpoint,
                tip: tip.checkpoint,
            });
        }
        if tip.oldest > checkpoint.saturating_add(1) {
            return Err(IndexError::Pruned {
                checkpoint,
                oldest: tip.oldest,
            });
        }
        match self.ledger.checkpoint(checkpoint).await {
            Ok(found) if found.digest == Digest::new(digest) => Ok((tip, row)),
            // forgotten between the two questions
            Err(ReadError::NotFound { .. }) if tip.oldest >= checkpoint => Ok((tip, row)),
            Ok(_) => Err(self.diverged(checkpoint, false).await),
            Err(ReadError::NotFound { .. }) => Err(self.diverged(checkpoint, true).await),
            Err(error) => Err(error.into()),
        }
    }

    /// Another history; of another network, if the network went between two questions.
    async fn diverged(&self, checkpoint: u64, missing: bool) -> IndexError {
        match self.ledger.tip().await {
            Ok(_) => IndexError::Diverged {
                checkpoint,
                missing,
            },
            Err(error) => error.into(),
        }
    }

    async fn commit(
        &self,
        frames: Vec<LedgerFrame>,
        cursor: Cursor,
        covered: Option<u64>,
    ) -> Result<ProgressRow, IndexError> {
        let events: Vec<_> = frames.into_iter().filter_map(|f| f.event).collect();
        let mut numbers: Vec<u64> = events.iter().map(|event| event.checkpoint).collect();
        numbers.extend(covered);
        numbers.sort_unstable();
        numbers.dedup();
        let checkpoints: BTreeMap<u64, Checkpoint> = futures::stream::iter(numbers)
            .map(|number| self.ledger.checkpoint(number))
            .buffered(QUESTIONS)
            .map_ok(|checkpoint| (checkpoint.number, checkpoint))
            .try_collect()
            .await?;
        let events = events.into_iter().map(|event| {
            let checkpoint = checkpoints.get(&event.checkpoint);
            let checkpoint = checkpoint.ok_or_else(|| ReadError::NotFound {
                what: "checkpoint",
                id: event.checkpoint.to_string(),
            })?;
            Ok((event, checkpoint.time))
        });
        let batch = Batch {
            events: events.collect::<Result<_, IndexError>>()?,
            cursor,
            covered,
            checkpoint: checkpoints.into_values().next_back(),
        };
        self.store.run(move |store| store.commit(&batch)).await
    }

    /// Reads the objects that are due.
    async fn refresh(&self) -> Result<(), IndexError> {
        loop {
            let stale = self.store.run(|store| store.stale(refresh::MOST)).await?;
            if stale.is_empty() {
                return Ok(());
            }
            let read = Read::from(&self.ledger, &stale).await?;
            self.store
                .run(move |store| store.refresh(&stale, |rows| read.write(rows)))
                .await?;
        }
    }
}

impl Progress {
    fn tell(&mut self, tip: Tip, row: &ProgressRow) {
        self.tip = tip.checkpoint;
        self.checkpoint = row.checkpoint.unwrap_or(0);
        self.events = row.events;
    }
}

fn start(row: &ProgressRow) -> Result<EventStart, IndexError> {
    match &row.cursor {
        None => Ok(EventStart::Beginning),
        Some(bytes) => Ok(EventStart::After(Cursor::from_bytes(bytes)?)),
    }
}

fn ended() -> ReadError {
    MalformedAnswer::EventsEnded.into()
}
