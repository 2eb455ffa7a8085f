//! Choosing coins: for gas, and for payments of exact amounts, within what one transaction takes.

use atoma_types::ObjectId;
use sui_sdk_types::Digest;

/// Gas coins in one transaction: Sui takes 256, and took one less before it counted right.
pub(crate) const MAX_GAS_COINS: usize = 255;
/// Other coins in one transaction. Sui takes 2,048 objects and 128 KiB; a coin takes 74 bytes, so that these and all
/// gas coins leave a quarter of it to the rest.
const MAX_COINS: usize = 1_000;
/// Coins that one command merges into another; Sui takes 512 arguments.
pub(crate) const MAX_MERGED: usize = 500;
/// Small coins that a payment sweeps up on its way, so that refunds don't pile up.
const SWEPT: usize = 16;

/// A coin as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) id: ObjectId,
    pub(crate) version: u64,
    pub(crate) digest: Digest,
    pub(crate) balance: u64,
}

/// Money of one kind that a transaction takes in: coins, and so much of the owner's address balance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Funds {
    pub(crate) coins: Vec<Coin>,
    pub(crate) balance: u64,
}

/// How an amount is paid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// By these coins alone, or with the rest out of the address balance.
    Enough(Funds),
    /// Not by one transaction: these coins, the largest, must be merged into one first.
    Scattered(Vec<Coin>),
    /// Not at all; this is what there is.
    Short(u64),
}

/// Coins that reach `amount`, largest first, and a few of the smallest with them. Where they don't reach, the
/// address balance gives the rest: coins come first, because merging them is what keeps them few.
pub(crate) fn select(coins: &[Coin], balance: u64, amount: u64) -> Selection {
    let mut sum = 0u64;
    let mut chosen = 0;
    while sum < amount && chosen < coins.len().min(MAX_COINS) {
        sum = sum.saturating_add(coins[chosen].balance);
        chosen += 1;
    }
    let missing = amount.saturating_sub(sum);
    if missing > balance {
        let all = total(coins).saturating_add(balance);
        return if all >= amount {
            Selection::Scattered(coins[..chosen].to_vec())
        } else {
            Selection::Short(all)
        };
    }
    // a payment of nothing needs no coin of its own, but splits one where there is one
    chosen = chosen.max(usize::from(!coins.is_empty()));
    let rest = coins.len() - chosen;
    let swept = rest.min(SWEPT).min(MAX_COINS - chosen);
    let mut selected = coins[..chosen].to_vec();
    selected.extend_from_slice(&coins[coins.len() - swept..]);
    // swept coins are small change, and the balance need not give what they do
    let missing = amount.saturating_sub(total(&selected));
    Selection::Enough(Funds {
        coins: selected,
        balance: missing,
    })
}

/// What coins hold together. The whole supply of any coin fits.
pub(crate) fn total(coins: &[Coin]) -> u64 {
    let balances = coins.iter().map(|coin| coin.balance);
    balances.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    fn coins(balances: &[u64]) -> Vec<Coin> {
        let coin = |(place, &balance): (u64, &u64)| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&place.to_le_bytes());
            Coin {
                id: Address::new(id),
                version: 1,
                digest: Digest::ZERO,
                balance,
            }
        };
        (0..).zip(balances).map(coin).collect()
    }

    /// The balances of the coins chosen, and what comes out of the address balance.
    fn chosen(of: &[u64], balance: u64, amount: u64) -> (Vec<u64>, u64) {
        match select(&coins(of), balance, amount) {
            Selection::Enough(funds) => {
                let coins = funds.coins.iter().map(|coin| coin.balance);
                (coins.collect(), funds.balance)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn enough_coins_and_no_coin_twice() {
        assert_eq!(chosen(&[50, 30, 20, 5], 0, 60).0, [50, 30, 20, 5]);
        assert_eq!(chosen(&[9; 40], 0, 9).0.len(), 1 + SWEPT);
        assert_eq!(chosen(&[9; 40], 0, 9 * 40).0.len(), 40);
        assert_eq!(select(&coins(&[5, 4]), 0, 10), Selection::Short(9));
        assert_eq!(select(&[], 0, 1), Selection::Short(0));
        assert_eq!(chosen(&[], 0, 0), (vec![], 0));
        assert_eq!(chosen(&[3], 0, 0), (vec![3], 0));
    }

    #[test]
    fn the_address_balance_gives_what_coins_lack() {
        assert_eq!(chosen(&[50, 30], 100, 60), (vec![50, 30], 0));
        assert_eq!(chosen(&[50, 30], 100, 85), (vec![50, 30], 5));
        assert_eq!(chosen(&[], 100, 100), (vec![], 100));
        assert_eq!(select(&coins(&[50]), 9, 60), Selection::Short(59));
    }

    #[test]
    fn three_hundred_coins_are_one_payment_and_thousands_are_merged_first() {
        let (used, from_balance) = chosen(&[1; 300], 0, 280);
        assert_eq!((used.len(), from_balance), (280 + SWEPT, 0));
        assert_eq!(chosen(&[1; MAX_COINS], 0, 1_000).0.len(), MAX_COINS);
        let scattered = select(&coins(&[1; 1_200]), 0, 1_100);
        assert!(matches!(scattered, Selection::Scattered(first) if first.len() == MAX_COINS));
        // an address balance that reaches spares the merging
        assert_eq!(chosen(&[1; 1_200], 100, 1_100).1, 100);
        assert_eq!(
            select(&coins(&[1; 1_200]), 0, 1_201),
            Selection::Short(1_200)
        );
    }
}
