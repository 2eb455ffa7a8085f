//! What a purchase must pay, exactly: the package takes coins of this amount and no other.

use atoma_types::{
    ComputeUnits, MicroUsdc, Price,
    chain::{AtomaDb, Stack, Task},
};

/// What a new stack costs at most. The surcharge pays audits and is there only where the task
/// samples. `None` past `u64::MAX`.
#[must_use]
pub fn required_escrow(
    task: &Task,
    db: &AtomaDb,
    units: ComputeUnits,
    max_price: Price,
) -> Option<MicroUsdc> {
    let surcharge = if task.security_level.samples() {
        db.params.sampling_surcharge_permille
    } else {
        0
    };
    max_price.escrow(units, surcharge)
}

/// What a stack's escrow lacks once `units` are added. `None` past `u64::MAX`.
#[must_use]
pub fn top_up_payment(stack: &Stack, units: ComputeUnits) -> Option<MicroUsdc> {
    let open = stack
        .total_units
        .checked_add(units)?
        .checked_sub(stack.closed_units)?;
    let needed = stack.max_price.escrow(open, stack.surcharge_permille)?;
    Some(MicroUsdc(needed.0.saturating_sub(stack.escrow.0)))
}
