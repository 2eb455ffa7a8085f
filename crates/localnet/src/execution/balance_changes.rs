//! What clients are told of money: how much each address gained or lost of each kind.

use crate::{balances::Moves, objects::as_coin};
use atoma_types::{Address, ObjectId};
use std::{collections::BTreeMap, sync::Arc};
use sui_sdk_types::{BalanceChange, Object, Owner, TypeTag};

/// How much each address gained or lost of each kind of money, in coins and in its balance together.
pub(super) fn balance_changes(
    old: &BTreeMap<ObjectId, Arc<Object>>,
    written: &[Arc<Object>],
    deleted: &[ObjectId],
    moves: &Moves,
) -> Vec<BalanceChange> {
    let mut sums: BTreeMap<(Address, TypeTag), i128> = BTreeMap::new();
    let mut add = |object: &Object, sign: i128| {
        if let (Some((coin_type, balance)), Owner::Address(owner)) =
            (as_coin(object), *object.owner())
        {
            *sums.entry((owner, coin_type.clone())).or_default() += sign * i128::from(balance);
        }
    };
    for object in written {
        add(object, 1);
        if let Some(before) = old.get(&object.object_id()) {
            add(before, -1);
        }
    }
    for id in deleted {
        if let Some(before) = old.get(id) {
            add(before, -1);
        }
    }
    for (owner, coin_type, amount) in moves.iter() {
        *sums.entry((*owner, coin_type.clone())).or_default() += amount;
    }
    sums.into_iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|((address, coin_type), amount)| BalanceChange {
            address,
            coin_type,
            amount,
        })
        .collect()
}
