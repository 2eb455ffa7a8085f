//! Examinations, juries, challenges.

use crate::{
    ComputeUnits, NodeId,
    chain::call::{
        field::{Clock, NodeKind, ObjectMut, Payment, Random, StackKind, TaskKind},
        function::functions,
    },
    hash::Hash32,
};

functions! {
    Atoma {
        /// Draws 32 bytes for a ticket, and does nothing else. Anyone may.
        DrawTicket = audit::draw {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// The ledger's random beacon, the object `0x8`.
            random: Random,
        }
        /// Draws the examiner of a ticket that was hit, or the next after a silent one. Anyone may.
        DrawExaminer = audit::examine {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// The ledger's random beacon, the object `0x8`.
            random: Random,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The node shows the examined record to its examiner.
        Disclose = audit::disclose {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// BCS of the [`EvidenceLeaf`](crate::message::EvidenceLeaf).
            record: Vec<u8>,
            /// BCS of the path to the root.
            proof: Vec<u8>,
            /// The record's key, wrapped for the examiner.
            wrap: Vec<u8>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The examiner says whether something is wrong, and not what: jurors must find that by themselves.
        GiveVerdict = audit::verdict {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it accuses the node; a jury then looks for itself.
            bad: bool,
            /// Exactly an examiner's fine if it accuses, and nothing else: what the jury is paid from, should it find nothing.
            bond: Payment,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The stack's owner, or its watcher, accuses the node of a wrong answer.
        ChallengeTicket = audit::challenge {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Exactly the bond.
            bond: Payment,
            /// The unit whose record is said to be wrong, in the ticket; the exact rule alone heeds it.
            unit: ComputeUnits,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Draws a jury that was called for. Anyone may.
        DrawJury = audit::jury {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury, not the examination's.
            challenge: bool,
            /// The ledger's random beacon, the object `0x8`.
            random: Random,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// The node shows the record to the jury.
        DiscloseToJury = audit::disclose_jury {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury, not the examination's.
            challenge: bool,
            /// BCS of the [`EvidenceLeaf`](crate::message::EvidenceLeaf).
            record: Vec<u8>,
            /// BCS of the path to the root.
            proof: Vec<u8>,
            /// The record's key, wrapped for each juror in their order.
            wraps: Vec<Vec<u8>>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// A juror commits to its verdict.
        CommitVerdict = audit::commit {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury, not the examination's.
            challenge: bool,
            /// The node that judges; its owner sends it.
            juror: NodeId,
            /// Hash of verdict and salt.
            commitment: Hash32 => DigestInvalid,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// A juror reveals it.
        RevealVerdict = audit::reveal {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The node whose lease it is.
            holder: NodeId,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury, not the examination's.
            challenge: bool,
            /// The node that judges; its owner sends it.
            juror: NodeId,
            /// 0 for ok, else a kind of bad.
            verdict: u8,
            /// What is there instead.
            digest: Hash32 => DigestInvalid,
            /// 32 random bytes.
            salt: Hash32 => DigestInvalid,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Counts a jury's verdicts. Anyone may.
        DecideJury = audit::decide {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// `to_seq` of the ticket.
            ticket: u64,
            /// Whether it is the challenge's jury, not the examination's.
            challenge: bool,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
        /// Convicts a node that has not disclosed. Anyone may.
        ProveUndisclosed = audit::undisclosed {
            /// The stack, which is changed.
            stack: ObjectMut<StackKind>,
            /// The task, which is changed.
            task: ObjectMut<TaskKind>,
            /// The node, which is changed.
            node: ObjectMut<NodeKind>,
            /// The ledger's clock, the object `0x6`.
            clock: Clock,
        }
    }
}
