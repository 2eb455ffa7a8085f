//! Whom a hunter is after.

use atoma_types::{Address, MicroUsdc, NodeId, chain::AtRisk};
use std::collections::BTreeSet;

/// Whom or what a hunter is after, and how it was when the hunt began.
#[derive(Clone, Default)]
pub(super) struct Prey {
    pub(super) node: Option<NodeId>,
    pub(super) had: MicroUsdc,
    pub(super) shown: AtRisk,
    pub(super) at_stake: MicroUsdc,
    /// Whose wealth is looked at, and what it was.
    pub(super) coalition: BTreeSet<Address>,
    pub(super) wealth: i128,
    /// How long after its end a stack had something of somebody's, hours.
    pub(super) longest: u64,
    /// Attesters act only when the hunter says so.
    pub(super) idle_attesters: bool,
}
