//! Of demands and convictions.

use super::Charge;
use crate::{BlobId, ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs};
use serde::{Deserialize, Serialize};

/// A record must be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordDemanded {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// The unit whose record is demanded.
    pub unit: ComputeUnits,
    /// The last moment to show it.
    pub deadline_ms: TimestampMs,
}

/// A demanded record was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemandAnswered {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// The unit whose record was demanded.
    pub unit: ComputeUnits,
    /// The record's `seq`.
    pub seq: u64,
    /// The record, as `EvidenceLeaf` encodes it. What a call is given can be put together within its transaction, so
    /// only the event shows it for sure.
    pub record: Vec<u8>,
    /// Where the bodies are stored; absent where they are in `bodies`.
    pub blob: Option<BlobId>,
    /// The sealed bodies; empty where they are stored.
    pub bodies: Vec<u8>,
}

/// A node was convicted; its fine can be pardoned until then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeConvicted {
    /// Id of the stack.
    pub stack: StackId,
    /// Id of the node.
    pub node: NodeId,
    /// What it was convicted of.
    pub charge: Charge,
    /// What the node had claimed for the lease and not been paid, in micro-USDC: all of it is void.
    pub value: MicroUsdc,
    /// What left the collateral.
    pub fine: MicroUsdc,
    /// What of the fine went to jurors.
    pub jurors: MicroUsdc,
    /// What became the owner's credit.
    pub freed: MicroUsdc,
    /// What of the claim became the treasury's, for no bond stood for it.
    pub kept: MicroUsdc,
    /// What it stands to lose, afterwards.
    pub collateral: MicroUsdc,
    /// Until when its fines can be pardoned.
    pub until_ms: TimestampMs,
}
