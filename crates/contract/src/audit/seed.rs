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
    let claimed = ticket.to_units.saturating_sub(ticket.from_units);
    let digest = Hash32::of_parts(&[b"atoma/unit/v1", &seed.0]);
    let offset = draw::reduce(digest, u128::from(claimed.0.max(1)));
    let offset = ComputeUnits(u64::try_from(offset).unwrap_or(0));
    ticket.from_units.saturating_add(offset)
}
