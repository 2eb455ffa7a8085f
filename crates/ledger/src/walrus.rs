//! Walrus's objects: reading blobs, and the calls of localnet's development Walrus. Each call is executed
//! with [`Ledger::execute`] or [`Ledger::execute_and_give`].

use crate::{Ledger, LedgerError, read::OBJECT_FIELDS};
use atoma_types::{
    Address, BlobId, ObjectId,
    chain::{
        Blob, Call, Clock, ObjectKind, RootHash, WALRUS_ENCODING_RS2, WalrusCap, WalrusSystem,
        calls,
    },
    hash::Hash32,
};
use sui_rpc::proto::sui::rpc::v2::{self as proto, owner::OwnerKind};

/// A blob, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedBlob {
    /// The blob.
    pub blob: Blob,
    /// The address that owns it, if it is an address.
    pub owner: Option<Address>,
}

impl Ledger {
    /// A registered blob, by the id of its object.
    pub async fn blob(&self, id: ObjectId) -> Result<Blob, LedgerError> {
        self.read(id, ObjectKind::Blob).await
    }

    /// Several blobs at once, with their owners; ids of nothing, or of something else, are left out.
    pub async fn blobs(&self, ids: &[ObjectId]) -> Result<Vec<OwnedBlob>, LedgerError> {
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
    }

    /// All blobs that an address owns.
    pub async fn owned_blobs(&self, owner: Address) -> Result<Vec<Blob>, LedgerError> {
        self.read_owned(owner, ObjectKind::Blob).await
    }

    /// Localnet's development Walrus.
    pub async fn walrus_system(&self) -> Result<WalrusSystem, LedgerError> {
        let id = self.deployment().walrus.system;
        self.read(id, ObjectKind::WalrusSystem).await
    }

    /// The capability to operate it, if the address owns it.
    pub async fn walrus_cap(&self, owner: Address) -> Result<Option<WalrusCap>, LedgerError> {
        let caps: Vec<WalrusCap> = self.read_owned(owner, ObjectKind::WalrusCap).await?;
        let system = self.deployment().walrus.system;
        Ok(caps.into_iter().find(|cap| cap.system == system))
    }

    /// Buys storage for a blob and registers it. `encoded` is what all shards keep of it.
    #[must_use]
    pub fn register_blob(
        &self,
        blob_id: BlobId,
        root_hash: Hash32,
        size: u64,
        encoded: u64,
        epochs_ahead: u32,
        deletable: bool,
    ) -> Call {
        calls::RegisterBlob {
            system: self.deployment().walrus.system.into(),
            storage_amount: encoded,
            epochs_ahead,
            blob_id,
            root_hash: RootHash(root_hash),
            size,
            encoding_type: WALRUS_ENCODING_RS2,
            deletable,
        }
        .into()
    }

    /// Records the storage nodes' certificate: their aggregate signature of a confirmation, and who
    /// they are.
    #[must_use]
    pub fn certify_blob(
        &self,
        blob: ObjectId,
        signature: Vec<u8>,
        signers_bitmap: Vec<u8>,
        message: Vec<u8>,
    ) -> Call {
        calls::CertifyBlob {
            system: self.deployment().walrus.system.into(),
            blob: blob.into(),
            signature,
            signers_bitmap,
            message,
        }
        .into()
    }

    /// Keeps a certified blob for more epochs.
    #[must_use]
    pub fn extend_blob(&self, blob: ObjectId, extended_epochs: u32) -> Call {
        calls::ExtendBlob {
            system: self.deployment().walrus.system.into(),
            blob: blob.into(),
            extended_epochs,
        }
        .into()
    }

    /// Drops a blob that is deletable, was never certified, or has ended.
    #[must_use]
    pub fn delete_blob(&self, blob: ObjectId) -> Call {
        calls::DeleteBlob {
            system: self.deployment().walrus.system.into(),
            blob: blob.into(),
        }
        .into()
    }

    /// Ends the epoch.
    #[must_use]
    pub fn advance_epoch(&self, cap: &WalrusCap) -> Call {
        calls::AdvanceEpoch {
            system: cap.system.into(),
            cap: cap.id.into(),
            clock: Clock,
        }
        .into()
    }

    /// Names the storage nodes: key and number of shards of each.
    #[must_use]
    pub fn set_committee(&self, cap: &WalrusCap, members: &[(Vec<u8>, u16)]) -> Call {
        let (public_keys, weights) = members.iter().cloned().unzip();
        calls::SetCommittee {
            system: cap.system.into(),
            cap: cap.id.into(),
            public_keys,
            weights,
        }
        .into()
    }
}

fn owner(object: &proto::Object) -> Option<Address> {
    let owner = object.owner();
    (owner.kind() == OwnerKind::Address)
        .then(|| owner.address().parse().ok())
        .flatten()
}
