//! Coins in a program's hands: split, merged, given away, made and used up.

use super::{
    Program,
    slots::{Slot, bad},
};
use atoma_types::{Address, ObjectId};
use sui_sdk_types::{
    Argument, CommandArgumentError, ExecutionError, MergeCoins, SplitCoins, TransferObjects,
    TypeTag,
};

/// How a program names a coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CoinKey {
    /// One that is stored.
    Existing(ObjectId),
    /// One that this transaction makes.
    New(usize),
}

/// A coin while the program runs.
#[derive(Clone, Debug)]
pub(crate) struct Coin {
    pub(crate) coin_type: TypeTag,
    pub(crate) balance: u64,
    /// Who gets it; for stored coins who has it unless it was moved. None for a coin still in the
    /// program's hands.
    pub(crate) owner: Option<Address>,
}

impl Program<'_> {
    pub(super) fn balance_mut(&mut self, key: CoinKey) -> Result<&mut u64, ExecutionError> {
        self.coins
            .get_mut(&key)
            .map(|coin| &mut coin.balance)
            .ok_or(ExecutionError::InvariantViolation)
    }

    /// A new coin in the program's hands.
    pub(super) fn make(&mut self, coin_type: TypeTag, balance: u64) -> Slot {
        let key = CoinKey::New(self.made);
        self.made += 1;
        let coin = Coin {
            coin_type,
            balance,
            owner: None,
        };
        self.coins.insert(key, coin);
        Slot::Coin(key)
    }

    /// Takes a coin out of the world; returns what it held.
    pub(super) fn consume(&mut self, key: CoinKey) -> Result<Coin, ExecutionError> {
        if let CoinKey::Existing(id) = key {
            self.spent.push(id);
        }
        self.coins
            .remove(&key)
            .ok_or(ExecutionError::InvariantViolation)
    }

    pub(super) fn split(&mut self, split: &SplitCoins) -> Result<Vec<Slot>, ExecutionError> {
        let key = self.coin(0, split.coin)?;
        let mut parts = Vec::with_capacity(split.amounts.len());
        for (index, argument) in split.amounts.iter().enumerate() {
            let amount: u64 = self.pure(index + 1, *argument)?;
            let balance = self.balance_mut(key)?;
            *balance = balance
                .checked_sub(amount)
                .ok_or(ExecutionError::InsufficientCoinBalance)?;
            let coin_type = self.type_of(key)?;
            parts.push(self.make(coin_type, amount));
        }
        Ok(parts)
    }

    pub(super) fn type_of(&self, key: CoinKey) -> Result<TypeTag, ExecutionError> {
        self.coins
            .get(&key)
            .map(|coin| coin.coin_type.clone())
            .ok_or(ExecutionError::InvariantViolation)
    }

    pub(super) fn merge(&mut self, merge: &MergeCoins) -> Result<(), ExecutionError> {
        let into = self.coin(0, merge.coin)?;
        let coin_type = self.type_of(into)?;
        for (index, argument) in merge.coins_to_merge.iter().enumerate() {
            if *argument == Argument::Gas {
                return Err(bad(index + 1, CommandArgumentError::InvalidGasCoinUsage));
            }
            let key = self.coin(index + 1, *argument)?;
            if key == into {
                return Err(bad(index + 1, CommandArgumentError::InvalidValueUsage));
            }
            if self.type_of(key)? != coin_type {
                return Err(bad(index + 1, CommandArgumentError::TypeMismatch));
            }
            self.take(index + 1, *argument)?;
            let more = self.consume(key)?.balance;
            let balance = self.balance_mut(into)?;
            *balance = balance
                .checked_add(more)
                .ok_or(ExecutionError::CoinBalanceOverflow)?;
        }
        Ok(())
    }

    pub(super) fn transfer(&mut self, transfer: &TransferObjects) -> Result<(), ExecutionError> {
        let to: Address = self.pure(transfer.objects.len(), transfer.address)?;
        for (index, argument) in transfer.objects.iter().enumerate() {
            match self.take(index, *argument)? {
                Slot::Coin(key) => {
                    let coin = self
                        .coins
                        .get_mut(&key)
                        .ok_or(ExecutionError::InvariantViolation)?;
                    coin.owner = Some(to);
                }
                Slot::Owned(id) => {
                    let object = self.state.object(&id).and_then(|o| o.as_struct());
                    if !object.is_some_and(|data| data.has_public_transfer()) {
                        return Err(ExecutionError::InvalidTransferObject);
                    }
                    self.given.insert(id, to);
                }
                Slot::UpgradeCap => {
                    let publication = self.publication.as_mut();
                    publication.ok_or(ExecutionError::InvariantViolation)?.owner = Some(to);
                }
                _ => return Err(bad(index, CommandArgumentError::TypeMismatch)),
            }
        }
        Ok(())
    }
}
