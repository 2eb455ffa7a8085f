//! What one purchase at a time reads and changes.

use super::refill::Promises;
use atoma_types::StackId;
use std::collections::BTreeSet;

/// Which stacks are known, and what is promised of them. Whoever pays holds it.
#[derive(Debug, Default)]
pub(super) struct Purchasing {
    /// Whether the stacks from before a restart are taken over.
    pub(super) adopted: bool,
    /// Stacks that the client remembers and that were looked at, where more may be bought by hand meanwhile.
    pub(super) seen: BTreeSet<StackId>,
    pub(super) promises: Promises,
}
