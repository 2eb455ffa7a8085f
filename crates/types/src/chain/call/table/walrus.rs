//! Walrus's own functions, as localnet's development Walrus has them.

use crate::{
    BlobId,
    chain::call::{
        field::{
            BlobKind, Clock, Consumed, ObjectMut, ObjectRef, OperatorKind, Owned, OwnedMut,
            RootHash, SystemKind,
        },
        function::functions,
    },
};

functions! {
    Walrus {
        /// Buys storage and registers a blob for it; the sender owns the `Blob`. Anyone may.
        RegisterBlob = system::register_blob {
            /// Walrus's `System`, which is only read.
            system: ObjectRef<SystemKind>,
            /// Bytes of storage: at least those of the encoded blob.
            storage_amount: u64,
            /// For how many epochs, this one included.
            epochs_ahead: u32,
            /// The blob's id, which follows from its bytes.
            blob_id: BlobId,
            /// The root that, with size and coding, gives the id.
            root_hash: RootHash,
            /// Its length in bytes.
            size: u64,
            /// Walrus's number of the coding: 1 is RS2.
            encoding_type: u8,
            /// Whether its owner may delete it before its time.
            deletable: bool,
        }
        /// Records the storage nodes' certificate of a blob.
        CertifyBlob = system::certify_blob {
            /// Walrus's `System`, which is only read.
            system: ObjectRef<SystemKind>,
            /// The blob's object, which the sender owns and which is changed.
            blob: OwnedMut<BlobKind>,
            /// The signers' signatures in one, 96 bytes.
            signature: Vec<u8>,
            /// One bit per member of the committee, lowest first.
            signers_bitmap: Vec<u8>,
            /// What they signed: the storage confirmation of this epoch.
            message: Vec<u8>,
        }
        /// Keeps a certified blob for more epochs.
        ExtendBlob = system::extend_blob {
            /// Walrus's `System`, which is only read.
            system: ObjectRef<SystemKind>,
            /// The blob's object, which the sender owns and which is changed.
            blob: OwnedMut<BlobKind>,
            /// For how many more epochs of Walrus it is kept.
            extended_epochs: u32,
        }
        /// Drops a blob that is deletable, was never certified, or has ended.
        DeleteBlob = system::delete_blob {
            /// Walrus's `System`, which is only read.
            system: ObjectRef<SystemKind>,
            /// The blob's object, which the sender owns and which is deleted.
            blob: Consumed<BlobKind>,
        }
        /// Ends the development Walrus's epoch and begins the next.
        AdvanceEpoch = system::advance_epoch {
            /// Walrus's `System`, which is changed.
            system: ObjectMut<SystemKind>,
            /// The Walrus operator's capability, which the sender must own.
            cap: Owned<OperatorKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Names the storage nodes. Each key must be known to be held by its node: whoever may call this
        /// vouches for it.
        SetCommittee = system::set_committee {
            /// Walrus's `System`, which is changed.
            system: ObjectMut<SystemKind>,
            /// The Walrus operator's capability, which the sender must own.
            cap: Owned<OperatorKind>,
            /// The nodes' BLS12-381 keys in G1, 48 bytes each.
            public_keys: Vec<Vec<u8>>,
            /// How many shards each keeps; together all shards.
            weights: Vec<u16>,
        }
    }
}
