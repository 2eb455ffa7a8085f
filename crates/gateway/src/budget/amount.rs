//! Money as exact as prices are.

use atoma_types::{ComputeUnits, MicroUsdc, Price};
use std::fmt;

/// Parts of a micro-USDC: prices are per this many units.
const PARTS: u64 = 1_000_000;

/// Money in millionths of a micro-USDC. A price is micro-USDC per million units, so the cost of any
/// number of units is a whole number of these: nothing is rounded, and a key can't get thousands of
/// tiny requests for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(pub(crate) u64);

impl Amount {
    /// The largest: what the database holds in a signed integer (9.2 million USDC).
    pub(crate) const MAX: Self = Self(i64::MAX.unsigned_abs());

    /// What units cost at a price, at most `Amount::MAX`.
    #[must_use]
    pub fn cost(price: Price, units: ComputeUnits) -> Self {
        let exact = u128::from(price.0) * u128::from(units.0);
        Self(u64::try_from(exact).unwrap_or(u64::MAX).min(Self::MAX.0))
    }

    /// Whole micro-USDC, rounded down.
    #[must_use]
    pub fn whole(self) -> MicroUsdc {
        MicroUsdc(self.0 / PARTS)
    }
}

impl From<MicroUsdc> for Amount {
    fn from(money: MicroUsdc) -> Self {
        Self(money.0.saturating_mul(PARTS).min(Self::MAX.0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.whole(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_and_never_wrapping() {
        let tiny = Amount::cost(Price(3), ComputeUnits(7));
        assert_eq!((tiny, tiny.whole()), (Amount(21), MicroUsdc(0)));
        let cost = Amount::cost(Price(2_000_000), ComputeUnits(1_500_000));
        assert_eq!(cost.whole(), MicroUsdc(3_000_000));
        assert_eq!(Amount::from(MicroUsdc(3_000_000)), cost);
        assert_eq!(
            Amount::cost(Price(u64::MAX), ComputeUnits(u64::MAX)),
            Amount::MAX
        );
        assert_eq!(Amount::from(MicroUsdc(u64::MAX)), Amount::MAX);
    }
}
