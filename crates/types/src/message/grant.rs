//! A stack owner's grant of units to one node.

use super::{Domain, GrantTag, Message};
use crate::{ComputeUnits, NetworkId, NodeId, Price, StackId, TimestampMs};
use serde::{Deserialize, Serialize};

/// "Node, you may lease up to this many units of my stack in all." Signed by the stack's request
/// key; the node takes it to the ledger, which keeps all leases together within the stack. Only the
/// highest grant counts, so replays change nothing; revoking raises the stack's nonce, and no grant of an
/// earlier one is good any more.
///
/// # BCS (144 bytes)
/// ```text
/// domain 16 "atoma/grant/v1\0\0" ‖ network 32 ‖ stack 32 ‖ node 32
/// ‖ cumulative_units u64 le ‖ max_price u64 le ‖ nonce u64 le ‖ expires_at_ms u64 le
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Always the grant tag.
    pub domain: Domain<GrantTag>,
    /// The network id of the ledger that it is for.
    pub network: NetworkId,
    /// Id of the stack's object.
    pub stack: StackId,
    /// Id of the node's object.
    pub node: NodeId,
    /// Units leased to the node in all, earlier grants counted in.
    pub cumulative_units: ComputeUnits,
    /// The lease may cost no more.
    pub max_price: Price,
    /// The stack's nonce.
    pub nonce: u64,
    /// When the grant can no longer be taken to the ledger.
    pub expires_at_ms: TimestampMs,
}

impl Message for Grant {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    #[test]
    fn golden_bytes() {
        let grant = Grant {
            domain: Domain::default(),
            network: NetworkId([1; 32]),
            stack: StackId(Address::new([2; 32])),
            node: NodeId(Address::new([3; 32])),
            cumulative_units: ComputeUnits(4),
            max_price: Price(5),
            nonce: 6,
            expires_at_ms: TimestampMs(7),
        };
        let expected = [
            hex::encode("atoma/grant/v1\0\0"),
            "01".repeat(32),
            "02".repeat(32),
            "03".repeat(32),
            "0400000000000000".to_owned(),
            "0500000000000000".to_owned(),
            "0600000000000000".to_owned(),
            "0700000000000000".to_owned(),
        ]
        .concat();
        assert_eq!(hex::encode(bcs::to_bytes(&grant).unwrap()), expected);
    }
}
