//! What follows from a ticket's seed: anyone can compute it, nobody can choose it.
//!
//! ```text
//! hit   SamplingTerms::hits
//! unit  from + le256(BLAKE2b-256("atoma/unit/v1" ‖ seed)) mod (to - from)
//! ```
//!
//! Units are drawn, not records: half of the units in one record of a thousand are found in half of the
//! examinations, not in one of a thousand.

use crate::draw;
use atoma_types::{ComputeUnits, chain::Ticket, hash::Hash32};

/// One of the units that a ticket claims.
pub(super) fn unit(seed: &Hash32, ticket: &Ticket) -> ComputeUnits {
    unit_of(seed, (ticket.from_units, ticket.to_units))
}

/// One of the units from the first to before the second.
#[must_use]
pub fn unit_of(seed: &Hash32, (from, to): (ComputeUnits, ComputeUnits)) -> ComputeUnits {
    let claimed = to.saturating_sub(from);
    let digest = Hash32::of_parts(&[b"atoma/unit/v1", &seed.0]);
    let offset = draw::reduce(digest, u128::from(claimed.0.max(1)));
    let offset = ComputeUnits(u64::try_from(offset).unwrap_or(0));
    from.saturating_add(offset)
}
