//! Who this node is.

use atoma_types::{NetworkId, NodeId, TimestampMs};

/// Who we are, and since when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub network: NetworkId,
    pub node: NodeId,
    /// Whatever was issued before is refused: what was seen then is forgotten.
    pub started_at: TimestampMs,
}
