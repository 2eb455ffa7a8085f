//! The packer: looks at the log now and then, and has packs stored, several at a time.

use super::{
    build::{Builder, Built, path_of},
    error::EvidenceError,
    log::EvidenceLog,
    reader::owner,
};
use crate::{
    journal::{Change, PackRow},
    shared::Shared,
};
use atoma_types::TimestampMs;
use atoma_walrus::client::{StoreRequest, WalrusClient};
use bytes::Bytes;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// How often the log is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Packs on their way at once: on Mainnet each takes up to a minute, and a publisher takes eight.
const MAX_UPLOADS: usize = 4;
/// Pause after a pack that couldn't be made: the disk is full, or worse.
const REST: Duration = Duration::from_secs(5);
/// How often stored packs are looked at besides the ends of epochs: for those that nobody needs.
const RENEW_EVERY: Duration = Duration::from_secs(300);
/// After a failure a pack rests so long, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long: Walrus may be away for hours.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Runs in the background.
#[derive(Debug)]
pub(crate) struct Packer {
    shared: Arc<Shared>,
    log: Arc<EvidenceLog>,
    builder: Builder,
    /// Everything up to here is in packs, stored or on their way.
    packed_to: i64,
    /// Bytes of bodies in packs on their way.
    under_way: u64,
    /// How large packs were for their bodies, in thousandths.
    permille: u64,
    uploads: JoinSet<(i64, u64)>,
}

