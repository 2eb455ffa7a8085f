//! The store's registry on a ledger.

use crate::{
    WalrusLocalnetError,
    convert::to_blob_object,
    index::{Entry, Index},
};
use atoma_keys::SigningKey;
use atoma_ledger::{ExecuteError, Executed, Ledger, OwnedBlob};
use atoma_types::{
    Address,
    chain::{AbortCode, Blob, Event, WalrusCap},
    hash::Hash32,
};
use atoma_walrus::{
    BlobId, ObjectId,
    committee::{Certificate, Committee},
    store::{Answer, BlobObject, MAX_EPOCHS_AHEAD, NewBlob, Registry, RegistryError},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

/// Registers a store's blobs on a ledger, by transactions of its operator's wallet. Only what this
/// store registered counts as its own; other people's blobs on the same ledger are never touched.
#[derive(Clone, Debug)]
pub struct LedgerRegistry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ledger: Ledger,
    operator: SigningKey,
    address: Address,
    cap: WalrusCap,
    index: Index,
}

impl LedgerRegistry {
    /// Opens the registry of the store in a folder.
    ///
    /// # Errors
    /// If the key isn't the operator's, the ledger can't be reached, or the folder can't be used.
    pub async fn open(
        ledger: Ledger,
        operator: SigningKey,
        folder: &Path,
    ) -> Result<Self, WalrusLocalnetError> {
        let address = operator.public_key().address();
        let cap = ledger.walrus_cap(address).await?;
        let cap = cap.ok_or(WalrusLocalnetError::NotOperator(address))?;
        let index = Index::open(folder, ledger.runtime().threads)?;
        // what a crash kept out of the index hasn't left the operator's hands
        for blob in ledger.owned_blobs(address).await? {
            let entry = Entry {
                object: blob.id,
                blob_id: blob.blob_id,
                send_to: None,
                attributes: BTreeMap::new(),
            };
            index.add(entry).await?;
        }
        Ok(Self(Arc::new(Inner {
            ledger,
            operator,
            address,
            cap,
            index,
        })))
    }

    /// Names the store's nodes on the ledger, unless they are.
    ///
    /// # Errors
    /// If the ledger refuses or can't be reached.
    pub async fn name_committee(&self, committee: &Committee) -> Result<(), WalrusLocalnetError> {
        let members: Vec<(Vec<u8>, u16)> = committee
            .members()
            .iter()
            .map(|member| (member.key.to_bytes().to_vec(), member.weight))
            .collect();
        let system = self.0.ledger.walrus_system().await?;
        let named = system.committee.into_iter();
        if named.map(|m| (m.public_key, m.weight)).eq(members.clone()) {
            return Ok(());
        }
        let call = self.0.ledger.set_committee(&self.0.cap, &members);
        self.0.ledger.execute(&self.0.operator, vec![call]).await?;
        Ok(())
    }

    /// Ends the epoch; the new one.
    ///
    /// # Errors
    /// If the ledger refuses or can't be reached.
    pub async fn advance_epoch(&self) -> Result<u32, WalrusLocalnetError> {
        let Inner { ledger, cap, .. } = &*self.0;
        let call = ledger.advance_epoch(cap);
        let done = ledger.execute(&self.0.operator, vec![call]).await?;
        let epoch = done.events.iter().find_map(|event| match event {
            Event::EpochChangeDone(change) => Some(change.epoch),
            _ => None,
        });
        epoch.ok_or_else(|| RegistryError::unavailable(NoEvent("epoch")).into())
    }

    /// The ledger that blobs are registered on.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Whose transactions they are.
    #[must_use]
    pub fn operator(&self) -> Address {
        self.0.address
    }
}

impl Inner {
    async fn epoch(&self) -> Result<u32, RegistryError> {
        let system = self.ledger.walrus_system().await;
        Ok(system.map_err(RegistryError::unavailable)?.epoch)
    }

