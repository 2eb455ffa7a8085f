//! How a lease's units are moving on the ledger.

use atoma_types::ComputeUnits;

/// What is on its way to the ledger, and what the lease can have at most since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moves {
    /// No read raises the units above it.
    pub(super) most: ComputeUnits,
    /// Units go back, and it isn't known yet whether the ledger took them.
    pub(super) giving_back: bool,
    /// How often units went back because the lease had no use for them.
    pub(super) returned: u32,
    /// Grants that are taken there.
    pub(super) grants: u32,
}

impl Default for Moves {
    fn default() -> Self {
        Self {
            most: ComputeUnits(u64::MAX),
            giving_back: false,
            returned: 0,
            grants: 0,
        }
    }
}