impl Packer {
    pub(crate) fn new(shared: Arc<Shared>, log: Arc<EvidenceLog>) -> Self {
        let builder = Builder {
            folder: log.folder.clone(),
            reader: log.reader.clone(),
            policy: log.policy.clone(),
            network: shared.identity.network,
            node: shared.identity.node,
            response_key: shared.signer.public_key(),
            random: Arc::clone(&shared.runtime.random),
        };
        Self {
            shared,
            log,
            builder,
            packed_to: 0,
            under_way: 0,
            permille: 1_000,
            uploads: JoinSet::new(),
        }
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut renewed: Option<Instant> = None;
        loop {
            while self.uploads.len() < MAX_UPLOADS {
                match self.next().await {
                    Ok(Some(built)) => self.upload(built),
                    Ok(None) => break,
                    Err(error) => {
                        self.shared.metrics.evidence_errors.inc();
                        tracing::error!(%error, "a pack can't be made");
                        tokio::time::sleep(REST).await;
                        break;
                    }
                }
            }
            let epoch_ended = self.log.epoch_ended.swap(false, Ordering::Relaxed);
            if epoch_ended || renewed.is_none_or(|at| at.elapsed() >= RENEW_EVERY) {
                renewed = Some(Instant::now());
                if let Err(error) = self.renew().await {
                    tracing::warn!(%error, "stored packs can't be looked after");
                }
            }
            tokio::select! {
                Some(done) = self.uploads.join_next() => {
                    if let Ok((_, raw)) = done {
                        self.under_way = self.under_way.saturating_sub(raw);
                    }
                }
                () = self.log.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// The next pack, if one is due.
    async fn next(&mut self) -> Result<Option<Built>, EvidenceError> {
        let waiting = self.log.backlog().saturating_sub(self.under_way);
        let flush_to = self.log.flush_to.load(Ordering::Relaxed);
        if waiting == 0 && flush_to <= self.packed_to {
            return Ok(None);
        }
        let after = self.packed_to;
        let first = self
            .log
            .reader
            .ask(move |log| log.first_after(after))
            .await?;
        let Some((first, created)) = first else {
            return Ok(None);
        };
        let now = self.shared.clock.now();
        if flush_to < first && !self.is_due(waiting, created, now) {
            return Ok(None);
        }
        let builder = self.builder.clone();
        let built = self
            .log
            .runtime
            .threads
            .blocking(move || builder.build(after))
            .await;
        let Some(built) = built.map_err(|_| EvidenceError::Stopped)?? else {
            return Ok(None);
        };
        let size = built.pack.catalog().length();
        self.permille = (size.saturating_mul(1_000) / built.raw.max(1)).clamp(1, 10_000);
        self.packed_to = built.last;
        self.under_way += built.raw;
        Ok(Some(built))
    }

    fn is_due(&self, waiting: u64, created: TimestampMs, now: TimestampMs) -> bool {
        let size = waiting.saturating_mul(self.permille) / 1_000;
        self.log.policy.is_due(size, created, now)
    }

    fn upload(&mut self, built: Built) {
        let (shared, log) = (self.shared.clone(), self.log.clone());
        self.uploads.spawn(async move {
            let raw = built.raw;
            let first = built.first;
            let mut pause = FIRST_PAUSE;
            loop {
                match upload(&shared, &log, &built).await {
                    Ok(()) => return (first, raw),
                    Err(error) => {
                        shared.metrics.evidence_errors.inc();
                        tracing::warn!(%error, first, "a pack is not stored yet");
                    }
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        });
    }

    /// Keeps what open leases need beyond its end, and lets go of what none needs.
    async fn renew(&self) -> Result<(), EvidenceError> {
        let packs = self.log.reader.ask(|log| log.kept_packs()).await?;
        if packs.is_empty() {
            return Ok(());
        }
        let epoch = match self.shared.ledger.ledger.db().await {
            Ok(db) => db.params.walrus_epoch,
            Err(error) => {
                tracing::warn!(%error, "the epoch of Walrus can't be read");
                return Ok(());
            }
        };
        for pack in packs {
            let asked = pack.clone();
            if !self
                .log
                .reader
                .ask(move |log| log.is_needed(&asked))
                .await?
            {
                self.release(&pack).await?;
            } else if u64::from(pack.end_epoch)
                <= epoch.saturating_add(u64::from(self.log.config.renew_epochs))
            {
                renew(&self.shared, &self.log, &pack).await?;
            }
        }
        Ok(())
    }

    async fn release(&self, pack: &PackRow) -> Result<(), EvidenceError> {
        let released = PackRow {
            released: true,
            ..pack.clone()
        };
        let change = Change::Pack {
            pack: released,
            stored: None,
        };
        self.shared.journal.change(vec![change]).durable().await?;
        let path = path_of(&self.log.folder, pack.first);
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::debug!(%error, ?path, "a released pack's file");
        }
        Ok(())
    }
}

/// Stores a pack and takes its records out of the log.
async fn upload(shared: &Shared, log: &EvidenceLog, built: &Built) -> Result<(), EvidenceError> {
    let blob = built.pack.to_blob()?;
    let stored = store(shared, &log.client, blob, log.config.epochs).await?;
    let row = PackRow {
        first: built.first,
        last: built.last,
        blob: stored.blob_id,
        root: built.pack.catalog().root(),
        object: stored.object_id,
        end_epoch: stored.end_epoch,
        released: false,
    };
    tracing::info!(
        blob = %row.blob, records = row.last - row.first + 1, bytes = built.pack.catalog().length(),
        "a pack is stored"
    );
    let change = Change::Pack {
        pack: row,
        stored: Some((built.first, built.last)),
    };
    shared.journal.change(vec![change]).durable().await?;
    log.backlog.fetch_sub(built.raw, Ordering::Relaxed);
    shared.metrics.packs.inc();
    log.stored.send_modify(|count| *count += 1);
    Ok(())
}

/// Has a stored pack kept for longer. The new row is returned.
pub(super) async fn renew(
    shared: &Shared,
    log: &EvidenceLog,
    pack: &PackRow,
) -> Result<PackRow, EvidenceError> {
    let path = path_of(&log.folder, pack.first);
    let blob = match tokio::fs::read(&path).await {
        Ok(bytes) => Bytes::from(bytes),
        Err(_) => log.client.read(pack.blob).await?,
    };
    // counted from now: never less than what is left
    let stored = store(shared, &log.client, blob, log.config.epochs).await?;
    let row = PackRow {
        object: stored.object_id.or(pack.object),
        end_epoch: stored.end_epoch.max(pack.end_epoch),
        ..pack.clone()
    };
    tracing::info!(blob = %row.blob, end_epoch = row.end_epoch, "a pack is renewed");
    let change = Change::Pack {
        pack: row.clone(),
        stored: None,
    };
    shared.journal.change(vec![change]).durable().await?;
    Ok(row)
}

async fn store(
    shared: &Shared,
    client: &WalrusClient,
    blob: Bytes,
    epochs: u32,
) -> Result<atoma_walrus::client::Stored, EvidenceError> {
    let request = StoreRequest {
        epochs,
        deletable: false,
        send_object_to: Some(owner(shared.ledger.key.public_key().address())),
    };
    Ok(client.store(blob, request).await?)
}
