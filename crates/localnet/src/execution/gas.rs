//! What execution costs. Sui's shape with simple numbers: computation by command, storage by byte,
//! and nearly all of the storage back when an object is rewritten or goes.

use sui_sdk_types::GasCostSummary;

/// The reference gas price, in MIST per unit.
pub(crate) const REFERENCE_GAS_PRICE: u64 = 1_000;
/// Units of any transaction: Sui's smallest bucket.
const BASE_UNITS: u64 = 1_000;
/// Units of each command.
const COMMAND_UNITS: u64 = 100;
/// MIST per stored byte: 100 storage units at 76 MIST, as on Sui.
const STORAGE_PRICE: u64 = 7_600;
/// The share of storage that isn't given back, in ten-thousandths, as on Sui.
const KEPT_SHARE: u64 = 100;
/// The largest budget, as on Sui.
pub(crate) const MAX_BUDGET: u64 = 50_000_000_000;

/// The computation's cost.
pub(crate) fn computation(commands: usize, price: u64) -> u64 {
    let units = BASE_UNITS.saturating_add(COMMAND_UNITS.saturating_mul(commands as u64));
    units.saturating_mul(price)
}

/// The least budget: computation and nothing else.
pub(crate) fn least_budget(commands: usize, price: u64) -> u64 {
    computation(commands, price)
}

/// What an object of so many bytes holds for its storage.
pub(crate) fn storage(bytes: u64) -> u64 {
    bytes.saturating_mul(STORAGE_PRICE)
}

/// The summary, from what written objects hold now and rewritten or deleted ones held.
pub(crate) fn summary(computation: u64, stored: u64, released: u64) -> GasCostSummary {
    // at most `released`: the multiplication happens in 128 bits
    let kept = (u128::from(released) * u128::from(KEPT_SHARE)).div_ceil(10_000) as u64;
    GasCostSummary::new(computation, stored, released - kept, kept)
}

/// The sum of two.
pub(crate) fn add(a: &GasCostSummary, b: &GasCostSummary) -> GasCostSummary {
    GasCostSummary::new(
        a.computation_cost.saturating_add(b.computation_cost),
        a.storage_cost.saturating_add(b.storage_cost),
        a.storage_rebate.saturating_add(b.storage_rebate),
        a.non_refundable_storage_fee
            .saturating_add(b.non_refundable_storage_fee),
    )
}

/// What a payer is charged: positive, or negative where more storage was released than taken.
pub(crate) fn charge(gas: &GasCostSummary) -> i128 {
    i128::from(gas.computation_cost) + i128::from(gas.storage_cost) - i128::from(gas.storage_rebate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn almost_all_storage_comes_back() {
        let gas = summary(5, 1_000, 1_000);
        assert_eq!(
            (gas.storage_rebate, gas.non_refundable_storage_fee),
            (990, 10)
        );
        assert_eq!(charge(&gas), 15);
        assert_eq!(charge(&summary(0, 0, 1_000)), -990);
    }
}
