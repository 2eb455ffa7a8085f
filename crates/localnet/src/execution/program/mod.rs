//! Runs the commands of a programmable transaction: splits, merges, transfers, calls.

mod call;
mod coins;
mod framework;
mod slots;
mod transfer;

pub(crate) use coins::{Coin, CoinKey};

use super::{Context, inputs::Checked, publish::Publication, resolved::Resolved};
use crate::{
    balances::Moves,
    objects::{self, SUI},
    state::State,
};
use atoma_contract::{Changes, Env, Owner, Txn};
use atoma_types::{Address, ObjectId};
use coins::Coins;
use slots::{Slot, Slots};
use std::collections::{BTreeMap, BTreeSet};
use sui_sdk_types::{Command, Digest, ExecutionError, MovePackage, Transaction};

/// What a program leaves behind.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Coins that exist afterwards: every input and gas coin not consumed, and new ones.
    pub(crate) coins: BTreeMap<CoinKey, Coin>,
    /// Ids of the coins that were used up.
    pub(crate) spent: Vec<ObjectId>,
    /// Objects of no rule of the contract's that got another owner.
    pub(crate) given: Vec<(ObjectId, Address)>,
    /// What was published.
    pub(crate) publication: Option<Publication>,
    /// What was added to and taken from address balances.
    pub(crate) moves: Moves,
    /// What the contract did.
    pub(crate) changes: Changes,
}

/// A failure: the error and the command it happened in.
pub(crate) type Failure = Box<(ExecutionError, Option<u64>)>;

struct Program<'a> {
    state: &'a State,
    sender: Address,
    slots: Slots,
    coins: Coins,
    given: BTreeMap<ObjectId, Address>,
    package: Option<&'a MovePackage>,
    publication: Option<Publication>,
    moves: Moves,
    txn: Txn<'a>,
    /// Who may neither get nor spend dollars.
    frozen: &'a BTreeSet<Address>,
}

/// Runs all commands. The gas budget is set aside first: what a program sees of the gas coin is the
/// rest.
pub(crate) fn run<'a>(
    state: &'a State,
    transaction: &Transaction,
    checked: &'a Checked<'_>,
    context: &'a Context,
    digest: Digest,
) -> Result<Ran, Failure> {
    let env = Env {
        sender: transaction.sender,
        now: context.now,
        network: context.network,
        transaction: digest,
        created: 0,
        seed: context.seed,
    };
    let (slots, coins) = places(transaction, checked);
    let mut program = Program {
        state,
        sender: transaction.sender,
        slots,
        coins,
        given: BTreeMap::new(),
        package: checked.package.as_ref(),
        publication: None,
        moves: Moves::default(),
        txn: state.contract().begin(env),
        frozen: &context.frozen,
    };
    program.refuse_frozen()?;
    for (index, command) in checked.program.commands.iter().enumerate() {
        let made = program
            .step(command)
            .map_err(|error| Box::new((error, Some(index as u64))))?;
        program.slots.results.push(made);
    }
    program.finish()
}

/// Where the inputs sit before the first command.
fn places(transaction: &Transaction, checked: &Checked<'_>) -> (Slots, Coins) {
    let mut coins = Coins::default();
    let merged = checked.gas.iter().skip(1);
    coins.spent.extend(merged.map(|coin| coin.object_id()));
    let inputs = checked.inputs.iter().map(|input| match input {
        Resolved::Pure(bytes) => Slot::Pure(bytes.clone()),
        Resolved::Immutable(_) => Slot::Immutable,
        Resolved::Withdrawal { coin_type, amount } => Slot::Withdrawal {
            coin_type: coin_type.clone(),
            amount: *amount,
        },
        Resolved::Shared { object, mutable } => Slot::Shared {
            id: object.object_id(),
            mutable: *mutable,
        },
        Resolved::Owned(object) => match objects::as_coin(object) {
            Some((coin_type, balance)) => {
                let key = CoinKey::Existing(object.object_id());
                let coin = Coin {
                    coin_type: coin_type.clone(),
                    balance,
                    owner: Some(transaction.sender),
                };
                coins.all.insert(key, coin);
                Slot::Coin(key)
            }
            None => Slot::Owned(object.object_id()),
        },
    });
    let inputs = inputs.collect();
    // without a coin a balance pays, and no program names one
    let gas = checked.gas.first().map_or(Slot::Taken, |first| {
        let key = CoinKey::Existing(first.object_id());
        let payment = &transaction.gas_payment;
        let coin = Coin {
            coin_type: SUI.clone(),
            // checked: the coins hold at least the budget
            balance: checked.gas_balance.saturating_sub(payment.budget),
            owner: Some(payment.owner),
        };
        coins.all.insert(key, coin);
        Slot::Coin(key)
    });
    let slots = Slots {
        inputs,
        results: Vec::with_capacity(checked.program.commands.len()),
        gas,
    };
    (slots, coins)
}

