//! Which transaction shows that a pack is on Walrus: attesters hold it against the disclosure that names it. It is looked
//! up on the ledger, by the blob's object, so that a node that has lost its log finds it, too.

use super::{AnswerTask, FIRST_PAUSE, STORE_TIMEOUT, Unanswered};
use crate::journal::PackRow;
use atoma_evidence::pack::{KEPT_FOR, ShownAt};
use atoma_ledger::{Digest, ReadError};
use atoma_types::{BlobId, ObjectId};
use std::cmp::Reverse;

/// Epochs of Walrus that may end between now and the moment at which the last attester looks, which then takes a later one
/// for that of the disclosure.
const MARGIN: u32 = 1;

impl AnswerTask {
    /// The transaction that certified a pack, in a checkpoint by now, for as long as attesters want. Where none is found
    /// (the object has been given away, its history is too old to be asked for, its time ends soon), the pack is
    /// certified anew.
    pub(super) async fn certified_by(
        &self,
        blob: BlobId,
        pack: Option<&PackRow>,
    ) -> Result<Digest, Unanswered> {
        let soon = self.in_a_moment().await?;
        if let Some(object) = pack.and_then(|pack| pack.object)
            && let Some(found) = self.certificate(blob, object, soon).await?
        {
            return Ok(found);
        }
        for object in self.objects_of(blob).await? {
            if let Some(found) = self.certificate(blob, object, soon).await? {
                return Ok(found);
            }
        }
        let epochs = KEPT_FOR + MARGIN;
        let object = self.packs.certify_anew(blob, pack, epochs).await?;
        let object = object.ok_or(Unanswered::NotCertified)?;
        let sealed = async {
            loop {
                match self.certificate(blob, object, soon).await {
                    Ok(None) => tokio::time::sleep(FIRST_PAUSE).await,
                    found => return found,
                }
            }
        };
        let sealed = tokio::time::timeout(STORE_TIMEOUT, sealed).await;
        let found = sealed.map_err(|_| Unanswered::NotCertified)??;
        found.ok_or(Unanswered::NotCertified)
    }

    /// The disclosure's place, later than all there is.
    async fn in_a_moment(&self) -> Result<ShownAt, ReadError> {
        let epoch = self.link.ledger.current_walrus_epoch().await?;
        Ok(ShownAt {
            checkpoint: u64::MAX,
            epoch: epoch.map(|epoch| epoch.number.saturating_add(MARGIN)),
        })
    }

    /// What the last change of an object was, if that shows that attesters can count on the blob.
    async fn certificate(
        &self,
        blob: BlobId,
        object: ObjectId,
        soon: ShownAt,
    ) -> Result<Option<Digest>, ReadError> {
        let Some(change) = self.link.ledger.last_change(object).await? else {
            return Ok(None);
        };
        let sealed = self.link.ledger.sealed(change).await?;
        let good = sealed.is_some_and(|sealed| soon.check(blob, &sealed).is_ok());
        Ok(good.then_some(change))
    }

    /// The node's objects of a blob, those that keep it longest first.
    async fn objects_of(&self, blob: BlobId) -> Result<Vec<ObjectId>, ReadError> {
        let owned = self.link.ledger.owned_blobs(self.packs.owner).await?;
        let mut of_it: Vec<_> = owned
            .into_iter()
            .filter(|owned| owned.blob_id == blob)
            .collect();
        of_it.sort_by_key(|owned| Reverse(owned.storage.end_epoch));
        Ok(of_it.into_iter().map(|owned| owned.id).collect())
    }
}
