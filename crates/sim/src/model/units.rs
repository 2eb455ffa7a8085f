//! What the model counts in.

/// Money, in micro-USDC.
pub type Micro = u64;
/// Milliseconds of virtual time.
pub type Ms = u64;
/// Index of a node.
pub type NodeIx = usize;
/// Index of a task.
pub type TaskIx = usize;
/// Index of a stack.
pub type StackIx = usize;
/// Who signs: an owner of nodes, stacks or both.
pub type Party = u32;

/// Milliseconds of an hour.
pub const HOUR: Ms = 3_600_000;
/// A day, and an epoch of the treasury.
pub const DAY: Ms = 24 * HOUR;

/// `floor(amount * permille / 1000)`.
pub(super) fn permille(amount: Micro, permille: u64) -> Micro {
    let share = u128::from(amount) * u128::from(permille) / 1_000;
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// `floor(units * price / 1_000_000)`.
#[must_use]
pub fn cost(units: u64, price: u64) -> Micro {
    let cost = u128::from(units) * u128::from(price) / 1_000_000;
    u64::try_from(cost).unwrap_or(u64::MAX)
}
