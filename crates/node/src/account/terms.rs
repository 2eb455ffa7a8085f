//! What a lease is worth and where it stands.

use super::position::Position;
use atoma_types::{ComputeUnits, RequestId, TimestampMs};

/// What the ledger says about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Units that the lease may serve in all.
    pub units: ComputeUnits,
    /// No request after this.
    pub expires_at: TimestampMs,
    /// The owner wants it settled now.
    pub closing: bool,
}

/// Where the lease stands at this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Requests are admitted.
    Open,
    /// No new request; those running may still commit until the last claim is made.
    Settling,
    /// Nothing more comes of it on the ledger.
    Closed,
}

/// The sums, for people and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub terms: Terms,
    pub phase: Phase,
    pub committed: ComputeUnits,
    pub reserved: ComputeUnits,
    pub seq: u64,
    /// How far the ledger has it as claimed or paid.
    pub claimed: Position,
    pub last_activity: TimestampMs,
    /// Units go back to the ledger, and it isn't known yet whether it took them.
    pub giving_back: bool,
    /// How often some went back, for which the lease had no use.
    pub returned: u32,
    /// Lane, ceiling, committed.
    pub lanes: Vec<(u16, ComputeUnits, ComputeUnits)>,
    /// The requests for which units are reserved.
    pub running: Vec<RequestId>,
}

impl Phase {
    /// Its name in output.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Settling => "settling",
            Self::Closed => "closed",
        }
    }

    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Settling => 1,
            Self::Closed => 2,
        }
    }
}
