//! Choosing coins: for gas, and for payments of exact amounts.

use crate::{Ledger, LedgerError, read::mask, wallet::Wallet};
use atoma_types::{Address, ObjectId};
use futures::TryStreamExt;
use std::cmp::Reverse;
use sui_rpc::proto::sui::rpc::v2::{self as proto, ListOwnedObjectsRequest};
use sui_sdk_types::{Digest, StructTag, TypeTag};

/// Sui takes this many gas coins in one transaction; more than enough for payments too.
const MAX_COINS: usize = 256;
/// Small coins that a payment sweeps up on its way, so that refunds don't pile up.
const SWEPT: usize = 16;
/// Coins in one page.
const PAGE: u32 = 500;

const COIN_FIELDS: &[&str] = &["object_id", "version", "digest", "owner", "balance"];

/// A coin as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) id: ObjectId,
    pub(crate) version: u64,
    pub(crate) digest: Digest,
    pub(crate) balance: u64,
}

impl Ledger {
    /// The coins of one type that a wallet owns, largest first.
    pub(crate) async fn coins(
        &self,
        owner: Address,
        coin_type: &TypeTag,
        wallet: &mut Wallet,
    ) -> Result<Vec<Coin>, LedgerError> {
        let request = ListOwnedObjectsRequest::default()
            .with_owner(owner.to_string())
            .with_object_type(StructTag::coin(coin_type.clone()).to_string())
            .with_page_size(PAGE)
            .with_read_mask(mask(COIN_FIELDS));
        let listed: Vec<proto::Object> = self
            .inner
            .client
            .list_owned_objects(request)
            .try_collect()
            .await
            .map_err(|status| self.refused(&status))?;
        let mut coins = listed.iter().map(coin).collect::<Result<Vec<_>, _>>()?;
        let behind = wallet.retain_current(&mut coins);
        if !behind.is_empty() {
            let fresh = self.objects(&behind, COIN_FIELDS).await?;
            for object in fresh.iter().filter(|object| is_owned_by(object, owner)) {
                coins.push(coin(object)?);
            }
        }
        wallet.retain_own(&mut coins);
        coins.sort_by_key(|coin| (Reverse(coin.balance), coin.id));
        Ok(coins)
    }

    /// Objects of whatever type that the wallet owns, as a transaction must name them.
    pub(crate) async fn owned_objects(&self, ids: &[ObjectId]) -> Result<Vec<Coin>, LedgerError> {
        let objects = self.objects(ids, COIN_FIELDS).await?;
        objects.iter().map(coin).collect()
    }

    /// The versions that objects have now; those that are gone are left out.
    pub(crate) async fn versions(
        &self,
        ids: &[ObjectId],
    ) -> Result<Vec<(ObjectId, u64)>, LedgerError> {
        let objects = self.objects(ids, &["object_id", "version"]).await?;
        objects
            .iter()
            .map(|object| Ok((parse_id(object)?, object.version())))
            .collect()
    }
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

fn coin(object: &proto::Object) -> Result<Coin, LedgerError> {
    Ok(Coin {
        id: parse_id(object)?,
        version: object.version(),
        digest: object
            .digest()
            .parse()
            .map_err(|e| LedgerError::Malformed(format!("coin digest: {e}")))?,
        balance: object.balance(),
    })
}

fn parse_id(object: &proto::Object) -> Result<ObjectId, LedgerError> {
    object
        .object_id()
        .parse()
        .map_err(|e| LedgerError::Malformed(format!("object id: {e}")))
}

fn is_owned_by(object: &proto::Object, owner: Address) -> bool {
    object.owner().address().parse() == Ok(owner)
}

#[cfg(test)]
mod tests {
    use super::*;

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
