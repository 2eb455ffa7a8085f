//! Runs the commands of a programmable transaction: splits, merges, transfers, calls.

use super::{
    Context,
    inputs::{Checked, Resolved},
    publish::Publication,
};
use crate::{
    objects::{self, SUI},
    state::State,
};
use atoma_contract::{Changes, Env, Owner, Txn};
use atoma_types::{
    Address, MicroUsdc, ObjectId,
    chain::{
        AbortCode, ArgKind, CLOCK_OBJECT, Call, CallArg, CallError, FunctionSpec, ObjectKind,
        RANDOM_OBJECT,
    },
};
use std::collections::BTreeMap;
use sui_sdk_types::{
    Argument, Command, CommandArgumentError, Digest, ExecutionError, MergeCoins, MoveCall,
    MoveLocation, MovePackage, Object, SplitCoins, Transaction, TransferObjects, TypeTag,
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
    /// What the contract did.
    pub(crate) changes: Changes,
}

/// A failure: the error and the command it happened in.
pub(crate) type Failure = Box<(ExecutionError, Option<u64>)>;

/// Where a value sits.
#[derive(Clone, Debug)]
enum Slot {
    Pure(Vec<u8>),
    Coin(CoinKey),
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

struct Program<'a> {
    state: &'a State,
    inputs: Vec<Slot>,
    results: Vec<Vec<Slot>>,
    gas: Slot,
    coins: BTreeMap<CoinKey, Coin>,
    spent: Vec<ObjectId>,
    given: BTreeMap<ObjectId, Address>,
    made: usize,
    package: Option<&'a MovePackage>,
    publication: Option<Publication>,
    txn: Txn<'a>,
}

/// Runs all commands. The gas budget is set aside first: what a program sees of the gas coin is the
/// rest.
pub(crate) fn run<'a>(
    state: &'a State,
    transaction: &Transaction,
    checked: &'a Checked<'_>,
    context: &Context,
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
    let mut coins = BTreeMap::new();
    let mut inputs = Vec::with_capacity(checked.inputs.len());
    for input in &checked.inputs {
        inputs.push(match input {
            Resolved::Pure(bytes) => Slot::Pure(bytes.clone()),
            Resolved::Immutable(_) => Slot::Immutable,
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
                    coins.insert(key, coin);
                    Slot::Coin(key)
                }
                None => Slot::Owned(object.object_id()),
            },
        });
    }
    let gas_key = CoinKey::Existing(checked.gas[0].object_id());
    let gas_coin = Coin {
        coin_type: SUI.clone(),
        // checked: the coins hold at least the budget
        balance: checked
            .gas_balance
            .saturating_sub(transaction.gas_payment.budget),
        owner: Some(transaction.gas_payment.owner),
    };
    coins.insert(gas_key, gas_coin);
    let mut program = Program {
        state,
        inputs,
        results: Vec::with_capacity(checked.program.commands.len()),
        gas: Slot::Coin(gas_key),
        coins,
        spent: checked.gas[1..].iter().map(|o| o.object_id()).collect(),
        given: BTreeMap::new(),
        made: 0,
        package: checked.package.as_ref(),
        publication: None,
        txn: state.contract().begin(env),
    };
    for (index, command) in checked.program.commands.iter().enumerate() {
        let made = program
            .step(command)
            .map_err(|error| Box::new((error, Some(index as u64))))?;
        program.results.push(made);
    }
    program.finish()
}

fn bad(argument: usize, kind: CommandArgumentError) -> ExecutionError {
    ExecutionError::CommandArgumentError {
        argument: u16::try_from(argument).unwrap_or(u16::MAX),
        kind,
    }
}

impl<'a> Program<'a> {
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

