/// Limits that several modules share and that are no parameters: changing one means new code.
module atoma::limits;

/// Units of one stack, and capacity of one subscription: keeps the weights of a draw within `u128`.
const MAX_UNITS: u64 = 1 << 50;
/// The top of the scale of reputation.
const MAX_REPUTATION: u64 = 1_000;

public(package) fun max_units(): u64 { MAX_UNITS }

public(package) fun max_reputation(): u64 { MAX_REPUTATION }
