//! Demands for records, and proofs against nodes.

use crate::chain::call::{
    field::{
        BlobKind, Clock, DbKind, NodeKind, ObjectMut, ObjectRef, Owned, Payment, StackKind,
        TaskKind,
    },
    function::functions,
};

functions! {
    Atoma {
        /// The stack's owner demands, against a stake, to see a record that the node has settled.
        OpenDispute = dispute::missing_response {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node, which is only read.
            node: ObjectRef<NodeKind>,
            /// Exactly the stack's `dispute_bond`.
            bond: Payment,
            /// Which record: its receipt's `seq`.
            seq: u64,
            /// BCS of the receipt that the owner holds, or empty: the record must have just this one.
            receipt: Vec<u8>,
            /// Its signature, or empty.
            receipt_signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Shows the record that is demanded, and where it is stored. Whoever owns a blob may; the stake
        /// is the node's.
        AnswerDispute = dispute::answer {
            /// The database, for the storage network's epoch.
            db: ObjectRef<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node, which is only read.
            node: ObjectRef<NodeKind>,
            /// Where it is stored; the sender's own.
            blob: Owned<BlobKind>,
            /// BCS of the record's [`EvidenceLeaf`](crate::message::EvidenceLeaf).
            record: Vec<u8>,
            /// BCS of the [`Proof`](crate::merkle::Proof) that it is in the settlement.
            proof: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Ends a dispute that nobody answered in time: the node is guilty. Anyone may.
        ResolveDispute = dispute::resolve {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// Which record was demanded.
            seq: u64,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Proves by two receipts of one lease that they can't both be honest. Anyone may.
        ProveEquivocation = dispute::equivocation {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// BCS of a receipt.
            first: Vec<u8>,
            /// Signature of the first message.
            first_signature: Vec<u8>,
            /// BCS of another.
            second: Vec<u8>,
            /// Signature of the second message.
            second_signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Proves by a receipt that it, or the settlement after it, charges too much. Anyone may.
        ProveOverClaim = dispute::over_claim {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// BCS of the receipt.
            receipt: Vec<u8>,
            /// Signature of the receipt.
            receipt_signature: Vec<u8>,
            /// BCS of the request header that it is for, or empty.
            header: Vec<u8>,
            /// Its signature, or empty.
            header_signature: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Proves by a record of a settlement that it isn't one of a signed request and its receipt. Anyone may.
        ProveForgedRequest = dispute::forged_request {
            /// The database: the treasury's part.
            db: ObjectMut<DbKind>,
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task of the stack, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The settled bytes: BCS of an [`EvidenceLeaf`](crate::message::EvidenceLeaf), or what
            /// stands in its place.
            record: Vec<u8>,
            /// BCS of the [`Proof`](crate::merkle::Proof) that it is in the settlement.
            proof: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
