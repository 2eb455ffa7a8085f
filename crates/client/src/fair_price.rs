//! What a unit of a task is worth where nobody says: the price below which half of the money stands that is at stake
//! for it. Pure.
//!
//! A task's ceiling is its owner's word, and the dearest listed price any node's; neither may be what a user pays. The
//! median weighted by collateral moves only with money: whoever wants it higher has to lock as much as all others
//! who ask less.

use crate::Offer;
use atoma_types::{MicroUsdc, Price};

/// The median of listed prices, each weighted by the collateral of the node that asks it: the smallest price such that
/// nodes that ask no more have over half of all collateral. Where none has any, each counts the same. `None` if
/// nothing is listed.
#[must_use]
pub fn median(listed: impl IntoIterator<Item = (Price, MicroUsdc)>) -> Option<Price> {
    let mut listed: Vec<(Price, u128)> = listed
        .into_iter()
        .map(|(price, collateral)| (price, u128::from(collateral.0)))
        .collect();
    if listed.iter().all(|(_, weight)| *weight == 0) {
        listed.iter_mut().for_each(|(_, weight)| *weight = 1);
    }
    listed.sort_unstable();
    let total: u128 = listed.iter().map(|(_, weight)| weight).sum();
    let mut below = 0;
    listed.into_iter().find_map(|(price, weight)| {
        below += weight;
        (2 * below > total).then_some(price)
    })
}

/// The same of the nodes that take new leases now: the price that whoever names none signs at most.
#[must_use]
pub fn of(offers: &[Offer]) -> Option<Price> {
    median(offers.iter().map(|offer| (offer.price, offer.matured)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(listed: &[(u64, u64)]) -> Option<u64> {
        let listed = listed.iter();
        let listed = listed.map(|&(price, weight)| (Price(price), MicroUsdc(weight)));
        median(listed).map(|price| price.0)
    }

    #[test]
    fn half_of_the_collateral_asks_no_more() {
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&[(7, 1)]), Some(7));
        assert_eq!(asked(&[(3, 1), (1, 1), (2, 1)]), Some(2));
        assert_eq!(
            asked(&[(1, 5), (9, 5)]),
            Some(9),
            "of two alike both are used"
        );
        assert_eq!(asked(&[(1, 6), (9, 5)]), Some(1));
        assert_eq!(asked(&[(1, 0), (9, 0), (4, 0)]), Some(4));
        assert_eq!(
            asked(&[(1, u64::MAX), (2, u64::MAX), (3, u64::MAX)]),
            Some(2)
        );
    }

    #[test]
    fn names_without_money_move_nothing() {
        let mut listed = vec![(10, 100), (12, 100), (14, 100)];
        assert_eq!(asked(&listed), Some(12));
        listed.extend((0..50).map(|_| (1_000, 1)));
        assert_eq!(asked(&listed), Some(12));
        listed.extend((0..50).map(|_| (1, 1)));
        assert_eq!(asked(&listed), Some(12));
    }

    proptest! {
        #[test]
        fn it_is_listed_and_splitting_a_wallet_changes_nothing(
            listed in prop::collection::vec((1u64..100, 1u64..1_000), 1..20), which in any::<prop::sample::Index>(),
        ) {
            let found = asked(&listed).unwrap();
            prop_assert!(listed.iter().any(|(price, _)| *price == found));
            let mut split = listed.clone();
            let place = which.index(listed.len());
            let (price, weight) = split[place];
            split[place].1 = weight / 2;
            split.push((price, weight - weight / 2));
            prop_assert_eq!(asked(&split), Some(found));
        }
    }
}
