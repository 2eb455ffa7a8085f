//! Of examinations, challenges and juries.

use super::Outcome;
use crate::{ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs, chain::Verdict, hash::Hash32};
use serde::{Deserialize, Serialize};

/// It is drawn whether a ticket is examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketDrawn {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// The beacon's bytes.
    pub seed: Hash32,
    /// Whether it is examined.
    pub hit: bool,
}

/// The node must disclose to the examiner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExaminerDrawn {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// The unit whose record is examined.
    pub unit: ComputeUnits,
    /// Who examines: a node that attests for the task.
    pub examiner: NodeId,
    /// The last moment to disclose the record.
    pub deadline_ms: TimestampMs,
}

/// Nobody was there to examine; the due goes to the owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unexamined {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
}

/// The examiner can work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosed {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// Who examines, and can open the record now.
    pub examiner: NodeId,
    /// The record's `seq`.
    pub seq: u64,
    /// The record, as `EvidenceLeaf` encodes it.
    pub record: Vec<u8>,
    /// The record's key, wrapped for the examiner.
    pub wrap: Vec<u8>,
    /// The last moment of the examiner's verdict.
    pub deadline_ms: TimestampMs,
}

/// The examiner has looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictGiven {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// Who has examined it.
    pub examiner: NodeId,
    /// Whether it accuses the node.
    pub bad: bool,
}

/// The owner accuses the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenged {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// What the owner staked, in micro-USDC.
    pub bond: MicroUsdc,
    /// The unit whose record is said to be wrong; absent where it is drawn with the jury.
    pub unit: Option<ComputeUnits>,
}

/// The node must disclose to a jury.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JuryDrawn {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// Whether it is the challenge's jury.
    pub challenge: bool,
    /// The unit whose record the jury looks at.
    pub unit: ComputeUnits,
    /// The jurors, in their order.
    pub nodes: Vec<NodeId>,
    /// The last moment to disclose the record.
    pub deadline_ms: TimestampMs,
}

/// The jury can work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisclosedToJury {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// Whether it is the challenge's jury.
    pub challenge: bool,
    /// The record's `seq`.
    pub seq: u64,
    /// The record, as `EvidenceLeaf` encodes it.
    pub record: Vec<u8>,
    /// The record's key, wrapped for each juror in their order.
    pub wraps: Vec<Vec<u8>>,
    /// The last moment to commit to a verdict.
    pub deadline_ms: TimestampMs,
}

/// A juror has committed to a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// Whether it is the challenge's jury.
    pub challenge: bool,
    /// The node that committed.
    pub juror: NodeId,
}

/// A juror has revealed its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revealed {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// Whether it is the challenge's jury.
    pub challenge: bool,
    /// The node that revealed.
    pub juror: NodeId,
    /// What was found.
    pub verdict: Verdict,
}

/// A jury is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JuryDecided {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// `to_seq` of the ticket.
    pub ticket: u64,
    /// Whether it is the challenge's jury.
    pub challenge: bool,
    /// How it ended.
    pub outcome: Outcome,
}
