//! A stack owner's question about a lease.

use super::{Domain, Message, QueryTag};
use crate::{DurationMs, NetworkId, NodeId, StackId, TimestampMs};
use serde::{Deserialize, Serialize};

/// A question is answered for so long before and after its time: clocks differ, and what it asks for
/// changes nothing.
pub const MAX_QUERY_AGE: DurationMs = DurationMs(120_000);

/// "Node, how does my lease with you stand?" Signed by the stack's request key: how much of it is used,
/// and when, is nobody else's business.
///
/// # BCS (120 bytes)
/// ```text
/// domain 16 "atoma/query/v1" 0 0 ‖ network 32 ‖ stack 32 ‖ node 32 ‖ asked_at_ms u64 le
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseQuery {
    /// Always the tag of questions.
    pub domain: Domain<QueryTag>,
    /// The network id of the ledger that it is for.
    pub network: NetworkId,
    /// Id of the stack's object.
    pub stack: StackId,
    /// The node that is asked.
    pub node: NodeId,
    /// When it is asked.
    pub asked_at_ms: TimestampMs,
}

impl Message for LeaseQuery {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    #[test]
    fn golden_bytes() {
        let query = LeaseQuery {
            domain: Domain::default(),
            network: NetworkId([1; 32]),
            stack: StackId(Address::new([2; 32])),
            node: NodeId(Address::new([3; 32])),
            asked_at_ms: TimestampMs(4),
        };
        let expected = [
            hex::encode("atoma/query/v1\0\0"),
            "01".repeat(32),
            "02".repeat(32),
            "03".repeat(32),
            "0400000000000000".to_owned(),
        ]
        .concat();
        assert_eq!(hex::encode(bcs::to_bytes(&query).unwrap()), expected);
    }
}
