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
use atoma_types::{Address, BlobId, ObjectId};
use atoma_walrus::client::{StoreRequest, Stored};
use bytes::Bytes;
use std::sync::Arc;

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
        let stored = self.upload(blob, self.log.config.epochs, false).await?;
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
        self.log.room.give_back(&built.raw_of);
        self.metrics.packs.inc();
        self.log.stored.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Has a stored pack kept for longer. The new row is returned.
    pub(crate) async fn renew(&self, pack: &PackRow) -> Result<PackRow, EvidenceError> {
        let blob = self.bytes(pack.blob, Some(pack)).await?;
        // counted from now: never less than what is left
        let stored = self.upload(blob, self.log.config.epochs, false).await?;
        let row = self.renewed(pack, &stored).await?;
        tracing::info!(blob = %row.blob, end_epoch = row.end_epoch, "a pack is renewed");
        Ok(row)
    }

    /// Has a pack certified anew, for at least so many epochs. Its object is returned.
    pub(in crate::evidence) async fn certify_anew(
        &self,
        blob: BlobId,
        pack: Option<&PackRow>,
        epochs: u32,
    ) -> Result<Option<ObjectId>, EvidenceError> {
        let bytes = self.bytes(blob, pack).await?;
        let epochs = self.log.config.epochs.max(epochs);
        let stored = self.upload(bytes, epochs, true).await?;
        tracing::info!(%blob, end_epoch = stored.end_epoch, "a pack is certified anew");
        if let Some(pack) = pack {
            self.renewed(pack, &stored).await?;
        }
        Ok(stored.object_id)
    }

    async fn bytes(&self, blob: BlobId, pack: Option<&PackRow>) -> Result<Bytes, EvidenceError> {
        if let Some(pack) = pack
            && let Ok(bytes) = tokio::fs::read(path_of(&self.log.folder, pack.first)).await
        {
            return Ok(Bytes::from(bytes));
        }
        Ok(self.log.client.read(blob).await?)
    }

    async fn renewed(&self, pack: &PackRow, stored: &Stored) -> Result<PackRow, EvidenceError> {
        let row = PackRow {
            object: stored.object_id.or(pack.object),
            end_epoch: stored.end_epoch.max(pack.end_epoch),
            ..pack.clone()
        };
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
        Ok(self.upload(blob, epochs, false).await?.blob_id)
    }

    async fn record(&self, pack: PackRow, stored: Option<(i64, i64)>) -> Result<(), EvidenceError> {
        let change = Change::Pack { pack, stored };
        Ok(self.journal.change(vec![change]).durable().await?)
    }

    async fn upload(&self, blob: Bytes, epochs: u32, force: bool) -> Result<Stored, EvidenceError> {
        let request = StoreRequest {
            epochs,
            deletable: false,
            send_object_to: Some(self.owner),
            force,
        };
        Ok(self.log.client.store(blob, request).await?)
    }
}