    /// What the ledger has of these entries. Entries of nothing are forgotten: their owners deleted
    /// them.
    async fn look_up(&self, entries: Vec<Entry>) -> Result<Vec<BlobObject>, RegistryError> {
        let ids: Vec<ObjectId> = entries.iter().map(|e| e.object).collect();
        let found = self.ledger.blobs(&ids).await;
        let found = found.map_err(RegistryError::unavailable)?;
        let mut attributes: BTreeMap<ObjectId, _> = entries
            .into_iter()
            .map(|entry| (entry.object, entry.attributes))
            .collect();
        let objects = found
            .iter()
            .map(|held| {
                let attributes = attributes.remove(&held.blob.id);
                self.object(held, attributes.unwrap_or_default())
            })
            .collect();
        if !attributes.is_empty() {
            self.index.remove(attributes.into_keys().collect()).await?;
        }
        Ok(objects)
    }

    fn object(&self, held: &OwnedBlob, attributes: BTreeMap<String, String>) -> BlobObject {
        let owner = held.owner.filter(|owner| *owner != self.address);
        to_blob_object(&held.blob, owner, attributes)
    }

    async fn held(&self, object: ObjectId) -> Result<OwnedBlob, RegistryError> {
        let found = self.ledger.blobs(&[object]).await;
        let found = found.map_err(RegistryError::unavailable)?.pop();
        found.ok_or(RegistryError::NoObject(object))
    }

    /// An object that only the operator can change.
    async fn own(&self, object: ObjectId) -> Result<Blob, RegistryError> {
        let held = self.held(object).await?;
        if held.owner == Some(self.address) {
            Ok(held.blob)
        } else {
            Err(RegistryError::NotOwner(object))
        }
    }

    async fn shown(&self, object: ObjectId) -> Result<BlobObject, RegistryError> {
        let held = self.held(object).await?;
        let entry = self.index.get(object).await?;
        Ok(self.object(&held, entry.map(|e| e.attributes).unwrap_or_default()))
    }

    async fn register(&self, new: NewBlob) -> Result<BlobObject, RegistryError> {
        if new.share {
            return Err(RegistryError::NotShared);
        }
        if new.epochs == 0 || new.epochs > MAX_EPOCHS_AHEAD {
            return Err(RegistryError::Epochs(new.epochs));
        }
        let call = self.ledger.register_blob(
            new.blob_id,
            Hash32(new.root),
            new.size,
            new.encoded_length,
            new.epochs,
            new.deletable,
        );
        let done = self.ledger.execute(&self.operator, vec![call]).await;
        let object = registered(&done.map_err(RegistryError::unavailable)?)?;
        let entry = Entry {
            object,
            blob_id: new.blob_id,
            send_to: new.owner,
            attributes: new.attributes,
        };
        self.index.add(entry).await?;
        self.shown(object).await
    }

    /// Certifies an object and gives it to whom it is for, in one transaction.
    async fn certify(
        &self,
        object: ObjectId,
        certificate: Certificate,
    ) -> Result<BlobObject, RegistryError> {
        let entry = self.index.get(object).await?;
        let entry = entry.ok_or(RegistryError::NoObject(object))?;
        let held = self.held(object).await?;
        if held.blob.certified_epoch.is_some() {
            return Ok(self.object(&held, entry.attributes));
        }
        let call = self.ledger.certify_blob(
            held.blob.id,
            certificate.signature.to_bytes().to_vec(),
            certificate.signers.clone(),
            certificate.message.to_bytes(),
        );
        self.index.keep_certificate(object, certificate).await?;
        let gift = entry.send_to.map(|to| (held.blob.id, to));
        let done = self
            .ledger
            .execute_and_give(&self.operator, vec![call], gift.as_slice());
        match done.await {
            Ok(_) => self.shown(object).await,
            Err(error) => Err(refused(error, object, 0)),
        }
    }

    async fn extend(&self, object: ObjectId, epochs: u32) -> Result<BlobObject, RegistryError> {
        let blob = self.own(object).await?;
        let call = self.ledger.extend_blob(blob.id, epochs);
        match self.ledger.execute(&self.operator, vec![call]).await {
            Ok(_) => self.shown(object).await,
            Err(error) => Err(refused(error, object, epochs)),
        }
    }

