//! The calls of localnet's development Walrus, which are executed with [`Ledger::execute`](crate::Ledger::execute) or
//! [`Ledger::execute_and_give`](crate::Ledger::execute_and_give).

use crate::Connection;
use atoma_types::{
    BlobId, ObjectId,
    chain::{Call, Clock, RootHash, WALRUS_ENCODING_RS2, WalrusCap, calls},
    hash::Hash32,
};

impl Connection {
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
            system: self.surroundings.walrus.system.into(),
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
            system: self.surroundings.walrus.system.into(),
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
            system: self.surroundings.walrus.system.into(),
            blob: blob.into(),
            extended_epochs,
        }
        .into()
    }

    /// Drops a blob that is deletable, was never certified, or has ended.
    #[must_use]
    pub fn delete_blob(&self, blob: ObjectId) -> Call {
        calls::DeleteBlob {
            system: self.surroundings.walrus.system.into(),
            blob: blob.into(),
        }
        .into()
    }

    /// The call that ends the development Walrus's epoch and begins the next.
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
