//! Places in a lease's chain of receipts.

use atoma_types::{ComputeUnits, hash::Hash32};

/// A place in a lease's chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// The number of the receipt, 0 before the first.
    pub seq: u64,
    /// The sum up to it.
    pub units: ComputeUnits,
    /// The hash of that receipt.
    pub hash: Hash32,
}