    async fn delete(&self, object: ObjectId) -> Result<(), RegistryError> {
        let blob = self.own(object).await?;
        let call = self.ledger.delete_blob(blob.id);
        let done = self.ledger.execute(&self.operator, vec![call]).await;
        done.map_err(|error| refused(error, object, 0))?;
        self.index.remove(vec![object]).await
    }

    /// Those of these entries that haven't expired.
    async fn unexpired(&self, entries: Vec<Entry>) -> Result<Vec<BlobObject>, RegistryError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let epoch = self.epoch().await?;
        let mut objects = self.look_up(entries).await?;
        objects.retain(|object| object.is_live(epoch));
        Ok(objects)
    }

    async fn live(&self) -> Result<Vec<BlobObject>, RegistryError> {
        let entries = self.index.all().await?;
        let all: Vec<ObjectId> = entries.iter().map(|entry| entry.object).collect();
        let live = self.unexpired(entries).await?;
        // time goes one way: what has expired needn't be looked at again
        let kept: BTreeSet<ObjectId> = live.iter().map(|object| object.id).collect();
        let over: Vec<ObjectId> = all.into_iter().filter(|id| !kept.contains(id)).collect();
        if !over.is_empty() {
            self.index.remove(over).await?;
        }
        Ok(live)
    }
}

impl Registry for LedgerRegistry {
    fn place(&self) -> String {
        format!("network {}", self.0.ledger.network())
    }

    fn epoch(&self) -> Answer<'_, u32> {
        Box::pin(self.0.epoch())
    }

    fn register(&self, new: NewBlob) -> Answer<'_, BlobObject> {
        Box::pin(self.0.register(new))
    }

    fn certify(&self, object: ObjectId, certificate: Certificate) -> Answer<'_, BlobObject> {
        Box::pin(self.0.certify(object, certificate))
    }

    fn extend(&self, object: ObjectId, epochs: u32) -> Answer<'_, BlobObject> {
        Box::pin(self.0.extend(object, epochs))
    }

    fn delete(&self, object: ObjectId) -> Answer<'_, ()> {
        Box::pin(self.0.delete(object))
    }

    fn get(&self, object: ObjectId) -> Answer<'_, Option<BlobObject>> {
        Box::pin(async move {
            match self.0.shown(object).await {
                Ok(found) => Ok(Some(found)),
                Err(RegistryError::NoObject(_)) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }

    fn find(&self, blob: BlobId) -> Answer<'_, Vec<BlobObject>> {
        Box::pin(async move { self.0.unexpired(self.0.index.of_blob(blob).await?).await })
    }

    fn live(&self) -> Answer<'_, Vec<BlobObject>> {
        Box::pin(self.0.live())
    }

    fn certificate(&self, object: ObjectId) -> Answer<'_, Option<Certificate>> {
        Box::pin(async move {
            match self.0.held(object).await {
                Ok(held) if held.blob.certified_epoch.is_some() => {
                    self.0.index.certificate(object).await
                }
                Ok(_) | Err(RegistryError::NoObject(_)) => Ok(None),
                Err(error) => Err(error),
            }
        })
    }
}

fn registered(done: &Executed) -> Result<Address, RegistryError> {
    let found = done.events.iter().find_map(|event| match event {
        Event::BlobRegistered(event) => Some(event.object_id),
        _ => None,
    });
    found.ok_or_else(|| RegistryError::unavailable(NoEvent("blob")))
}

/// A transaction succeeded without the event that it must have.
#[derive(Debug, thiserror::Error)]
#[error("the ledger reported no new {0}")]
struct NoEvent(&'static str);

/// A refusal about an object, in the registry's words.
fn refused(error: ExecuteError, object: ObjectId, epochs: u32) -> RegistryError {
    match error.abort_code().and_then(AbortCode::from_code) {
        Some(AbortCode::ConfirmationWrongEpoch) => RegistryError::Certificate(object),
        Some(AbortCode::StorageEnded) => RegistryError::Expired(object),
        Some(AbortCode::BlobPermanent) => RegistryError::Permanent(object),
        Some(AbortCode::NotBlobOwner) => RegistryError::NotOwner(object),
        Some(AbortCode::EpochsInvalid) => RegistryError::Epochs(epochs),
        _ => RegistryError::unavailable(error),
    }
}