    fn slot(&mut self, at: usize, argument: Argument) -> Result<&mut Slot, ExecutionError> {
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
    fn coin(&mut self, at: usize, argument: Argument) -> Result<CoinKey, ExecutionError> {
        match self.slot(at, argument)? {
            Slot::Coin(key) => Ok(*key),
            Slot::Taken => Err(bad(at, CommandArgumentError::InvalidValueUsage)),
            _ => Err(bad(at, CommandArgumentError::TypeMismatch)),
        }
    }

    /// A value taken out of its place.
    fn take(&mut self, at: usize, argument: Argument) -> Result<Slot, ExecutionError> {
        let slot = self.slot(at, argument)?;
        match slot {
            Slot::Taken => Err(bad(at, CommandArgumentError::InvalidValueUsage)),
            Slot::Pure(_) => Ok(slot.clone()),
            Slot::Shared { .. } | Slot::Immutable => {
                Err(bad(at, CommandArgumentError::InvalidObjectByValue))
            }
            Slot::Coin(_) | Slot::Owned(_) | Slot::UpgradeCap => {
                Ok(std::mem::replace(slot, Slot::Taken))
            }
        }
    }

    fn pure<T: serde::de::DeserializeOwned>(
        &mut self,
        at: usize,
        argument: Argument,
    ) -> Result<T, ExecutionError> {
        match self.slot(at, argument)? {
            Slot::Pure(bytes) => {
                bcs::from_bytes(bytes).map_err(|_| bad(at, CommandArgumentError::InvalidBcsBytes))
            }
            _ => Err(bad(at, CommandArgumentError::TypeMismatch)),
        }
    }

    fn balance_mut(&mut self, key: CoinKey) -> Result<&mut u64, ExecutionError> {
        self.coins
            .get_mut(&key)
            .map(|coin| &mut coin.balance)
            .ok_or(ExecutionError::InvariantViolation)
    }

    /// A new coin in the program's hands.
    fn make(&mut self, coin_type: TypeTag, balance: u64) -> Slot {
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
    fn consume(&mut self, key: CoinKey) -> Result<Coin, ExecutionError> {
        if let CoinKey::Existing(id) = key {
            self.spent.push(id);
        }
        self.coins
            .remove(&key)
            .ok_or(ExecutionError::InvariantViolation)
    }

    fn split(&mut self, split: &SplitCoins) -> Result<Vec<Slot>, ExecutionError> {
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

    fn type_of(&self, key: CoinKey) -> Result<TypeTag, ExecutionError> {
        self.coins
            .get(&key)
            .map(|coin| coin.coin_type.clone())
            .ok_or(ExecutionError::InvariantViolation)
    }

    fn merge(&mut self, merge: &MergeCoins) -> Result<(), ExecutionError> {
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

    fn transfer(&mut self, transfer: &TransferObjects) -> Result<(), ExecutionError> {
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

    fn call(&mut self, call: &MoveCall) -> Result<Vec<Slot>, ExecutionError> {
        if call.package == Address::TWO {
            return self.framework(call);
        }
        let (module, function) = (call.module.as_str(), call.function.as_str());
        let package = self.state.deployment().package_at(call.package);
        let spec = package
            .and_then(|package| Call::spec(package, module, function))
            .ok_or(ExecutionError::FunctionNotFound)?;
        if !call.type_arguments.is_empty() {
            return Err(ExecutionError::TypeArityMismatch);
        }
        if call.arguments.len() != spec.args.len() {
            return Err(ExecutionError::ArityMismatch);
        }
        let arguments = self.arguments(spec, &call.arguments)?;
        let aborts = |code: AbortCode| ExecutionError::MoveAbort {
            location: MoveLocation {
                package: call.package,
                module: call.module.clone(),
                function: 0,
                instruction: 0,
                function_name: Some(call.function.clone()),
            },
            code: code.code(),
        };
        let decoded = Call::decode(spec, arguments).map_err(|error| match error {
            CallError::Refused { code } => aborts(code),
            // kinds were checked one by one, so what doesn't decode is a plain value
            error => bad(
                wrong_at(spec, &error),
                CommandArgumentError::InvalidBcsBytes,
            ),
        })?;
        self.txn
            .call(&decoded)
            .map_err(|abort| aborts(abort.code))?;
        Ok(Vec::new())
    }

    /// The arguments of a call of the package, each checked against its kind.
    fn arguments(
        &mut self,
        spec: &FunctionSpec,
        given: &[Argument],
    ) -> Result<Vec<CallArg>, ExecutionError> {
        let mut arguments = Vec::with_capacity(given.len());
        for (at, ((_, kind), argument)) in spec.args.iter().zip(given).enumerate() {
            let mismatch = || bad(at, CommandArgumentError::TypeMismatch);
            arguments.push(match kind {
                ArgKind::Payment => {
                    let key = self.coin(at, *argument)?;
                    if self.type_of(key)? != self.state.deployment().usdc {
                        return Err(mismatch());
                    }
                    self.take(at, *argument)?;
                    CallArg::Payment(MicroUsdc(self.consume(key)?.balance))
                }
                ArgKind::Pure(_) => match self.slot(at, *argument)? {
                    Slot::Pure(bytes) => CallArg::Pure(bytes.clone()),
                    _ => return Err(mismatch()),
                },
                ArgKind::Mutable(kind) => match self.slot(at, *argument)?.clone() {
                    Slot::Shared { mutable: false, .. } => {
                        return Err(bad(at, CommandArgumentError::InvalidObjectByMutRef));
                    }
                    Slot::Shared { id, .. } if self.is_a(id, *kind) => CallArg::Object(id),
                    _ => return Err(mismatch()),
                },
                ArgKind::Read(kind) => match self.slot(at, *argument)?.clone() {
                    Slot::Shared { id, .. } if self.is_a(id, *kind) => CallArg::Object(id),
                    _ => return Err(mismatch()),
                },
                ArgKind::Owned(kind) | ArgKind::OwnedMut(kind) | ArgKind::Consumed(kind) => {
                    let id = match self.slot(at, *argument)?.clone() {
                        Slot::Owned(id) if self.is_a(id, *kind) => id,
                        Slot::Taken => {
                            return Err(bad(at, CommandArgumentError::InvalidValueUsage));
                        }
                        _ => return Err(mismatch()),
                    };
                    if matches!(spec.args[at].1, ArgKind::Consumed(_)) {
                        self.take(at, *argument)?;
                    }
                    CallArg::Object(id)
                }
                ArgKind::Clock => match *self.slot(at, *argument)? {
                    Slot::Shared { id, .. } if id == CLOCK_OBJECT => CallArg::Clock,
                    _ => return Err(mismatch()),
                },
                ArgKind::Random => match *self.slot(at, *argument)? {
                    Slot::Shared { id, .. } if id == RANDOM_OBJECT => CallArg::Random,
                    _ => return Err(mismatch()),
                },
            });
        }
        Ok(arguments)
    }

    fn is_a(&self, id: ObjectId, kind: ObjectKind) -> bool {
        let object = self
            .state
            .object(&id)
            .and_then(|o: &std::sync::Arc<Object>| o.as_struct());
        object.is_some_and(|data| *data.object_type() == self.state.deployment().type_of(kind))
    }

    /// The few functions of Sui's framework that its SDKs put around coins.
    fn framework(&mut self, call: &MoveCall) -> Result<Vec<Slot>, ExecutionError> {
        let [coin_type] = call.type_arguments.as_slice() else {
            return Err(ExecutionError::TypeArityMismatch);
        };
        match (call.module.as_str(), call.function.as_str()) {
            ("coin", "zero") if call.arguments.is_empty() => {
                Ok(vec![self.make(coin_type.clone(), 0)])
            }
            ("coin", "destroy_zero") => {
                let [argument] = call.arguments.as_slice() else {
                    return Err(ExecutionError::ArityMismatch);
                };
                let key = self.coin(0, *argument)?;
                if self.type_of(key)? != *coin_type {
                    return Err(bad(0, CommandArgumentError::TypeMismatch));
                }
                if *argument == Argument::Gas {
                    return Err(bad(0, CommandArgumentError::InvalidGasCoinUsage));
                }
                if *self.balance_mut(key)? != 0 {
                    // `balance::ENonZero`
                    return Err(ExecutionError::MoveAbort {
                        location: MoveLocation {
                            package: Address::TWO,
                            module: sui_sdk_types::Identifier::from_static("balance"),
                            function: 0,
                            instruction: 0,
                            function_name: Some(call.function.clone()),
                        },
                        code: 0,
                    });
                }
                self.take(0, *argument)?;
                self.consume(key)?;
                Ok(Vec::new())
            }
            _ => Err(ExecutionError::FunctionNotFound),
        }
    }

    /// No coin, and no right, may be left over in the program's hands.
    fn finish(self) -> Result<Ran, Failure> {
        // as the calls before have left it
        let (mut held, mut given) = (Vec::new(), Vec::new());
        for (id, to) in self.given {
            match self.txn.get(id) {
                Some(object) => held.push((id, (object.clone(), Owner::Address(to)))),
                None => given.push((id, to)),
            }
        }
        for (result, slots) in self.results.iter().enumerate() {
            for (subresult, slot) in slots.iter().enumerate() {
                if matches!(slot, Slot::Coin(_) | Slot::UpgradeCap) {
                    let error = ExecutionError::UnusedValueWithoutDrop {
                        result: u16::try_from(result).unwrap_or(u16::MAX),
                        subresult: u16::try_from(subresult).unwrap_or(u16::MAX),
                    };
                    return Err(Box::new((error, None)));
                }
            }
        }
        let mut changes = self.txn.finish();
        // the contract must know who has a capability or a blob now
        changes.written.extend(held);
        Ok(Ran {
            coins: self.coins,
            spent: self.spent,
            given,
            publication: self.publication,
            changes,
        })
    }
}

/// Which argument an error is about.
fn wrong_at(spec: &FunctionSpec, error: &CallError) -> usize {
    match error {
        CallError::WrongArgument { name, .. } => spec
            .args
            .iter()
            .position(|(argument, _)| argument == name)
            .unwrap_or_default(),
        _ => 0,
    }
}
