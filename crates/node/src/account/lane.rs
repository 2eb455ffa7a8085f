//! Lanes: counters of a user's requests that run side by side.

use atoma_types::{
    ComputeUnits,
    message::{RequestHeader, Signed},
};
use std::sync::Arc;

/// A signed request header, which also is a voucher. Shared: the running request and its lane both
/// hold it.
pub(crate) type SignedRequest = Arc<Signed<RequestHeader>>;

/// What one counter of the user has paid, and what it may.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) committed: u64,
    pub(super) reserved: u64,
    /// The header with the highest ceiling.
    pub(super) voucher: SignedRequest,
}

/// A lane as the journal has it.
#[derive(Clone, Debug)]
pub(crate) struct RestoredLane {
    /// All that the lane has paid.
    pub committed: ComputeUnits,
    /// The signed request with the highest ceiling.
    pub voucher: SignedRequest,
}

impl Lane {
    pub(super) fn ceiling(&self) -> u64 {
        self.voucher.message().ceiling.0
    }

    pub(super) fn used(&self) -> u64 {
        self.committed + self.reserved
    }
}
