//! Which transaction certified a blob, and in which checkpoint: what never changes, whoever asks, and when.

use crate::{Connection, ReadError, events::walrus_event, localnet, malformed::parse, mask::mask};
use atoma_types::{
    ObjectId, TimestampMs,
    chain::{Event, events::BlobCertified},
};
use futures::future::BoxFuture;
use sui_rpc::proto::sui::rpc::v2::{GetObjectRequest, GetTransactionRequest};
use sui_sdk_types::Digest;
use tonic::Code;

/// What of a transaction doesn't change any more.
const SEALED_FIELDS: &[&str] = &["digest", "effects.status", "events.events", "checkpoint"];

/// A transaction that the ledger has put into a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedTransaction {
    /// The number of the checkpoint.
    pub checkpoint: u64,
    /// What Walrus told in it of blobs that are kept from then on, or for longer: nothing if it failed.
    pub certified: Vec<BlobCertified>,
}

/// An epoch of Walrus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalrusEpoch {
    /// Its number; the first is 1.
    pub number: u32,
    /// When it began, by the ledger's clock.
    pub began: TimestampMs,
}

impl Connection {
    /// A transaction, if it is known there and in a checkpoint.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn sealed(
        &self,
        transaction: Digest,
    ) -> BoxFuture<'_, Result<Option<SealedTransaction>, ReadError>> {
        Box::pin(async move {
            let request = GetTransactionRequest::new(&transaction);
            let request = request.with_read_mask(mask(SEALED_FIELDS));
            let mut client = self.inner.client.clone();
            let answer = match client.ledger_client().get_transaction(request).await {
                Ok(answer) => answer.into_inner(),
                Err(status) if status.code() == Code::NotFound => return Ok(None),
                Err(status) => return Err(self.refused(&status)),
            };
            let executed = answer.transaction.unwrap_or_default();
            let Some(checkpoint) = executed.checkpoint else {
                return Ok(None);
            };
            let mut certified = Vec::new();
            if executed.effects().status().success() {
                for event in &executed.events().events {
                    let event = walrus_event(event, &self.surroundings.walrus)?;
                    if let Some(Event::BlobCertified(event)) = event {
                        certified.push(event);
                    }
                }
            }
            Ok(Some(SealedTransaction {
                checkpoint,
                certified,
            }))
        })
    }

    /// The last transaction that changed an object; `None` if there is no such object.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn last_change(
        &self,
        object: ObjectId,
    ) -> BoxFuture<'_, Result<Option<Digest>, ReadError>> {
        Box::pin(async move {
            let request = GetObjectRequest::new(&object);
            let request = request.with_read_mask(mask(&["object_id", "previous_transaction"]));
            let mut client = self.inner.client.clone();
            match client.ledger_client().get_object(request).await {
                Ok(answer) => {
                    let object = answer.into_inner().object.unwrap_or_default();
                    let digest = parse("object's transaction", object.previous_transaction())?;
                    Ok(Some(digest))
                }
                Err(status) if status.code() == Code::NotFound => Ok(None),
                Err(status) => Err(self.refused(&status)),
            }
        })
    }

    /// Whether the ledger's answers reach back to a moment: what it doesn't know of later ones isn't there.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn reaches_back_to(&self, moment: TimestampMs) -> BoxFuture<'_, Result<bool, ReadError>> {
        Box::pin(async move {
            let info = self.inner.service_info().await?;
            let oldest = info.lowest_available_checkpoint();
            // nothing is missing before the first one
            Ok(oldest == 0 || self.checkpoint(oldest).await?.time <= moment)
        })
    }

    /// Walrus's epoch. `None` where it isn't localnet's development Walrus, which alone can be asked so far.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn current_walrus_epoch(&self) -> BoxFuture<'_, Result<Option<WalrusEpoch>, ReadError>> {
        Box::pin(async move {
            if !localnet::is_development_walrus(self.surroundings.walrus.original_package) {
                return Ok(None);
            }
            let system = self.walrus_system().await?;
            Ok(Some(WalrusEpoch {
                number: system.epoch,
                began: system.epoch_start_ms,
            }))
        })
    }
}
