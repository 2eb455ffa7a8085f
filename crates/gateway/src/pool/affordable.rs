//! What of a stack a small budget pays for. Pure.
//!
//! A stack is good for any node that asks no more than the stack's highest price, so the highest that is fair is the
//! best, as long as there is money for it. Where there isn't, the node's own price does, which makes the same money more
//! units.

use atoma_types::{ComputeUnits, MicroUsdc, Price};

/// Units and highest price of a stack for which so much is left: all that are wanted at the higher price, if it pays for
/// them; otherwise as many as it does at the lower one, `least` at least, whether it pays for them or not.
pub(super) fn affordable(
    left: MicroUsdc,
    [least, wanted]: [ComputeUnits; 2],
    [own, highest]: [Price; 2],
) -> (ComputeUnits, Price) {
    let pays_for = |price: Price| price.cost(wanted).is_some_and(|cost| cost <= left);
    if pays_for(highest) {
        return (wanted, highest);
    }
    (own.affords(left).min(wanted).max(least), own)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bought(left: u64) -> (u64, u64) {
        let units = [ComputeUnits(300), ComputeUnits(1_000)];
        let prices = [Price(2_000_000), Price(10_000_000)];
        let (units, price) = affordable(MicroUsdc(left), units, prices);
        (units.0, price.0 / 1_000_000)
    }

    #[test]
    fn a_small_budget_buys_at_the_nodes_own_price_and_never_less_than_is_needed() {
        assert_eq!(bought(10_000), (1_000, 10));
        assert_eq!(bought(9_999), (1_000, 2));
        assert_eq!(bought(1_999), (999, 2));
        assert_eq!(bought(600), (300, 2));
        assert_eq!(bought(599), (300, 2), "which is refused, and named");
        assert_eq!(bought(0), (300, 2));
    }
}
