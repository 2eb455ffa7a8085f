//! The treasury: an account like any other that holds all money at first. The faucet pays from it
//! by ordinary signed transactions, so no money ever comes from nowhere.

use crate::{
    execution::{BadSignature, Malformed, Refusal, gas},
    objects::SUI,
    state::State,
};
use atoma_keys::SigningKey;
use atoma_types::Address;
use std::sync::Arc;
use sui_crypto::SuiSigner;
use sui_sdk_types::{
    Argument, Command, GasPayment, Identifier, Input, MoveCall, Object, ObjectReference,
    ProgrammableTransaction, SplitCoins, Transaction, TransactionExpiration, TransactionKind,
    TransferObjects, TypeTag, UserSignature,
};

/// Enough for a split and a transfer of two coins.
const BUDGET: u64 = 50_000_000;

/// What is given away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gift {
    pub(crate) to: Address,
    /// Gas, in MIST.
    pub(crate) sui: u64,
    /// Test money, in micro-USDC.
    pub(crate) usdc: u64,
    /// Whether it is added to the address's balance, not given as coins.
    pub(crate) to_balance: bool,
}

/// Holds the treasury's key.
#[derive(Debug)]
pub(crate) struct Treasury(SigningKey);

impl Treasury {
    pub(crate) fn new(key: SigningKey) -> Self {
        Self(key)
    }

    /// The address that the treasury has.
    pub(crate) fn address(&self) -> Address {
        self.0.public_key().address()
    }

    /// A signed transaction that gives money away, built on the state it will be executed on.
    pub(crate) fn pay(
        &self,
        state: &State,
        gift: &Gift,
    ) -> Result<(Transaction, UserSignature), Refusal> {
        let Gift {
            to,
            sui,
            usdc,
            to_balance,
        } = *gift;
        let empty = || Refusal::Malformed(Malformed::EmptyTreasury);
        let sender = self.address();
        let (gas_coin, gas_balance) = state.coins(&sender, &SUI).next().ok_or_else(empty)?;
        if gas_balance < sui.saturating_add(BUDGET) {
            return Err(empty());
        }
        let usdc_type = &state.deployment().usdc;
        let mut inputs = vec![pure(&to)?];
        let mut commands = Vec::new();
        let mut gifts = Vec::new();
        if sui > 0 {
            inputs.push(pure(&sui)?);
            gifts.push((split(&mut commands, Argument::Gas, 1), &*SUI));
        }
        if usdc > 0 {
            let (coin, balance) = state.coins(&sender, usdc_type).next().ok_or_else(empty)?;
            if balance < usdc {
                return Err(empty());
            }
            let at = inputs.len() as u16; // three at most
            inputs.push(Input::ImmutableOrOwned(reference(coin)));
            inputs.push(pure(&usdc)?);
            let coin = split(&mut commands, Argument::Input(at), at + 1);
            gifts.push((coin, usdc_type));
        }
        if gifts.is_empty() {
            return Err(Refusal::Malformed(Malformed::EmptyGift));
        }
        if to_balance {
            commands.extend(gifts.iter().map(|(coin, kind)| send_funds(*coin, kind)));
        } else {
            commands.push(Command::TransferObjects(TransferObjects {
                objects: gifts.iter().map(|(coin, _)| *coin).collect(),
                address: Argument::Input(0),
            }));
        }
        let transaction = Transaction {
            kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
                inputs,
                commands,
            }),
            sender,
            gas_payment: GasPayment {
                objects: vec![reference(gas_coin)],
                owner: sender,
                price: gas::REFERENCE_GAS_PRICE,
                budget: BUDGET,
            },
            expiration: TransactionExpiration::None,
        };
        let signature = self
            .0
            .wallet_key()
            .sign_transaction(&transaction)
            .map_err(|error| Refusal::Signature(BadSignature::Invalid(error.to_string())))?;
        Ok((transaction, signature))
    }
}

fn split(commands: &mut Vec<Command>, coin: Argument, amount: u16) -> Argument {
    let part = Argument::NestedResult(commands.len() as u16, 0); // two at most
    commands.push(Command::SplitCoins(SplitCoins {
        coin,
        amounts: vec![Argument::Input(amount)],
    }));
    part
}

/// Adds a coin to the balance of the address that is the first input.
fn send_funds(coin: Argument, coin_type: &TypeTag) -> Command {
    Command::MoveCall(MoveCall {
        package: Address::TWO,
        module: Identifier::from_static("coin"),
        function: Identifier::from_static("send_funds"),
        type_arguments: vec![coin_type.clone()],
        arguments: vec![coin, Argument::Input(0)],
    })
}

fn pure<T: serde::Serialize>(value: &T) -> Result<Input, Refusal> {
    bcs::to_bytes(value)
        .map(Input::Pure)
        .map_err(|error| Refusal::Malformed(Malformed::Value(error)))
}

/// The reference to an object as it is.
pub(crate) fn reference(object: &Arc<Object>) -> ObjectReference {
    ObjectReference::new(object.object_id(), object.version(), object.digest())
}
