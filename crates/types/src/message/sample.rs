//! Messages that tests of several crates begin with, each field another number.

use super::{Domain, Endpoint, Origin, Receipt, RequestHeader, RequestTimes};
use crate::{
    Address, ComputeUnits, EngineClass, NetworkId, NodeId, Numerics, RequestId, Rule, StackId,
    TaskId, TimestampMs, Usage, hash::Hash32,
};

/// The header of a chat, of stack 2 for node 3 on network 1.
#[must_use]
pub fn header() -> RequestHeader {
    RequestHeader {
        domain: Domain::default(),
        network: NetworkId([1; 32]),
        stack: StackId(Address::new([2; 32])),
        node: NodeId(Address::new([3; 32])),
        task: TaskId(Address::new([4; 32])),
        request_id: RequestId([5; 16]),
        endpoint: Endpoint::ChatCompletions,
        body_hash: Hash32([6; 32]),
        lane: 7,
        ceiling: ComputeUnits(8),
        max_units: ComputeUnits(9),
        issued_at_ms: TimestampMs(10),
        expires_at_ms: TimestampMs(11),
        origin: Origin::Own,
    }
}

/// The first receipt of its lease, for a header with this hash and the id of [`header`].
#[must_use]
pub fn receipt(request_hash: Hash32) -> Receipt {
    Receipt {
        domain: Domain::default(),
        network: NetworkId([1; 32]),
        stack: StackId(Address::new([2; 32])),
        node: NodeId(Address::new([3; 32])),
        seq: 1,
        request_id: RequestId([5; 16]),
        request_hash,
        response_hash: Hash32([7; 32]),
        usage: Usage::default(),
        units: ComputeUnits(8),
        cumulative_units: ComputeUnits(8),
        times: RequestTimes {
            started_ms: TimestampMs(13),
            first_token_ms: TimestampMs(14),
            finished_ms: TimestampMs(15),
        },
        engine: EngineClass {
            model: Hash32([16; 32]),
            numerics: Numerics::DetF32V1,
            rule: Rule::Exact,
        },
        output_fingerprint: None,
        previous: Hash32::ZERO,
        base: 0,
        history: Hash32::ZERO,
    }
}