impl Program<'_> {
    fn step(&mut self, command: &Command) -> Result<Vec<Slot>, ExecutionError> {
        match command {
            Command::SplitCoins(split) => self.split(split),
            Command::MergeCoins(merge) => self.merge(merge).map(|()| Vec::new()),
            Command::TransferObjects(transfer) => self.transfer(transfer).map(|()| Vec::new()),
            Command::MoveCall(call) => self.call(call),
            Command::Publish(_) => self.publish(),
            _ => Err(ExecutionError::FeatureNotYetSupported),
        }
    }

    /// Publishes what was checked to be the contract; the right to upgrade it is the result.
    fn publish(&mut self) -> Result<Vec<Slot>, ExecutionError> {
        let package = self.package.take();
        let package = package.ok_or(ExecutionError::InvariantViolation)?.clone();
        self.txn.publish(self.state.deployment().db);
        self.publication = Some(Publication {
            package,
            cap: self.txn.fresh_id(),
            owner: None,
        });
        Ok(vec![Slot::UpgradeCap])
    }

    /// No dollars may come from or go to a frozen address.
    fn refuse_frozen(&self) -> Result<(), Failure> {
        let usdc = &self.state.deployment().usdc;
        let mut dollars = self.coins.all.values().filter(|c| c.coin_type == *usdc);
        let denied = dollars.find_map(|c| c.owner.filter(|owner| self.frozen.contains(owner)));
        denied.map_or(Ok(()), |address| Err(denied_for(usdc.to_string(), address)))
    }

    /// No coin, and no right, may be left over in the program's hands.
    fn finish(self) -> Result<Ran, Failure> {
        self.refuse_frozen()?;
        // as the calls before have left it
        let (mut held, mut given) = (Vec::new(), Vec::new());
        for (id, to) in self.given {
            match self.txn.get(id) {
                Some(object) => held.push((id, (object.clone(), Owner::Address(to)))),
                None => given.push((id, to)),
            }
        }
        for (result, slots) in self.slots.results.iter().enumerate() {
            for (subresult, slot) in slots.iter().enumerate() {
                if matches!(slot, Slot::Coin(_) | Slot::Balance(_) | Slot::UpgradeCap) {
                    let error = ExecutionError::UnusedValueWithoutDrop {
                        result: u16::try_from(result).unwrap_or(u16::MAX),
                        subresult: u16::try_from(subresult).unwrap_or(u16::MAX),
                    };
                    return Err(Box::new((error, None)));
                }
            }
        }
        let mut changes = self.txn.finish();
        let mut paid = changes.payouts.iter();
        if let Some(paid) = paid.find(|payout| self.frozen.contains(&payout.to)) {
            return Err(denied_for(
                self.state.deployment().usdc.to_string(),
                paid.to,
            ));
        }
        // the contract must know who has a capability or a blob now
        changes.written.extend(held);
        Ok(Ran {
            coins: self.coins.all,
            spent: self.coins.spent,
            given,
            publication: self.publication,
            moves: self.moves,
            changes,
        })
    }
}

fn denied_for(coin_type: String, address: Address) -> Failure {
    let error = ExecutionError::AddressDeniedForCoin { address, coin_type };
    Box::new((error, None))
}
