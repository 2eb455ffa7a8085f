//! What nodes got wrong.

use super::fault::Fault;
use crate::BlobId;
use parking_lot::Mutex;
use std::collections::VecDeque;

/// Reports kept; older ones are only counted.
const KEPT: usize = 1_000;

/// What a node got wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The node gave no answer.
    Down,
    /// No answer in good time.
    Slow,
    /// It lacks what it should have.
    Missing,
    /// Metadata that isn't the blob's.
    WrongMetadata,
    /// A sliver that isn't the blob's.
    WrongSliver,
    /// A confirmation that it hasn't signed.
    WrongSignature,
    /// It refuses to store, or its disk does.
    Refused,
}

/// One of a node's failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Number of the node, from 0.
    pub node: usize,
    /// The blob it was about.
    pub blob_id: BlobId,
    /// What was wrong with the node's answer.
    pub problem: Problem,
}

/// How a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Number of the node, from 0.
    pub node: usize,
    /// The fault that is switched on.
    pub fault: Fault,
    /// Failures since the start.
    pub failures: u64,
    /// The latest problem with it, if there was one.
    pub last: Option<Problem>,
}

#[derive(Debug)]
pub(super) struct Reports(Mutex<Kept>);

#[derive(Debug)]
struct Kept {
    recent: VecDeque<Report>,
    nodes: Vec<(u64, Option<Problem>)>,
}

impl Reports {
    pub(super) fn new(nodes: usize) -> Self {
        Self(Mutex::new(Kept {
            recent: VecDeque::new(),
            nodes: vec![(0, None); nodes],
        }))
    }

    pub(super) fn add(&self, report: Report) {
        tracing::warn!(node = report.node, blob = %report.blob_id, problem = ?report.problem, "a storage node failed");
        let mut kept = self.0.lock();
        if kept.recent.len() == KEPT {
            kept.recent.pop_front();
        }
        kept.recent.push_back(report);
        if let Some((failures, last)) = kept.nodes.get_mut(report.node) {
            *failures += 1;
            *last = Some(report.problem);
        }
    }

    pub(super) fn recent(&self) -> Vec<Report> {
        self.0.lock().recent.iter().copied().collect()
    }

    pub(super) fn status(&self, faults: impl Iterator<Item = Fault>) -> Vec<NodeStatus> {
        let kept = self.0.lock();
        faults
            .zip(&kept.nodes)
            .enumerate()
            .map(|(node, (fault, (failures, last)))| NodeStatus {
                node,
                fault,
                failures: *failures,
                last: *last,
            })
            .collect()
    }
}
