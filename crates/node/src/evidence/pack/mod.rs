//! Packing what the log holds, storing it on Walrus, several packs at a time, and keeping it there:
//! the runtime of [`step`].

mod step;
mod store;

use super::{
    build::{Builder, Built},
    error::EvidenceError,
    log::EvidenceLog,
};
use crate::ledger::LedgerLink;
use atoma_runtime::Backoff;
use atoma_runtime::{SharedClock, WithCauses};
use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use step::{Command, Event, Fate, Level, Packer, fate};
pub(crate) use store::PackStore;
use tokio::{task::JoinSet, time::Instant};
use tracing::Instrument;

/// How often the log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Pause after a pack that couldn't be made: the disk is full, or worse.
const REST: Duration = Duration::from_secs(5);
/// After a failure a pack rests so long, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long: Walrus may be away for hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Packs in the background.
#[derive(Debug)]
pub(crate) struct PackTask {
    log: Arc<EvidenceLog>,
    link: Arc<LedgerLink>,
    clock: SharedClock,
    store: PackStore,
    builder: Builder,
    packer: Packer,
    /// Each gives the bytes of its pack's bodies.
    uploads: JoinSet<u64>,
}

impl PackTask {
    pub(crate) fn new(
        builder: Builder,
        store: PackStore,
        link: Arc<LedgerLink>,
        clock: SharedClock,
    ) -> Self {
        Self {
            log: store.log.clone(),
            packer: Packer::new(builder.policy.clone()),
            link,
            clock,
            store,
            builder,
            uploads: JoinSet::new(),
        }
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            if let Err(error) = self.pack().await {
                self.store.metrics.evidence_errors.inc();
                tracing::error!(error = %WithCauses(&error), "a pack can't be made");
                tokio::time::sleep(REST).await;
            }
            let look_after = Event::LookAfter {
                epoch_ended: self.log.epoch_ended.swap(false, Ordering::Relaxed),
                at: Instant::now(),
            };
            if self.packer.step(look_after) == [Command::LookAfterPacks]
                && let Err(error) = self.look_after_packs().await
            {
                tracing::warn!(error = %WithCauses(&error), "stored packs can't be looked after");
            }
            tokio::select! {
                biased;
                Some(done) = self.uploads.join_next() => {
                    let raw = done.unwrap_or(0);
                    self.packer.step(Event::Uploaded { raw });
                }
                () = self.log.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Makes as many packs as are due, and has them stored.
    async fn pack(&mut self) -> Result<(), EvidenceError> {
        let look = Event::Look(self.level());
        let mut commands = VecDeque::from(self.packer.step(look));
        let mut built = None;
        while let Some(command) = commands.pop_front() {
            match command {
                Command::FindFirst { after } => {
                    let reader = &self.log.reader;
                    let first = Event::First {
                        first: reader.ask(move |log| log.first_after(after)).await?,
                        level: self.level(),
                        now: self.clock.now(),
                    };
                    commands.extend(self.packer.step(first));
                }
                Command::Build { after } => {
                    built = self.build(after).await?;
                    if let Some(built) = &built {
                        self.store.metrics.bodies_left_out.inc_by(built.left_out);
                        let event = Event::Built {
                            last: built.last,
                            raw: built.raw,
                            size: built.pack.catalog().length(),
                            level: self.level(),
                        };
                        commands.extend(self.packer.step(event));
                    }
                }
                Command::Upload => {
                    if let Some(built) = built.take() {
                        self.upload(built);
                    }
                }
                // asked for by another event
                Command::LookAfterPacks => {}
            }
        }
        Ok(())
    }

    fn level(&self) -> Level {
        Level {
            backlog: self.log.backlog(),
            flush_to: self.log.flush_to.load(Ordering::Relaxed),
        }
    }

    async fn build(&self, after: i64) -> Result<Option<Built>, EvidenceError> {
        let builder = self.builder.clone();
        let threads = self.log.runtime.threads;
        let built = threads.blocking(move || builder.build(after)).await;
        built.map_err(|_| EvidenceError::Stopped)?
    }

    fn upload(&mut self, built: Built) {
        let store = self.store.clone();
        let span = tracing::info_span!("pack", first = built.first);
        let work = async move {
            let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
            while let Err(error) = store.store(&built).await {
                store.metrics.evidence_errors.inc();
                tracing::warn!(error = %WithCauses(&error), "a pack is not stored yet");
                tokio::time::sleep(backoff.failed()).await;
            }
            built.raw
        };
        self.uploads.spawn(work.instrument(span));
    }

    /// Keeps what open leases need beyond its end, and lets go of what none needs.
    async fn look_after_packs(&self) -> Result<(), EvidenceError> {
        let packs = self.log.reader.ask(|log| log.kept_packs()).await?;
        if packs.is_empty() {
            return Ok(());
        }
        let epoch = match self.link.ledger.walrus_epoch().await {
            Ok(epoch) => u64::from(epoch),
            Err(error) => {
                tracing::warn!(error = %WithCauses(&error), "the epoch of Walrus can't be read");
                return Ok(());
            }
        };
        for pack in packs {
            let asked = pack.clone();
            let needed = self.log.reader.ask(move |log| log.is_needed(&asked));
            match fate(&pack, needed.await?, epoch, self.log.config.renew_epochs) {
                Fate::Keep => {}
                Fate::Release => self.store.release(&pack).await?,
                Fate::Renew => {
                    let span = tracing::info_span!("pack", first = pack.first);
                    self.store.renew(&pack).instrument(span).await?;
                }
            }
        }
        Ok(())
    }
}
