//! Counts all money: none may be made or lost, whatever was executed or interrupted.

use crate::{
    genesis::{SUI_SUPPLY, USDC_SUPPLY},
    objects::{SUI, as_coin},
    view::View,
};

/// Where the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// MIST in all coins of SUI together.
    pub sui_in_coins: u128,
    /// MIST held for the storage of objects.
    pub sui_in_storage: u128,
    /// MIST spent on computation and kept of storage.
    pub sui_in_fees: u128,
    /// Micro-USDC in all coins of USDC together.
    pub usdc_in_coins: u128,
    /// Micro-USDC in escrows, collaterals, fees and the treasury of the contract.
    pub usdc_in_contract: u128,
}

/// Adds everything up and compares it with what there was at first.
pub(crate) fn audit(view: &View) -> Result<Audit, String> {
    let usdc = &view.state.deployment().usdc;
    let (mut sui_coins, mut usdc_coins, mut storage) = (0u128, 0u128, 0u128);
    for object in view.state.objects() {
        storage += u128::from(object.storage_rebate());
        match as_coin(object) {
            Some((coin_type, balance)) if *coin_type == *SUI => sui_coins += u128::from(balance),
            Some((coin_type, balance)) if coin_type == usdc => usdc_coins += u128::from(balance),
            _ => {}
        }
    }
    let gas = &view.gas;
    let given_back = u128::from(gas.storage_rebate) + u128::from(gas.non_refundable_storage_fee);
    let audit = Audit {
        sui_in_coins: sui_coins,
        sui_in_storage: u128::from(gas.storage_cost).saturating_sub(given_back),
        sui_in_fees: u128::from(gas.computation_cost) + u128::from(gas.non_refundable_storage_fee),
        usdc_in_coins: usdc_coins,
        usdc_in_contract: atoma_contract::invariants::held(view.state.contract()),
    };
    let sui = audit.sui_in_coins + audit.sui_in_storage + audit.sui_in_fees;
    if audit.usdc_in_coins + audit.usdc_in_contract != u128::from(USDC_SUPPLY) {
        return Err(format!("micro-USDC was made or lost: {audit:?}"));
    }
    atoma_contract::invariants::check(view.state.contract()).map_err(|e| e.to_string())?;
    if sui != u128::from(SUI_SUPPLY) {
        return Err(format!("MIST was made or lost: {audit:?}"));
    }
    if audit.sui_in_storage != storage {
        return Err(format!(
            "objects hold {storage} MIST for storage: {audit:?}"
        ));
    }
    Ok(audit)
}
