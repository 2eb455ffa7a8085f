//! What pays for gas: coins as long as they are ample, else the payer's address balance.
//!
//! Coins come first, because a transaction with a gas coin can be executed once, whatever its expiration. Where an
//! address balance pays, only the expiration and the digests that the ledger remembers see to that.

use crate::{
    Amount, ExecuteError,
    coin::{Coin, MAX_GAS_COINS, total},
};
use atoma_types::Address;

/// Gas coins that hold as much as this, in MIST (10 SUI), pay for any transaction of ours. With less, the
/// address balance is looked at as well.
pub(crate) const AMPLE: u64 = 10_000_000_000;

/// The SUI that a transaction takes in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GasFunds {
    /// What pays; nothing where the address balance does.
    pub(crate) coins: Vec<Coin>,
    /// Coins more than pay for gas, for what is taken out beside it.
    pub(crate) merged: Vec<Coin>,
    /// So much of the address balance for the same.
    pub(crate) withdrawn: u64,
    /// The highest budget that this allows.
    pub(crate) most: u64,
}

/// What a transaction needs of SUI, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    pub(crate) payer: Address,
    /// Whether the payer sends as well: only a sender's coins and balance can be taken out of.
    pub(crate) is_sender: bool,
    /// What any transaction costs at least.
    pub(crate) gas: u64,
    /// What is taken out beside gas.
    pub(crate) taken: u64,
}

/// Coins (the largest first) or the address balance, whichever allows the higher budget.
pub(crate) fn choose(coins: &[Coin], balance: u64, need: Need) -> Result<GasFunds, ExecuteError> {
    let paying = coins.len().min(MAX_GAS_COINS);
    let (paying, others) = coins.split_at(paying);
    let held = total(paying);
    let mut by_coins = GasFunds {
        coins: paying.to_vec(),
        ..GasFunds::default()
    };
    let mut reach = held;
    if need.is_sender && need.taken > 0 && reach < need.taken.saturating_add(AMPLE) {
        by_coins.merged = others.iter().take(MAX_GAS_COINS).cloned().collect();
        by_coins.withdrawn = balance.min(need.taken);
        let more = total(&by_coins.merged).saturating_add(by_coins.withdrawn);
        reach = reach.saturating_add(more);
    }
    by_coins.most = held.min(reach.saturating_sub(need.taken));
    let by_balance = GasFunds {
        withdrawn: need.taken,
        most: if need.is_sender || need.taken == 0 {
            balance.saturating_sub(need.taken)
        } else {
            0
        },
        ..GasFunds::default()
    };
    let better = if by_coins.most >= by_balance.most.min(AMPLE) {
        by_coins
    } else {
        by_balance
    };
    if better.most < need.gas {
        return Err(ExecuteError::InsufficientFunds {
            owner: need.payer,
            needed: Amount::Sui(need.taken.saturating_add(need.gas)),
            available: Amount::Sui(if need.is_sender {
                reach.max(balance)
            } else {
                held
            }),
        });
    }
    Ok(better)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sui_sdk_types::Digest;

    const SUI: u64 = 1_000_000_000;

    fn coins(balances: &[u64]) -> Vec<Coin> {
        let coin = |(n, &balance): (u8, &u64)| Coin {
            id: Address::new([n; 32]),
            version: 1,
            digest: Digest::ZERO,
            balance,
        };
        (0..).zip(balances).map(coin).collect()
    }

    fn need(taken: u64) -> Need {
        Need {
            payer: Address::ZERO,
            is_sender: true,
            gas: SUI / 1_000,
            taken,
        }
    }

    #[test]
    fn ample_coins_pay_and_a_balance_does_where_it_has_more() {
        let ample = choose(&coins(&[10 * SUI]), 100 * SUI, need(0)).unwrap();
        assert_eq!((ample.coins.len(), ample.most), (1, 10 * SUI));
        let scarce = choose(&coins(&[SUI]), 5 * SUI, need(0)).unwrap();
        assert_eq!((scarce.coins.len(), scarce.most), (0, 5 * SUI));
        let none = choose(&[], 5 * SUI, need(0)).unwrap();
        assert_eq!((none.coins.len(), none.withdrawn), (0, 0));
        assert!(choose(&coins(&[5]), 5, need(0)).is_err());
    }

    #[test]
    fn what_is_taken_out_comes_from_both() {
        let both = choose(&coins(&[SUI]), 5 * SUI, need(4 * SUI)).unwrap();
        // of the balance 1 SUI is left for gas, as the coin has it
        assert_eq!((both.coins.len(), both.withdrawn), (1, 4 * SUI));
        assert_eq!(both.most, SUI);
        let balance = choose(&[], 5 * SUI, need(4 * SUI)).unwrap();
        assert_eq!((balance.withdrawn, balance.most), (4 * SUI, SUI));
        assert!(choose(&[], 5 * SUI, need(5 * SUI)).is_err());
        // a sponsor's balance can't be taken out of
        let sponsored = Need {
            is_sender: false,
            ..need(SUI)
        };
        assert!(choose(&[], 5 * SUI, sponsored).is_err());
        assert!(choose(&coins(&[3 * SUI]), 0, sponsored).is_ok());
    }
}
