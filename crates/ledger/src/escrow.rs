//! What a purchase must pay, exactly: the package takes coins of this amount and no other.

use atoma_types::{ComputeUnits, MicroUsdc, Price, chain::Stack};

/// What a new stack costs at most, and must be paid. `None` past `u64::MAX`.
#[must_use]
pub fn required_escrow(units: ComputeUnits, max_price: Price) -> Option<MicroUsdc> {
    max_price.cost(units)
}

/// What a stack's escrow lacks once `units` are added. `None` past `u64::MAX`.
#[must_use]
pub fn top_up_payment(stack: &Stack, units: ComputeUnits) -> Option<MicroUsdc> {
    let needed = stack.escrow_for(stack.live_units().checked_add(units)?)?;
    Some(MicroUsdc(needed.0.saturating_sub(stack.escrow.0)))
}
