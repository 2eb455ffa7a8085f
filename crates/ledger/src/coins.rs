//! Reading the coins and other objects that a wallet owns.

use crate::{Connection, ReadError, coin::Coin, malformed::parse, mask::mask, wallet::Wallet};
use atoma_types::{Address, ObjectId};
use futures::TryStreamExt;
use std::cmp::Reverse;
use sui_rpc::proto::sui::rpc::v2::{self as proto, ListOwnedObjectsRequest};
use sui_sdk_types::{StructTag, TypeTag};

/// Coins in one page.
const PAGE: u32 = 500;

const COIN_FIELDS: &[&str] = &["object_id", "version", "digest", "owner", "balance"];

impl Connection {
    /// The coins of one type that a wallet owns, largest first.
    pub(crate) async fn coins(
        &self,
        owner: Address,
        coin_type: &TypeTag,
        wallet: &mut Wallet,
    ) -> Result<Vec<Coin>, ReadError> {
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
            let fresh = self.inner.objects(&behind, COIN_FIELDS).await?;
            for object in fresh.iter().filter(|object| is_owned_by(object, owner)) {
                coins.push(coin(object)?);
            }
        }
        wallet.retain_own(&mut coins);
        coins.sort_by_key(|coin| (Reverse(coin.balance), coin.id));
        Ok(coins)
    }

    /// Objects of whatever type that the wallet owns, as a transaction must name them.
    pub(crate) async fn owned_objects(&self, ids: &[ObjectId]) -> Result<Vec<Coin>, ReadError> {
        let objects = self.inner.objects(ids, COIN_FIELDS).await?;
        objects.iter().map(coin).collect()
    }

    /// The versions that objects have now; those that are gone are left out.
    pub(crate) async fn versions(
        &self,
        ids: &[ObjectId],
    ) -> Result<Vec<(ObjectId, u64)>, ReadError> {
        let objects = self.inner.objects(ids, &["object_id", "version"]).await?;
        objects
            .iter()
            .map(|object| Ok((parse_id(object)?, object.version())))
            .collect()
    }
}

fn coin(object: &proto::Object) -> Result<Coin, ReadError> {
    Ok(Coin {
        id: parse_id(object)?,
        version: object.version(),
        digest: parse("coin's digest", object.digest())?,
        balance: object.balance(),
    })
}

fn parse_id(object: &proto::Object) -> Result<ObjectId, ReadError> {
    Ok(parse("object id", object.object_id())?)
}

fn is_owned_by(object: &proto::Object, owner: Address) -> bool {
    object.owner().address().parse() == Ok(owner)
}
