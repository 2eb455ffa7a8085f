//! The blob's object on the ledger: the storage nodes' word that the bytes are stored, and until
//! when. The only place that knows what such an object looks like.

use super::gathered::{Gap, Gathered, Item, hold, need, own};
use atoma_ledger::{Ledger, LedgerError};
use atoma_types::ObjectId;
use atoma_walrus::BlobId;

/// What the ledger says of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertifiedObject {
    /// The blob.
    pub blob_id: BlobId,
    /// Its length.
    pub size: u64,
    /// The epoch of Walrus in which it was certified; `None` if it is registered only.
    pub certified_epoch: Option<u32>,
    /// The epoch in which its storage is over.
    pub end_epoch: u32,
    /// Its owner may delete it.
    pub deletable: bool,
    /// The epoch of Walrus that the ledger knows.
    pub now: u64,
}

impl CertifiedObject {
    /// Reads it.
    pub(super) async fn read(ledger: &Ledger, id: ObjectId) -> Result<Self, LedgerError> {
        let blob = ledger.blob(id).await?;
        let now = ledger.db().await?.params.walrus_epoch;
        Ok(Self {
            blob_id: BlobId(blob.blob_id.0),
            size: blob.size,
            certified_epoch: blob.certified_epoch,
            end_epoch: blob.storage.end_epoch,
            deletable: blob.deletable,
            now,
        })
    }
}

pub(super) fn certified(g: &Gathered) -> Item<String> {
    let object = own(&g.certified)?;
    let named = need(&g.blob_id)?;
    hold(object.blob_id == *named, || {
        format!("the object is of blob {}", object.blob_id)
    })?;
    let epoch = object.certified_epoch;
    let epoch = epoch.ok_or_else(|| Gap::broken("the blob is registered and not certified"))?;
    let deletable = object.deletable;
    hold(!deletable, || "its owner can delete it".to_owned())?;
    let (end, now) = (object.end_epoch, object.now);
    hold(u64::from(end) > now, || {
        format!("its storage ended in epoch {end}; it is {now}")
    })?;
    if let Ok(pack) = &g.pack {
        let length = pack.catalog.length();
        hold(object.size == length, || {
            format!("the object has {} bytes, the pack {length}", object.size)
        })?;
    }
    Ok(format!("since epoch {epoch}, until {end}"))
}
