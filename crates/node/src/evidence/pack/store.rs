//! Storing packs on Walrus, keeping them there, and letting them go.

use crate::{
    evidence::{
        build::{Built, path_of},
        error::EvidenceError,
        log::EvidenceLog,
    },
    journal::{Change, Journal, PackRow},
    metrics::Metrics,
};
use atoma_types::{Address, BlobId};
use atoma_walrus::client::{StoreRequest, Stored};
use bytes::Bytes;
use std::sync::{Arc, atomic::Ordering};

/// Where packs go.
#[derive(Clone, Debug)]
pub(crate) struct PackStore {
    pub log: Arc<EvidenceLog>,
    pub journal: Journal,
    pub metrics: Arc<Metrics>,
    /// Gets the blob objects.
    pub owner: Address,
}

impl PackStore {
    /// Stores a pack and takes its records out of the log.
    pub(super) async fn store(&self, built: &Built) -> Result<(), EvidenceError> {
        let blob = built.pack.to_blob()?;
        let stored = self.upload(blob, self.log.config.epochs).await?;
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
        self.record(row, Some((built.first, built.last))).await?;
        self.log.backlog.fetch_sub(built.raw, Ordering::Relaxed);
        self.metrics.packs.inc();
        self.log.stored.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Has a stored pack kept for longer. The new row is returned.
    pub(crate) async fn renew(&self, pack: &PackRow) -> Result<PackRow, EvidenceError> {
        let path = path_of(&self.log.folder, pack.first);
        let blob = match tokio::fs::read(&path).await {
            Ok(bytes) => Bytes::from(bytes),
            Err(_) => self.log.client.read(pack.blob).await?,
        };
        // counted from now: never less than what is left
        let stored = self.upload(blob, self.log.config.epochs).await?;
        let row = PackRow {
            object: stored.object_id.or(pack.object),
            end_epoch: stored.end_epoch.max(pack.end_epoch),
            ..pack.clone()
        };
        tracing::info!(blob = %row.blob, end_epoch = row.end_epoch, "a pack is renewed");
        self.record(row.clone(), None).await?;
        Ok(row)
    }

    /// Lets go of a pack that nobody needs.
    pub(super) async fn release(&self, pack: &PackRow) -> Result<(), EvidenceError> {
        let released = PackRow {
            released: true,
            ..pack.clone()
        };
        self.record(released, None).await?;
        let path = path_of(&self.log.folder, pack.first);
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::debug!(%error, ?path, "a released pack's file");
        }
        Ok(())
    }

    /// Stores a blob that is needed until the ticket is over whose packs it lists. That is a week; a pack isn't renewed
    /// earlier than it must be for that, either.
    pub(in crate::evidence) async fn store_list(
        &self,
        blob: Bytes,
    ) -> Result<BlobId, EvidenceError> {
        let config = &self.log.config;
        let epochs = config.renew_epochs.saturating_add(1).min(config.epochs);
        Ok(self.upload(blob, epochs).await?.blob_id)
    }

    async fn record(&self, pack: PackRow, stored: Option<(i64, i64)>) -> Result<(), EvidenceError> {
        let change = Change::Pack { pack, stored };
        Ok(self.journal.change(vec![change]).durable().await?)
    }

    async fn upload(&self, blob: Bytes, epochs: u32) -> Result<Stored, EvidenceError> {
        let request = StoreRequest {
            epochs,
            deletable: false,
            send_object_to: Some(self.owner),
        };
        Ok(self.log.client.store(blob, request).await?)
    }
}
