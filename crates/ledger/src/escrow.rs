//! What a purchase must pay, exactly: the package takes coins of this amount and no other.

use atoma_types::{
    ComputeUnits, MicroUsdc, Price,
    chain::{AtomaDb, Stack, Task},
    money::PERMILLE,
};

/// `floor(floor(max_price * units / 1e6) * (1000 + surcharge) / 1000)`; the surcharge pays audits
/// and is there only where the task samples. `None` past `u64::MAX`.
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
    escrow(units, max_price, surcharge)
}

/// What a stack's escrow lacks once `units` are added. `None` past `u64::MAX`.
#[must_use]
pub fn top_up_payment(stack: &Stack, units: ComputeUnits) -> Option<MicroUsdc> {
    let open = stack
        .total_units
        .checked_add(units)?
        .checked_sub(stack.closed_units)?;
    let needed = escrow(open, stack.max_price, stack.surcharge_permille)?;
    Some(MicroUsdc(needed.0.saturating_sub(stack.escrow.0)))
}

fn escrow(units: ComputeUnits, price: Price, surcharge: u64) -> Option<MicroUsdc> {
    let cost = u128::from(price.cost(units)?.0);
    let whole = cost.checked_mul(PERMILLE.checked_add(u128::from(surcharge))?)? / PERMILLE;
    u64::try_from(whole).ok().map(MicroUsdc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_down_twice_and_never_wraps() {
        assert_eq!(
            escrow(ComputeUnits(1_000_001), Price(1_000), 20),
            Some(MicroUsdc(1_020))
        );
        assert_eq!(escrow(ComputeUnits(333_333), Price(3), 20), Some(MicroUsdc(0)));
        assert_eq!(
            escrow(ComputeUnits(u64::MAX), Price(1_000_000), 0),
            Some(MicroUsdc(u64::MAX))
        );
        assert_eq!(escrow(ComputeUnits(u64::MAX), Price(1_000_000), 1), None);
    }
}
