//! What a ledger says of its epoch.

/// What holds in an epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Number of the epoch.
    pub(crate) epoch: u64,
    /// The reference price of gas, in MIST per unit.
    pub(crate) price: u64,
}
