//! Money is micro-USDC in integers. Products go through `u128`; every division rounds in favour of
//! the payer; nothing wraps.

use crate::units::ComputeUnits;
use serde::{Deserialize, Serialize};
use std::{fmt, iter::Sum};

/// Prices are per this many compute units.
pub const UNITS_PER_PRICE: u128 = 1_000_000;
/// Shares of money are in thousandths.
pub const PERMILLE: u128 = 1_000;

/// An amount of USDC in millionths. BCS: `u64` little-endian.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct MicroUsdc(pub u64);

impl MicroUsdc {
    /// An amount of zero.
    pub const ZERO: Self = Self(0);

    /// `self + other`, or `None` past `u64::MAX`.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `self - other`, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// `ceil(self * permille / 1000)`, at most `self`: what a guilty party loses of it.
    #[must_use]
    pub fn permille_up(self, permille: u64) -> Self {
        let share = (u128::from(self.0) * u128::from(permille)).div_ceil(PERMILLE);
        Self(u64::try_from(share).map_or(self.0, |share| share.min(self.0)))
    }

    /// The largest amount of which these thousandths are no more than this: `floor((self * 1000 + 999) / permille)`, at most
    /// `u64::MAX`. Of no thousandths any amount.
    #[must_use]
    pub fn stood_for(self, permille: u64) -> Self {
        let thousandfold = u128::from(self.0) * PERMILLE + PERMILLE - 1;
        let amount = thousandfold.checked_div(u128::from(permille));
        Self(amount.map_or(u64::MAX, |amount| u64::try_from(amount).unwrap_or(u64::MAX)))
    }

    /// `floor(self * permille / 1000)`, a share in thousandths; `None` past `u64::MAX`.
    #[must_use]
    pub fn permille(self, permille: u64) -> Option<Self> {
        let share = u128::from(self.0) * u128::from(permille) / PERMILLE;
        u64::try_from(share).ok().map(Self)
    }
}

impl fmt::Display for MicroUsdc {
    /// `12.50 USDC`: the decimals that are needed, two at least.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fraction = format!("{:06}", self.0 % 1_000_000);
        let needed = fraction.trim_end_matches('0').len().max(2);
        write!(f, "{}.{} USDC", self.0 / 1_000_000, &fraction[..needed])
    }
}

impl Sum for MicroUsdc {
    /// Saturates: for reports only, never for balances.
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        Self(iter.fold(0, |total, amount| total.saturating_add(amount.0)))
    }
}

/// Micro-USDC per million compute units. BCS: `u64` little-endian.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Price(pub u64);

impl Price {
    /// What `units` cost: `floor(units * price / 1_000_000)`; `None` past `u64::MAX`.
    ///
    /// The floor favours the payer. For amounts `u_i` at prices `p_i <= p` it holds that
    /// `sum(cost(u_i, p_i)) <= cost(sum(u_i), p)`, so an escrow at the highest price always covers
    /// what its leases can claim.
    #[must_use]
    pub fn cost(self, units: ComputeUnits) -> Option<MicroUsdc> {
        let cost = u128::from(units.0) * u128::from(self.0) / UNITS_PER_PRICE;
        u64::try_from(cost).ok().map(MicroUsdc)
    }

    /// The fewest units that cost at least `worth`.
    #[must_use]
    pub fn units_for(self, worth: MicroUsdc) -> ComputeUnits {
        let units = (u128::from(worth.0) * UNITS_PER_PRICE).div_ceil(u128::from(self.0.max(1)));
        ComputeUnits(u64::try_from(units).unwrap_or(u64::MAX))
    }

    /// The most units that cost no more than `amount`, give or take a fraction of a micro-USDC in the
    /// payer's favour.
    #[must_use]
    pub fn affords(self, amount: MicroUsdc) -> ComputeUnits {
        let units = u128::from(amount.0) * UNITS_PER_PRICE / u128::from(self.0.max(1));
        ComputeUnits(u64::try_from(units).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per million units", MicroUsdc(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_guilty_lose_rounds_up_and_is_capped() {
        assert_eq!(MicroUsdc(999).permille_up(1), MicroUsdc(1));
        assert_eq!(MicroUsdc(999).permille_up(0), MicroUsdc(0));
        assert_eq!(MicroUsdc(0).permille_up(1_000), MicroUsdc(0));
        assert_eq!(MicroUsdc(7).permille_up(1_001), MicroUsdc(7));
        assert_eq!(
            MicroUsdc(u64::MAX).permille_up(u64::MAX),
            MicroUsdc(u64::MAX)
        );
    }

    #[test]
    fn cost_rounds_down_and_never_wraps() {
        assert_eq!(Price(3).cost(ComputeUnits(333_333)), Some(MicroUsdc(0)));
        assert_eq!(Price(3).cost(ComputeUnits(333_334)), Some(MicroUsdc(1)));
        assert_eq!(Price(u64::MAX).cost(ComputeUnits(u64::MAX)), None);
        assert_eq!(
            Price(1_000_000).cost(ComputeUnits(u64::MAX)),
            Some(MicroUsdc(u64::MAX))
        );
    }

    #[test]
    fn units_for_an_amount_and_back() {
        for (price, amount) in [(3, 1), (2_000_000, 1_000), (7_000_001, 5), (1, 9)] {
            let (price, amount) = (Price(price), MicroUsdc(amount));
            let least = price.units_for(amount);
            assert!(price.cost(least).unwrap() >= amount);
            assert!(price.cost(ComputeUnits(least.0 - 1)).unwrap() < amount);
            assert!(price.cost(price.affords(amount)).unwrap() <= amount);
        }
        assert_eq!(Price(1).units_for(MicroUsdc(u64::MAX)).0, u64::MAX);
    }

    #[test]
    fn shown_in_usdc() {
        assert_eq!(MicroUsdc(1_020_003).to_string(), "1.020003 USDC");
        assert_eq!(MicroUsdc(12_500_000).to_string(), "12.50 USDC");
    }

    proptest! {
        #[test]
        fn an_escrow_covers_its_parts(
            price in 0..u64::from(u32::MAX),
            parts in proptest::collection::vec((0..u64::from(u32::MAX), 0..=1000u64), 0..20),
        ) {
            let total: u64 = parts.iter().map(|(units, _)| units).sum();
            let escrow = Price(price).cost(ComputeUnits(total)).unwrap();
            let paid: u64 = parts
                .iter()
                .map(|&(units, share)| Price(price * share / 1000).cost(ComputeUnits(units)).unwrap().0)
                .sum();
            prop_assert!(paid <= escrow.0);
        }
    }
}
