//! Counts all money: none may be made or lost, whatever was executed or interrupted.

use crate::{
    balances,
    genesis::{SUI_SUPPLY, USDC_SUPPLY},
    objects::{SUI, as_coin},
    view::View,
};
use sui_sdk_types::TypeTag;

/// Where the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// MIST in all coins of SUI together.
    pub sui_in_coins: u128,
    /// MIST in all address balances together.
    pub sui_in_balances: u128,
    /// MIST held for the storage of objects.
    pub sui_in_storage: u128,
    /// MIST spent on computation and kept of storage.
    pub sui_in_fees: u128,
    /// Micro-USDC in all coins of USDC together.
    pub usdc_in_coins: u128,
    /// Micro-USDC in all address balances together.
    pub usdc_in_balances: u128,
    /// Micro-USDC in escrows, collaterals, fees and the treasury of the contract.
    pub usdc_in_contract: u128,
}

/// Of each kind of money so much.
#[derive(Debug, Default)]
struct Sums {
    sui: u128,
    usdc: u128,
}

impl Sums {
    fn add(&mut self, money: Option<(&TypeTag, u64)>, usdc: &TypeTag) {
        match money {
            Some((kind, amount)) if *kind == *SUI => self.sui += u128::from(amount),
            Some((kind, amount)) if kind == usdc => self.usdc += u128::from(amount),
            _ => {}
        }
    }
}

/// Adds everything up and compares it with what there was at first.
pub(crate) fn audit(view: &View) -> Result<Audit, String> {
    let usdc = &view.state.deployment().usdc;
    let (mut in_coins, mut in_balances, mut storage) = (Sums::default(), Sums::default(), 0u128);
    for object in view.state.objects() {
        storage += u128::from(object.storage_rebate());
        in_coins.add(as_coin(object), usdc);
        in_balances.add(balances::read(object), usdc);
    }
    let gas = &view.gas;
    let given_back = u128::from(gas.storage_rebate) + u128::from(gas.non_refundable_storage_fee);
    let audit = Audit {
        sui_in_coins: in_coins.sui,
        sui_in_balances: in_balances.sui,
        sui_in_storage: u128::from(gas.storage_cost).saturating_sub(given_back),
        sui_in_fees: u128::from(gas.computation_cost) + u128::from(gas.non_refundable_storage_fee),
        usdc_in_coins: in_coins.usdc,
        usdc_in_balances: in_balances.usdc,
        usdc_in_contract: atoma_contract::invariants::held(view.state.contract()),
    };
    let sui_held = audit.sui_in_coins + audit.sui_in_balances;
    let usdc_held = audit.usdc_in_coins + audit.usdc_in_balances;
    let sui = sui_held + audit.sui_in_storage + audit.sui_in_fees;
    if usdc_held + audit.usdc_in_contract != u128::from(USDC_SUPPLY) {
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
