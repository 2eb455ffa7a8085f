//! What the tests of the steps stand on.

use atoma_types::{
    Address, ComputeUnits, DurationMs, EngineClass, MicroUsdc, NodeId, Numerics, Price, PublicKey,
    Rule, StackId, TaskId, TimestampMs, UnitWeights,
    chain::{Lease, Stack, Terms, Ticket, VERSION},
    hash::Hash32,
};

/// The node of the tests.
pub(crate) const NODE: NodeId = NodeId(Address::new([3; 32]));

/// A stack of 1,000 units that ends at 9,000, without a lease.
pub(crate) fn stack() -> Stack {
    Stack {
        id: StackId(Address::new([2; 32])),
        version: VERSION,
        owner: Address::new([5; 32]),
        watcher: None,
        task: TaskId(Address::new([4; 32])),
        weights: UnitWeights::TEXT,
        engine: EngineClass {
            model: Hash32::ZERO,
            numerics: Numerics::DetF32V1,
            rule: Rule::Exact,
        },
        request_key: PublicKey([8; 32]),
        max_price: Price(9),
        terms: Terms {
            fine_multiple: 10,
            fee_permille: 10,
            dispute_window_ms: DurationMs(100),
            answer_window_ms: DurationMs(100),
            settle_grace_ms: DurationMs(1_000),
            demand_fee: MicroUsdc(1),
            jail_ms: DurationMs(1),
            slash_delay_ms: DurationMs(1),
            sampling: None,
        },
        ungranted: ComputeUnits(1_000),
        nonce: 0,
        candidates: Vec::new(),
        leases: Vec::new(),
        escrow: MicroUsdc(0),
        free: MicroUsdc(0),
        created_at_ms: TimestampMs(0),
        expires_at_ms: TimestampMs(9_000),
    }
}

/// A lease of [`NODE`] with so many units, and tickets that are payable after these times.
pub(crate) fn lease(units: u64, tickets: &[u64]) -> Lease {
    let ticket = |(place, deadline): (usize, &u64)| {
        let place = place as u64;
        let challenge = None;
        Ticket {
            from_units: ComputeUnits(place),
            to_units: ComputeUnits(place + 1),
            from_seq: place,
            to_seq: place + 1,
            last: Hash32::ZERO,
            base: 0,
            history: Hash32::ZERO,
            manifest_blob: None,
            opened_at_ms: TimestampMs(0),
            deadline_ms: TimestampMs(*deadline),
            demands: Vec::new(),
            exam: atoma_types::chain::Exam::None,
            exam_jury: None,
            exam_bond: MicroUsdc::ZERO,
            challenge,
        }
    };
    Lease {
        node: NODE,
        owner: Address::new([6; 32]),
        key: PublicKey([9; 32]),
        price: Price(1_000_000),
        units: ComputeUnits(units),
        paid_units: ComputeUnits::ZERO,
        paid_seq: 0,
        last: Hash32::ZERO,
        fees: MicroUsdc(0),
        tickets: tickets.iter().enumerate().map(ticket).collect(),
        closed: false,
    }
}
