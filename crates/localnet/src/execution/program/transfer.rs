//! The commands that move coins and other objects.

use super::{
    Program,
    slots::{Slot, bad},
};
use atoma_types::Address;
use sui_sdk_types::{
    Argument, CommandArgumentError, ExecutionError, MergeCoins, SplitCoins, TransferObjects,
};

impl Program<'_> {
    pub(super) fn split(&mut self, split: &SplitCoins) -> Result<Vec<Slot>, ExecutionError> {
        let key = self.slots.coin(0, split.coin)?;
        let mut parts = Vec::with_capacity(split.amounts.len());
        for (index, argument) in split.amounts.iter().enumerate() {
            let amount: u64 = self.slots.pure(index + 1, *argument)?;
            let balance = self.coins.balance_mut(key)?;
            *balance = balance
                .checked_sub(amount)
                .ok_or(ExecutionError::InsufficientCoinBalance)?;
            let coin_type = self.coins.type_of(key)?;
            parts.push(Slot::Coin(self.coins.make(coin_type, amount)));
        }
        Ok(parts)
    }

    pub(super) fn merge(&mut self, merge: &MergeCoins) -> Result<(), ExecutionError> {
        let into = self.slots.coin(0, merge.coin)?;
        let coin_type = self.coins.type_of(into)?;
        for (index, argument) in merge.coins_to_merge.iter().enumerate() {
            if *argument == Argument::Gas {
                return Err(bad(index + 1, CommandArgumentError::InvalidGasCoinUsage));
            }
            let key = self.slots.coin(index + 1, *argument)?;
            if key == into {
                return Err(bad(index + 1, CommandArgumentError::InvalidValueUsage));
            }
            if self.coins.type_of(key)? != coin_type {
                return Err(bad(index + 1, CommandArgumentError::TypeMismatch));
            }
            self.slots.take(index + 1, *argument)?;
            let more = self.coins.consume(key)?.balance;
            let balance = self.coins.balance_mut(into)?;
            *balance = balance
                .checked_add(more)
                .ok_or(ExecutionError::CoinBalanceOverflow)?;
        }
        Ok(())
    }

    pub(super) fn transfer(&mut self, transfer: &TransferObjects) -> Result<(), ExecutionError> {
        let to: Address = self.slots.pure(transfer.objects.len(), transfer.address)?;
        for (index, argument) in transfer.objects.iter().enumerate() {
            match self.slots.take(index, *argument)? {
                Slot::Coin(key) => {
                    self.coins.give(key, to)?;
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
