//! A node's receipt: what was asked, what was answered, what it cost.

use super::{Domain, Message, ReceiptTag};
use crate::{
    ComputeUnits, EngineClass, NetworkId, NodeId, RequestId, StackId, TimestampMs, Usage,
    hash::Hash32,
};
use serde::{Deserialize, Serialize};

/// When things happened, by the node's clock. BCS: three `u64` in this order (24 bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestTimes {
    /// The request was admitted.
    pub started_ms: TimestampMs,
    /// The first bytes of the answer left.
    pub first_token_ms: TimestampMs,
    /// The last bytes of the answer left.
    pub finished_ms: TimestampMs,
}

/// Signed by the node's response key. The receipts of one lease form a chain: `seq` counts from 1,
/// `previous` is the hash of the receipt before (zero for the first), `cumulative_units` is the sum
/// of all `units` so far. Each names all before it, too: `history` is the root over their [tree](crate::history), so that
/// a settlement by its last receipt is one of exactly these records.
///
/// # BCS (387 bytes without, 419 with `output_fingerprint`)
/// ```text
/// domain             16  "atoma/receipt/v1"
/// network            32   stack 32   node 32
/// seq                 8  u64 le, from 1
/// request_id         16
/// request_hash       32  BLAKE2b-256 of the request header's bytes
/// response_hash      32  commitment to the answer's bytes as sent (see [`Salt`](super::Salt)); of a
///                        stream: all before the receipt's comment line
/// usage              40  five u64 le
/// units               8  u64 le   cumulative_units 8 u64 le
/// times              24  three u64 le
/// engine             34
/// output_fingerprint  1  0, or 1 ‖ 32-byte commitment to the engine's fingerprint
/// previous           32
/// base                8  u64 le   history 32
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Always the receipt tag.
    pub domain: Domain<ReceiptTag>,
    /// The network id of the ledger that it is for.
    pub network: NetworkId,
    /// The stack that paid.
    pub stack: StackId,
    /// The node that served.
    pub node: NodeId,
    /// The place in the lease's chain, from 1.
    pub seq: u64,
    /// Id of the request, which its header gave.
    pub request_id: RequestId,
    /// Hash of the signed request header.
    pub request_hash: Hash32,
    /// The salted commitment to the answer as sent.
    pub response_hash: Hash32,
    /// Tokens, image steps and seconds of audio that the request used.
    pub usage: Usage,
    /// What the request cost, in compute units.
    pub units: ComputeUnits,
    /// What the lease has cost so far, this request included.
    pub cumulative_units: ComputeUnits,
    /// When the request began and ended.
    pub times: RequestTimes,
    /// The kind of engine that computed the answer: model, arithmetic and rule.
    pub engine: EngineClass,
    /// The salted commitment to the engine's fingerprint of its scores, where it makes one.
    pub output_fingerprint: Option<Hash32>,
    /// Hash of the receipt before this one; zero for the first.
    pub previous: Hash32,
    /// The number of the receipt before the first one that `history` has: one that is claimed or paid.
    pub base: u64,
    /// Root over the hashes of the receipts after `base` up to the one before this; zero for none.
    pub history: Hash32,
}

impl Message for Receipt {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::sample;

    #[test]
    fn golden_bytes() {
        let receipt = Receipt {
            seq: 4,
            usage: Usage {
                input: 8,
                cached_input: 9,
                output: 10,
                ..Usage::default()
            },
            units: ComputeUnits(11),
            cumulative_units: ComputeUnits(12),
            base: 2,
            history: Hash32([0x17; 32]),
            ..sample::receipt(Hash32([6; 32]))
        };
        let number = |n: u64| hex::encode(n.to_le_bytes());
        let expected = [
            hex::encode("atoma/receipt/v1"),
            "01".repeat(32),
            "02".repeat(32),
            "03".repeat(32),
            number(4),
            "05".repeat(16),
            "06".repeat(32),
            "07".repeat(32),
            [8, 9, 10, 0, 0, 11, 12, 13, 14, 15].map(number).concat(),
            "10".repeat(32),
            "0000".to_owned(),
            "00".to_owned(),
            "00".repeat(32),
            number(2),
            "17".repeat(32),
        ]
        .concat();
        let bytes = bcs::to_bytes(&receipt).unwrap();
        assert_eq!(hex::encode(&bytes), expected);
        assert_eq!(bytes.len(), 387);
    }
}
