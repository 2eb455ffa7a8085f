//! An overloaded node's order to another.

use super::{Domain, ForwardTag, Message};
use crate::{ComputeUnits, NetworkId, NodeId, Price, TimestampMs, hash::Hash32};
use serde::{Deserialize, Serialize};

/// "Serve this request for me; I pay you this much." Signed by the first node's response key. The
/// first node stays liable to the user.
///
/// # BCS (152 bytes)
/// ```text
/// domain 16 "atoma/forward/v1" ‖ network 32 ‖ from 32 ‖ to 32 ‖ request_hash 32
/// ‖ max_units u64 le ‖ price u64 le ‖ expires_at_ms u64 le
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardOrder {
    /// Always the forward tag.
    pub domain: Domain<ForwardTag>,
    /// The network id of the ledger that it is for.
    pub network: NetworkId,
    /// The node that holds the lease.
    pub from: NodeId,
    /// The node that shall serve.
    pub to: NodeId,
    /// Hash of the user's signed request header.
    pub request_hash: Hash32,
    /// The most that the first node pays for.
    pub max_units: ComputeUnits,
    /// The price of the request's units, in micro-USDC for a million.
    pub price: Price,
    /// When the order becomes worthless.
    pub expires_at_ms: TimestampMs,
}

impl Message for ForwardOrder {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    #[test]
    fn golden_bytes() {
        let order = ForwardOrder {
            domain: Domain::default(),
            network: NetworkId([1; 32]),
            from: NodeId(Address::new([2; 32])),
            to: NodeId(Address::new([3; 32])),
            request_hash: Hash32([4; 32]),
            max_units: ComputeUnits(5),
            price: Price(6),
            expires_at_ms: TimestampMs(7),
        };
        let expected = [
            hex::encode("atoma/forward/v1"),
            "01".repeat(32),
            "02".repeat(32),
            "03".repeat(32),
            "04".repeat(32),
            "0500000000000000".to_owned(),
            "0600000000000000".to_owned(),
            "0700000000000000".to_owned(),
        ]
        .concat();
        assert_eq!(hex::encode(bcs::to_bytes(&order).unwrap()), expected);
    }
}
