//! Demands for records, and proofs against nodes.

use crate::{
    BlobId, ComputeUnits, NodeId,
    chain::call::{
        field::{Clock, NodeKind, ObjectMut, Payment, StackKind, TaskKind},
        function::functions,
    },
};

functions! {
    Atoma {
        /// The stack's owner, or its watcher, demands to see the record of a unit.
        DemandRecord = dispute::demand {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// A unit of an open ticket, whose record is demanded.
            unit: ComputeUnits,
            /// Exactly the demand fee.
            fee: Payment,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Shows it. Anyone may, for the node.
        AnswerDemand = dispute::answer {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// The unit that was demanded.
            unit: ComputeUnits,
            /// BCS of the [`EvidenceLeaf`](crate::message::EvidenceLeaf).
            record: Vec<u8>,
            /// BCS of the path to the root.
            proof: Vec<u8>,
            /// Where the bodies are stored, if they are.
            blob: Option<BlobId> => ManifestInvalid,
            /// The sealed bodies, if they are not stored.
            bodies: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Convicts a node that has not answered. Anyone may.
        ProveSilence = dispute::silence {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The unit that was demanded.
            unit: ComputeUnits,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Convicts a node by two receipts for one request. Anyone may.
        ProveEquivocation = dispute::equivocation {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// BCS of a receipt.
            first: Vec<u8>,
            /// The node's signature of the first receipt.
            first_signature: Vec<u8>,
            /// BCS of another receipt.
            second: Vec<u8>,
            /// The node's signature of the second receipt.
            second_signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
