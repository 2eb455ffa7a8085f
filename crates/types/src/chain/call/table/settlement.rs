//! Settlements of leases.

use crate::{
    BlobId, ComputeUnits,
    chain::call::{
        field::{Clock, DbKind, NodeKind, ObjectMut, ObjectRef, StackKind, TaskKind},
        function::functions,
    },
    hash::Hash32,
};

functions! {
    Atoma {
        /// A node claims what its last receipt says, within the highest headers' ceilings. Opens a
        /// ticket. A lease never used is settled with empty lists and zero units.
        Settle = settlement::settle {
            /// The database, for the network id.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node, owned by the sender.
            node: ObjectRef<NodeKind>,
            /// Units claimed: the last receipt's cumulative units.
            claimed_units: ComputeUnits,
            /// BCS of the highest request header of each lane, lanes rising.
            headers: Vec<Vec<u8>>,
            /// Signatures of the headers, in their order.
            header_signatures: Vec<Vec<u8>>,
            /// BCS of the last receipt, or empty.
            last_receipt: Vec<u8>,
            /// Its signature, or empty.
            receipt_signature: Vec<u8>,
            /// Merkle root over the records.
            receipts_root: Hash32 => RootInvalid,
            /// How many receipts: the last one's `seq`.
            count: u64,
            /// The manifest's blob, if there is one.
            manifest_blob: Option<BlobId> => ManifestInvalid,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Pays a settled lease after its window: node, fee and owner's refund in one step. Anyone may.
        Claim = settlement::claim {
            /// The database, for reputation's steps and the epoch.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Closes a lease that its node let expire unsettled. Anyone may.
        ExpireLease = settlement::expire_lease {
            /// The database, for reputation's steps.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
