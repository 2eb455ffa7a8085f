//! Settlements of leases.

use crate::{
    BlobId, ComputeUnits, NodeId,
    chain::call::{
        field::{Clock, NodeKind, ObjectMut, StackKind, TaskKind},
        function::functions,
    },
};

functions! {
    Atoma {
        /// A node claims units up to what its last receipt says. Opens a ticket.
        Settle = settlement::settle {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `seq` of the last receipt that is paid or claimed: where the claim goes on from.
            from_seq: u64,
            /// Units of the lease that would then be paid, earlier ones counted in.
            to_units: ComputeUnits,
            /// `seq` of the last receipt.
            to_seq: u64,
            /// The highest header of each lane, lanes rising.
            headers: Vec<Vec<u8>>,
            /// One for each header.
            header_signatures: Vec<Vec<u8>>,
            /// BCS of the last receipt.
            last_receipt: Vec<u8>,
            /// The node's signature of the last receipt.
            receipt_signature: Vec<u8>,
            /// The pack that has all of the ticket's records, or the list of their packs, if it is stored.
            manifest_blob: Option<BlobId> => ManifestInvalid,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Pays a ticket after its window. Anyone may.
        Claim = settlement::claim {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Closes a lease of which nothing more comes. Anyone may.
        ExpireLease = settlement::expire {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
