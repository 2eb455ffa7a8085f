//! How much is simulated.

/// How large the networks are that an advice rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Nodes of each.
    pub nodes: u64,
    /// Requests of each.
    pub requests: u64,
    /// The seed of all.
    pub seed: u64,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            nodes: 150,
            requests: 400_000,
            seed: 1,
        }
    }
}
