//! Payments of exact amounts within a transaction: coins merged and split, money taken out of an address balance.

use crate::{
    BuildError,
    coin::{Coin, Funds, MAX_MERGED, total},
};
use atoma_types::Address;
use sui_sdk_types::{Identifier, TypeTag};
use sui_transaction_builder::{Argument, Function, ObjectInput, TransactionBuilder};

/// One coin of each amount. Where the money comes out even, the last payment takes what is left instead of
/// leaving an empty coin behind.
pub(crate) fn split(
    builder: &mut TransactionBuilder,
    amounts: &[u64],
    funds: &Funds,
    kind: &TypeTag,
) -> Result<Vec<Argument>, BuildError> {
    let Some((_, all_but_last)) = amounts.split_last() else {
        return Ok(Vec::new());
    };
    let needed = amounts
        .iter()
        .try_fold(0u64, |sum, amount| sum.checked_add(*amount))
        .ok_or(BuildError::Overflow)?;
    let available = total(&funds.coins)
        .checked_add(funds.balance)
        .ok_or(BuildError::Overflow)?;
    if available < needed {
        return Err(BuildError::NoCoin);
    }
    let source = match gather(builder, &funds.coins) {
        Some(coin) => {
            withdraw_into(builder, coin, funds.balance, kind);
            coin
        }
        None if funds.balance > 0 => builder.funds_withdrawal_coin(kind.clone(), funds.balance),
        None => empty_coin(builder, kind),
    };
    let whole = needed == available;
    let parts = if whole { all_but_last } else { amounts };
    let mut payments = Vec::with_capacity(amounts.len());
    if !parts.is_empty() {
        let parts = parts.iter().map(|amount| builder.pure(amount)).collect();
        payments = builder.split_coins(source, parts);
    }
    if whole {
        payments.push(source);
    }
    Ok(payments)
}

/// All coins in the first one.
pub(crate) fn gather(builder: &mut TransactionBuilder, coins: &[Coin]) -> Option<Argument> {
    let (first, others) = coins.split_first()?;
    let first = builder.object(owned(first));
    merge_into(builder, first, others);
    Some(first)
}

/// Coins into another one.
pub(crate) fn merge_into(builder: &mut TransactionBuilder, into: Argument, coins: &[Coin]) {
    for some in coins.chunks(MAX_MERGED) {
        let some = some.iter().map(|coin| builder.object(owned(coin)));
        let some = some.collect();
        builder.merge_coins(into, some);
    }
}

/// So much of the sender's address balance into a coin.
pub(crate) fn withdraw_into(
    builder: &mut TransactionBuilder,
    into: Argument,
    amount: u64,
    kind: &TypeTag,
) {
    if amount > 0 {
        let withdrawn = builder.funds_withdrawal_coin(kind.clone(), amount);
        builder.merge_coins(into, vec![withdrawn]);
    }
}

fn empty_coin(builder: &mut TransactionBuilder, kind: &TypeTag) -> Argument {
    let zero = Function::new(
        Address::TWO,
        Identifier::from_static("coin"),
        Identifier::from_static("zero"),
    );
    builder.move_call(zero.with_type_args(vec![kind.clone()]), Vec::new())
}

/// A coin, or another object of the sender's, as an input.
pub(crate) fn owned(coin: &Coin) -> ObjectInput {
    ObjectInput::owned(coin.id, coin.version, coin.digest)
}
