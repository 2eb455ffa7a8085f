//! Walrus's objects on the ledger: blobs, and the system of localnet's development Walrus.

use crate::{Ledger, LedgerError, read::OBJECT_FIELDS};
use atoma_types::{
    Address, ObjectId,
    chain::{Blob, ObjectKind, WalrusCap, WalrusSystem},
};
use futures::future::BoxFuture;
use sui_rpc::proto::sui::rpc::v2::{self as proto, owner::OwnerKind};

/// A blob, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedBlob {
    /// The blob, as its object on the ledger says.
    pub blob: Blob,
    /// The address that owns it, if it is an address.
    pub owner: Option<Address>,
}

impl Ledger {
    /// A registered blob, by the id of its object.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn blob(&self, id: ObjectId) -> BoxFuture<'_, Result<Blob, LedgerError>> {
        Box::pin(async move { self.read(id, ObjectKind::Blob).await })
    }

    /// Several blobs at once, with their owners; ids of nothing, or of something else, are left out.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn blobs<'a>(
        &'a self,
        ids: &'a [ObjectId],
    ) -> BoxFuture<'a, Result<Vec<OwnedBlob>, LedgerError>> {
        Box::pin(async move {
            let mut blobs = Vec::with_capacity(ids.len());
            for object in self.objects(ids, OBJECT_FIELDS).await? {
                let id = object
                    .object_id()
                    .parse()
                    .map_err(|e| LedgerError::Malformed(format!("object id: {e}")))?;
                match self.typed(id, &object, ObjectKind::Blob) {
                    Ok(blob) => blobs.push(OwnedBlob {
                        blob,
                        owner: owner(&object),
                    }),
                    Err(LedgerError::WrongType { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(blobs)
        })
    }

    /// All blobs that an address owns.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn owned_blobs(&self, owner: Address) -> BoxFuture<'_, Result<Vec<Blob>, LedgerError>> {
        Box::pin(async move { self.read_owned(owner, ObjectKind::Blob).await })
    }

    /// Localnet's development Walrus.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn walrus_system(&self) -> BoxFuture<'_, Result<WalrusSystem, LedgerError>> {
        Box::pin(async move {
            let id = self.deployment().walrus.system;
            self.read(id, ObjectKind::WalrusSystem).await
        })
    }

    /// The capability to operate it, if the address owns it.
    ///
    /// # Errors
    /// If nobody answers, or what is asked for isn't there or can't be read.
    pub fn walrus_cap(
        &self,
        owner: Address,
    ) -> BoxFuture<'_, Result<Option<WalrusCap>, LedgerError>> {
        Box::pin(async move {
            let caps: Vec<WalrusCap> = self.read_owned(owner, ObjectKind::WalrusCap).await?;
            let system = self.deployment().walrus.system;
            Ok(caps.into_iter().find(|cap| cap.system == system))
        })
    }
}

fn owner(object: &proto::Object) -> Option<Address> {
    let owner = object.owner();
    (owner.kind() == OwnerKind::Address)
        .then(|| owner.address().parse().ok())
        .flatten()
}
