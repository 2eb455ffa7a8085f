//! Where the values of a program sit, and how commands take them: as Sui does, a value that isn't
//! copied is in one place at a time.

use super::coins::CoinKey;
use atoma_types::ObjectId;
use sui_sdk_types::{Argument, CommandArgumentError, ExecutionError, TypeTag};

/// Where a value sits.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    Pure(Vec<u8>),
    Coin(CoinKey),
    /// Money without a coin around it: Move's `Balance<T>`.
    Balance(CoinKey),
    /// The right to take so much from the sender's balance. Unused it is nothing.
    Withdrawal {
        coin_type: TypeTag,
        amount: u64,
    },
    Owned(ObjectId),
    /// The right to upgrade what this program publishes.
    UpgradeCap,
    Immutable,
    Shared {
        id: ObjectId,
        mutable: bool,
    },
    Taken,
}

/// An argument that a command can't use.
pub(super) fn bad(argument: usize, kind: CommandArgumentError) -> ExecutionError {
    ExecutionError::CommandArgumentError {
        argument: u16::try_from(argument).unwrap_or(u16::MAX),
        kind,
    }
}

/// The places of a program.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) inputs: Vec<Slot>,
    /// What each command has given, in the commands' order.
    pub(super) results: Vec<Vec<Slot>>,
    pub(super) gas: Slot,
}

impl Slots {
    /// The place that an argument names.
    pub(super) fn get(
        &mut self,
        at: usize,
        argument: Argument,
    ) -> Result<&mut Slot, ExecutionError> {
        let out_of_bounds = |index| bad(at, CommandArgumentError::IndexOutOfBounds { index });
        match argument {
            Argument::Gas => Ok(&mut self.gas),
            Argument::Input(index) => self
                .inputs
                .get_mut(usize::from(index))
                .ok_or_else(|| out_of_bounds(index)),
            Argument::Result(index) => {
                let results = self
                    .results
                    .get_mut(usize::from(index))
                    .ok_or_else(|| out_of_bounds(index))?;
                match results.as_mut_slice() {
                    [one] => Ok(one),
                    _ => Err(bad(
                        at,
                        CommandArgumentError::InvalidResultArity { result: index },
                    )),
                }
            }
            Argument::NestedResult(result, subresult) => self
                .results
                .get_mut(usize::from(result))
                .ok_or_else(|| out_of_bounds(result))?
                .get_mut(usize::from(subresult))
                .ok_or_else(|| {
                    bad(
                        at,
                        CommandArgumentError::SecondaryIndexOutOfBounds { result, subresult },
                    )
                }),
        }
    }

    /// A coin to be changed in place.
    pub(super) fn coin(
        &mut self,
        at: usize,
        argument: Argument,
    ) -> Result<CoinKey, ExecutionError> {
        match self.get(at, argument)? {
            Slot::Coin(key) => Ok(*key),
            Slot::Taken => Err(bad(at, CommandArgumentError::InvalidValueUsage)),
            _ => Err(bad(at, CommandArgumentError::TypeMismatch)),
        }
    }

    /// A value taken out of its place.
    pub(super) fn take(&mut self, at: usize, argument: Argument) -> Result<Slot, ExecutionError> {
        let slot = self.get(at, argument)?;
        match slot {
            Slot::Taken => Err(bad(at, CommandArgumentError::InvalidValueUsage)),
            Slot::Pure(_) => Ok(slot.clone()),
            Slot::Shared { .. } | Slot::Immutable => {
                Err(bad(at, CommandArgumentError::InvalidObjectByValue))
            }
            Slot::Coin(_)
            | Slot::Balance(_)
            | Slot::Withdrawal { .. }
            | Slot::Owned(_)
            | Slot::UpgradeCap => Ok(std::mem::replace(slot, Slot::Taken)),
        }
    }

    /// A plain value.
    pub(super) fn pure<T: serde::de::DeserializeOwned>(
        &mut self,
        at: usize,
        argument: Argument,
    ) -> Result<T, ExecutionError> {
        match self.get(at, argument)? {
            Slot::Pure(bytes) => {
                bcs::from_bytes(bytes).map_err(|_| bad(at, CommandArgumentError::InvalidBcsBytes))
            }
            _ => Err(bad(at, CommandArgumentError::TypeMismatch)),
        }
    }
}
