//! Limits of the package that are no parameters: changing one means publishing new code.

use atoma_types::DurationMs;

/// Nodes drawn for a `Limited` stack. More choice than sixteen serves nobody, and each candidate is
/// read again at every lease.
pub const MAX_CANDIDATES: u8 = 16;

/// Leases of one stack, closed ones included: bounds what `close_after_expiry` looks through.
pub const MAX_LEASES: usize = 32;

/// Subscriptions of one task. About 130 bytes each: a task stays far below the 250 KiB that an
/// object may have, and a draw over all of them stays cheap.
pub const MAX_SUBSCRIPTIONS: usize = 256;

/// Lanes of one lease, so headers of one settlement. About 330 bytes each with the signature: 21 KiB,
/// and 64 signature checks.
pub const MAX_LANES: usize = 64;

/// Open disputes of one ticket: bounds what a conviction pays back, and what a node must answer at
/// once.
pub const MAX_DISPUTES: usize = 8;

/// Nodes in the treasury's book. 40 bytes each: 160 KiB of the 250 KiB that an object may have.
pub const MAX_SHARES: usize = 4096;

/// Units of one stack, and capacity of one subscription. Large enough for any purchase (a million
/// tokens a second for thirty years); keeps the weights of a draw within `u128`.
pub const MAX_UNITS: u64 = 1 << 50;

/// Thousandths of a unit that one thing may cost: a billion units.
pub const MAX_WEIGHT: u64 = 1 << 40;

/// Bytes of a model's name: hub names are below 100.
pub const MAX_MODEL_NAME: usize = 128;

/// Bytes of a node's URL.
pub const MAX_URL: usize = 256;

/// Nodes in a task's allow-list: it is read at every subscription.
pub const MAX_ALLOW_LIST: usize = 64;

/// The top of the scale of reputation.
pub const MAX_REPUTATION: u64 = 1_000;

/// Epochs that storage may be had ahead, as with Walrus.
pub const MAX_EPOCHS_AHEAD: u32 = 53;

/// Members of the development Walrus's committee: their keys are one plain value of a transaction, of
/// which Sui takes 16 KiB.
pub const MAX_COMMITTEE: usize = 256;

/// The fewest shards that withstand a faulty one.
pub const MIN_SHARDS: u16 = 4;

/// The shards of Walrus's own Mainnet.
pub const MAX_SHARDS: u16 = 1_000;

/// The shortest epoch: below it, halves of epochs lose their meaning.
pub const MIN_EPOCH: DurationMs = DurationMs(1_000);

/// The shortest time to answer a dispute: in less no transaction arrives, and nobody could.
pub const MIN_ANSWER_WINDOW: DurationMs = DurationMs(1_000);
