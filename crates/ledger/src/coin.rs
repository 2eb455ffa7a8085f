//! Choosing coins: for gas, and for payments of exact amounts.

use atoma_types::ObjectId;
use sui_sdk_types::Digest;

/// Sui takes this many gas coins in one transaction; more than enough for payments too.
const MAX_COINS: usize = 256;
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

/// Coins that reach `amount`, largest first, and a few of the smallest with them. `Err` has what
/// there is.
pub(crate) fn select(coins: &[Coin], amount: u64) -> Result<Vec<Coin>, u64> {
    let mut sum = 0u64;
    let mut chosen = 0;
    for coin in coins.iter().take(MAX_COINS) {
        sum = sum.saturating_add(coin.balance);
        chosen += 1;
        if sum >= amount {
            let rest = coins.len() - chosen;
            let swept = rest.min(SWEPT).min(MAX_COINS - chosen);
            let mut selected = coins[..chosen].to_vec();
            selected.extend_from_slice(&coins[coins.len() - swept..]);
            return Ok(selected);
        }
    }
    Err(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    fn coins(balances: &[u64]) -> Vec<Coin> {
        let coin = |(place, &balance): (usize, &u64)| Coin {
            id: Address::new([u8::try_from(place).unwrap(); 32]),
            version: 1,
            digest: Digest::ZERO,
            balance,
        };
        balances.iter().enumerate().map(coin).collect()
    }

    fn balances(coins: &[Coin]) -> Vec<u64> {
        coins.iter().map(|coin| coin.balance).collect()
    }

    #[test]
    fn enough_coins_and_no_coin_twice() {
        let selected = select(&coins(&[50, 30, 20, 5]), 60).unwrap();
        assert_eq!(balances(&selected), [50, 30, 20, 5]);
        let many = coins(&[9; 40]);
        assert_eq!(select(&many, 9).unwrap().len(), 1 + SWEPT);
        assert_eq!(select(&many, 9 * 40).unwrap().len(), 40);
        assert_eq!(select(&coins(&[5, 4]), 10), Err(9));
        assert_eq!(select(&[], 1), Err(0));
    }
}
