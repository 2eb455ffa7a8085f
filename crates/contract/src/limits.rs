//! Limits of the package that are no parameters: changing one means publishing new code.

/// Nodes drawn for a stack. More choice than sixteen serves nobody, and each candidate is
/// read again at every lease.
pub const MAX_CANDIDATES: u8 = 16;

/// Leases of one stack, closed ones included: bounds what the escrow is summed over.
pub const MAX_LEASES: usize = 32;

/// Subscriptions of one task. About 200 bytes each with an attester's promise: a task stays far below the
/// 250 KiB that an object may have, and a draw over all of them stays cheap.
pub const MAX_SUBSCRIPTIONS: usize = 256;

/// Subscriptions of one task whose place another has, and which stay for a duty of six days at most. So many more a task has
/// room for, and more than a quarter of its places don't change hands in that time.
pub const MAX_EVICTED: usize = 64;

/// Lanes of one lease, so headers of one settlement: 60 of 260 bytes and a length each are the 16 KiB that
/// Sui lets one plain value have.
pub const MAX_LANES: usize = 60;

/// Open tickets of one lease: one that may be examined for days, and another so that what was served since is
/// settled in time when the stack ends.
pub const MAX_TICKETS: usize = 2;

/// Open demands of one ticket: bounds what a conviction pays back, and what a node must answer at
/// once. One unit that it can't back is enough to void the ticket.
pub const MAX_DEMANDS: usize = 8;

/// Attesters' fees that a task's pool must hold when an examined stack is sold: with dues a quarter above
/// what they must pay, a pool that begins with ten runs dry once in five hundred times.
pub const MIN_POOL_FEES: u64 = 10;

/// How long the pool of a deprecated task stays for its examinations; then it is the treasury's. Longer than its last stack
/// can: 366 days of life, 7 of grace, and at most 43 until its last jury is done.
pub const POOL_REST_MS: u64 = 500 * 24 * 3_600 * 1_000;

/// Bytes of a wrapped key: an ephemeral key, the keys of two bodies, and a tag need 112.
pub const MAX_WRAP: usize = 256;

/// Bytes of sealed bodies that an answer carries: what fits one plain value of a transaction.
pub const MAX_BODIES: usize = 16_000;

/// Releases that a task lists: current software, the one before, and some hardware.
pub const MAX_RELEASES: usize = 16;

/// Units of one stack. Large enough for any purchase (a million tokens a second for thirty years).
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

/// The length of an epoch of the treasury: a day. No exit may ask the database for it.
pub const EPOCH_MS: u64 = 24 * 3_600 * 1_000;
