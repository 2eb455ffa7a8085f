//! Coins while a program runs: made, changed, used up.

use atoma_types::{Address, ObjectId};
use std::collections::BTreeMap;
use sui_sdk_types::{ExecutionError, TypeTag};

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

/// The coins that a program can touch.
#[derive(Debug, Default)]
pub(super) struct Coins {
    /// Those that there are.
    pub(super) all: BTreeMap<CoinKey, Coin>,
    /// Ids of those that were used up.
    pub(super) spent: Vec<ObjectId>,
    made: usize,
}

impl Coins {
    pub(super) fn balance_mut(&mut self, key: CoinKey) -> Result<&mut u64, ExecutionError> {
        self.all
            .get_mut(&key)
            .map(|coin| &mut coin.balance)
            .ok_or(ExecutionError::InvariantViolation)
    }

    pub(super) fn type_of(&self, key: CoinKey) -> Result<TypeTag, ExecutionError> {
        self.all
            .get(&key)
            .map(|coin| coin.coin_type.clone())
            .ok_or(ExecutionError::InvariantViolation)
    }

    /// A new coin in the program's hands.
    pub(super) fn make(&mut self, coin_type: TypeTag, balance: u64) -> CoinKey {
        let key = CoinKey::New(self.made);
        self.made += 1;
        let coin = Coin {
            coin_type,
            balance,
            owner: None,
        };
        self.all.insert(key, coin);
        key
    }

    /// Takes a coin out of the world; returns what it held.
    pub(super) fn consume(&mut self, key: CoinKey) -> Result<Coin, ExecutionError> {
        if let CoinKey::Existing(id) = key {
            self.spent.push(id);
        }
        self.all
            .remove(&key)
            .ok_or(ExecutionError::InvariantViolation)
    }

    /// Gives a coin away.
    pub(super) fn give(&mut self, key: CoinKey, to: Address) -> Result<(), ExecutionError> {
        let coin = self.all.get_mut(&key);
        coin.ok_or(ExecutionError::InvariantViolation)?.owner = Some(to);
        Ok(())
    }
}
