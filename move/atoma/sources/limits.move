/// Limits that several modules share and that are no parameters: changing one means new code.
module atoma::limits;

/// Units of one stack.
const MAX_UNITS: u64 = 1 << 50;
/// The top of the scale of reputation.
const MAX_REPUTATION: u64 = 1_000;
/// The length of an epoch of the treasury: a day. No exit may ask the database for it.
const TREASURY_EPOCH_MS: u64 = 86_400_000;

public(package) fun max_units(): u64 { MAX_UNITS }

public(package) fun max_reputation(): u64 { MAX_REPUTATION }

/// The treasury's epoch of a moment.
public(package) fun epoch(now: u64): u64 { now / TREASURY_EPOCH_MS }

/// Whether the second half of the moment's epoch has begun.
public(package) fun second_half(now: u64): bool { now % TREASURY_EPOCH_MS >= TREASURY_EPOCH_MS / 2 }
