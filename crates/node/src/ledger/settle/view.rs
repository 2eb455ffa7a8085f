//! A lease as the settler sees it.

use crate::account::Summary;
use atoma_types::{DurationMs, Price, StackId, chain::Stack};
use std::sync::Arc;

/// A lease as the settler sees it.
#[derive(Clone, Debug)]
pub(crate) struct LeaseView {
    pub stack: StackId,
    pub price: Price,
    pub settle_grace: DurationMs,
    /// The stack as last read, if it was since the start.
    pub on_ledger: Option<Arc<Stack>>,
    /// Its sums, without the lanes.
    pub sums: Summary,
}

/// Leases for the tests of the steps.
#[cfg(test)]
pub(super) mod testing {
    use super::LeaseView;
    use crate::{
        account::{Phase, Position, Summary, Terms},
        ledger::testing,
    };
    use atoma_types::{Address, ComputeUnits, DurationMs, Price, StackId, TimestampMs};
    use std::sync::Arc;

    pub(in crate::ledger::settle) fn stack(id: u8) -> StackId {
        StackId(Address::new([id; 32]))
    }

    /// A lease of 1,000 units that ends at 10,000 and has `committed` and `reserved` units, of which as many are
    /// claimed as there are tickets.
    pub(in crate::ledger::settle) fn lease(
        id: u8,
        phase: Phase,
        (committed, reserved): (u64, u64),
        tickets: &[u64],
    ) -> LeaseView {
        let claimed = tickets.len() as u64;
        let mut on_ledger = testing::stack();
        on_ledger.id = stack(id);
        on_ledger.expires_at_ms = TimestampMs(10_000);
        on_ledger.leases = vec![testing::lease(1_000, tickets)];
        LeaseView {
            stack: stack(id),
            price: Price(1_000_000),
            settle_grace: DurationMs(1_000),
            on_ledger: Some(Arc::new(on_ledger)),
            sums: Summary {
                terms: Terms {
                    units: ComputeUnits(1_000),
                    expires_at: TimestampMs(10_000),
                    closing: false,
                },
                phase,
                committed: ComputeUnits(committed),
                reserved: ComputeUnits(reserved),
                seq: 1,
                claimed: Position {
                    seq: claimed,
                    units: ComputeUnits(claimed),
                    ..Position::default()
                },
                last_activity: TimestampMs(0),
                giving_back: false,
                returned: 0,
                lanes: Vec::new(),
                running: Vec::new(),
            },
        }
    }
}
