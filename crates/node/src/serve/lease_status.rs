//! A lease's sums as JSON.

use crate::account::Summary;
use atoma_types::{ComputeUnits, RequestId, StackId};
use serde::Serialize;

#[derive(Serialize)]
struct LeaseStatus {
    stack: StackId,
    units: ComputeUnits,
    committed: ComputeUnits,
    reserved: ComputeUnits,
    seq: u64,
    phase: &'static str,
    lanes: Vec<LaneStatus>,
    /// The requests that run: they are reserved for.
    running: Vec<RequestId>,
}

#[derive(Serialize)]
struct LaneStatus {
    lane: u16,
    ceiling: ComputeUnits,
    committed: ComputeUnits,
}

/// A lease's sums as JSON, for users and operators.
pub(crate) fn lease_status(stack: StackId, summary: Summary) -> impl Serialize {
    let lanes = summary.lanes.into_iter();
    LeaseStatus {
        stack,
        units: summary.terms.units,
        committed: summary.committed,
        reserved: summary.reserved,
        seq: summary.seq,
        phase: summary.phase.as_str(),
        running: summary.running,
        lanes: lanes
            .map(|(lane, ceiling, committed)| LaneStatus {
                lane,
                ceiling,
                committed,
            })
            .collect(),
    }
}
