//! Functions of Sui's framework: the few that its SDKs put around coins and address balances.

use super::{
    Program,
    coins::CoinKey,
    slots::{Slot, bad},
};
use atoma_types::Address;
use sui_sdk_types::{
    Argument, CommandArgumentError, ExecutionError, Identifier, MoveCall, MoveLocation, TypeTag,
};

impl Program<'_> {
    pub(super) fn framework(&mut self, call: &MoveCall) -> Result<Vec<Slot>, ExecutionError> {
        let [coin_type] = call.type_arguments.as_slice() else {
            return Err(ExecutionError::TypeArityMismatch);
        };
        let arguments = call.arguments.as_slice();
        match (call.module.as_str(), call.function.as_str(), arguments) {
            ("coin", "zero", []) => Ok(vec![Slot::Coin(self.coins.make(coin_type.clone(), 0))]),
            ("balance", "zero", []) => {
                Ok(vec![Slot::Balance(self.coins.make(coin_type.clone(), 0))])
            }
            (module @ ("coin" | "balance"), "destroy_zero", [argument]) => {
                let key = self.money(module, coin_type, *argument)?;
                if *self.coins.balance_mut(key)? != 0 {
                    return Err(not_zero(&call.function));
                }
                self.slots.take(0, *argument)?;
                self.coins.consume(key)?;
                Ok(Vec::new())
            }
            (module @ ("coin" | "balance"), "redeem_funds", [argument]) => {
                let key = self.redeem(coin_type, *argument)?;
                Ok(vec![as_module_has_it(module, key)])
            }
            (module @ ("coin" | "balance"), "send_funds", [argument, to]) => {
                let key = self.money(module, coin_type, *argument)?;
                let to: Address = self.slots.pure(1, *to)?;
                self.slots.take(0, *argument)?;
                let sent = self.coins.consume(key)?;
                self.moves.add(to, sent.coin_type, i128::from(sent.balance));
                Ok(Vec::new())
            }
            ("coin", "into_balance", [argument]) => {
                let key = self.money("coin", coin_type, *argument)?;
                self.slots.take(0, *argument)?;
                let balance = self.coins.consume(key)?.balance;
                let key = self.coins.make(coin_type.clone(), balance);
                Ok(vec![Slot::Balance(key)])
            }
            ("coin", "from_balance", [argument]) => {
                let key = self.money("balance", coin_type, *argument)?;
                self.slots.take(0, *argument)?;
                Ok(vec![Slot::Coin(key)])
            }
            _ => Err(ExecutionError::FunctionNotFound),
        }
    }

    /// The coin, or the balance, that the first argument is; of the right kind, and not the gas coin, which no
    /// function takes.
    fn money(
        &mut self,
        module: &str,
        coin_type: &TypeTag,
        argument: Argument,
    ) -> Result<CoinKey, ExecutionError> {
        let key = match (module, &*self.slots.get(0, argument)?) {
            ("coin", Slot::Coin(key)) | ("balance", Slot::Balance(key)) => *key,
            (_, Slot::Taken) => return Err(bad(0, CommandArgumentError::InvalidValueUsage)),
            _ => return Err(bad(0, CommandArgumentError::TypeMismatch)),
        };
        if self.coins.type_of(key)? != *coin_type {
            return Err(bad(0, CommandArgumentError::TypeMismatch));
        }
        if argument == Argument::Gas {
            return Err(bad(0, CommandArgumentError::InvalidGasCoinUsage));
        }
        Ok(key)
    }

    /// Takes a withdrawal's money off the sender's balance.
    fn redeem(
        &mut self,
        coin_type: &TypeTag,
        argument: Argument,
    ) -> Result<CoinKey, ExecutionError> {
        let Slot::Withdrawal {
            coin_type: withdrawn,
            amount,
        } = self.slots.take(0, argument)?
        else {
            return Err(bad(0, CommandArgumentError::TypeMismatch));
        };
        if withdrawn != *coin_type {
            return Err(bad(0, CommandArgumentError::TypeMismatch));
        }
        self.moves
            .add(self.sender, withdrawn.clone(), -i128::from(amount));
        Ok(self.coins.make(withdrawn, amount))
    }
}

fn as_module_has_it(module: &str, key: CoinKey) -> Slot {
    match module {
        "coin" => Slot::Coin(key),
        _ => Slot::Balance(key),
    }
}

/// The abort `ENonZero` of `0x2::balance`: what still has money in it was to be destroyed.
fn not_zero(function: &Identifier) -> ExecutionError {
    ExecutionError::MoveAbort {
        location: MoveLocation {
            package: Address::TWO,
            module: Identifier::from_static("balance"),
            function: 0,
            instruction: 0,
            function_name: Some(function.clone()),
        },
        code: 0,
    }
}
