//! What is checked before execution: form, signers' objects, versions, gas and validity.

use super::{
    Context, Refusal, gas, publish,
    refusal_cause::{Malformed, NotNow, Unsupported},
    resolved::Resolved,
    withdrawals,
};
use crate::{objects, objects::SUI, state::State};
use atoma_types::{Address, ObjectId, chain::RANDOM_OBJECT};
use std::{collections::BTreeSet, sync::Arc};
use sui_sdk_types::{
    Argument, Command, ExecutionError, Input, MovePackage, Object, ObjectReference, Owner,
    ProgrammableTransaction, Transaction, TransactionExpiration, TransactionKind,
};

/// Sui's limits of the same names.
const MAX_COMMANDS: usize = 1_024;
const MAX_INPUTS: usize = 2_048;
const MAX_GAS_OBJECTS: usize = 256;
const MAX_ARGUMENTS: usize = 512;
const MAX_PURE_BYTES: usize = 16 * 1_024;
/// The limit that many inputs meet first: a coin takes 74 bytes.
const MAX_BYTES: usize = 128 * 1_024;

/// A transaction that may be executed.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    pub(crate) program: &'a ProgrammableTransaction,
    pub(crate) inputs: Vec<Resolved>,
    /// The first pays, the others are merged into it. Where there is none, the payer's balance pays.
    pub(crate) gas: Vec<Arc<Object>>,
    /// What the gas coins hold together.
    pub(crate) gas_balance: u64,
    /// What it publishes.
    pub(crate) package: Option<MovePackage>,
}

impl Checked<'_> {
    /// Leaves the shared objects alone, as a ledger does that gives a transaction up because too many want them.
    pub(super) fn give_up(&mut self) -> ExecutionError {
        let mut congested_objects = Vec::new();
        for input in &mut self.inputs {
            if let Resolved::Shared { object, mutable } = input
                && *mutable
            {
                congested_objects.push(object.object_id());
                *mutable = false;
            }
        }
        ExecutionError::ExecutionCanceledDueToConsensusObjectCongestion { congested_objects }
    }
}

/// Checks everything that doesn't need execution.
pub(crate) fn check<'a>(
    state: &State,
    transaction: &'a Transaction,
    context: &Context,
) -> Result<Checked<'a>, Refusal> {
    let TransactionKind::ProgrammableTransaction(program) = &transaction.kind else {
        return Err(Refusal::Unsupported(Unsupported::SystemTransaction));
    };
    let bytes = bcs::serialized_size(transaction).unwrap_or(usize::MAX);
    if bytes > MAX_BYTES {
        let most = MAX_BYTES;
        return Err(Refusal::Malformed(Malformed::Length { bytes, most }));
    }
    check_form(program)?;
    check_expiration(&transaction.expiration, context)?;
    check_packages(state, program)?;
    let package = publish::check(state, program)?;
    let mut named = BTreeSet::new();
    let inputs = program
        .inputs
        .iter()
        .map(|input| resolve(state, input, transaction.sender, context, &mut named))
        .collect::<Result<Vec<_>, _>>()?;
    let (gas, gas_balance) = check_gas(state, transaction, program, context, &mut named)?;
    withdrawals::check(state, transaction, &inputs, gas.is_empty())?;
    Ok(Checked {
        program,
        inputs,
        gas,
        gas_balance,
        package,
    })
}

fn check_form(program: &ProgrammableTransaction) -> Result<(), Refusal> {
    let malformed = |cause| Err(Refusal::Malformed(cause));
    if program.commands.is_empty() {
        return malformed(Malformed::NoCommands);
    }
    if program.commands.len() > MAX_COMMANDS || program.inputs.len() > MAX_INPUTS {
        return malformed(Malformed::TooManyCommands);
    }
    let random = program.inputs.iter().position(
        |input| matches!(input, Input::Shared(shared) if shared.object_id() == RANDOM_OBJECT),
    );
    let mut drawn = false;
    for command in &program.commands {
        let arguments = match command {
            Command::MoveCall(call) => call.arguments.len(),
            Command::TransferObjects(transfer) => transfer.objects.len(),
            Command::SplitCoins(split) => split.amounts.len(),
            Command::MergeCoins(merge) => merge.coins_to_merge.len(),
            Command::Publish(publish) => publish.dependencies.len(),
            Command::MakeMoveVector(_) | Command::Upgrade(_) => {
                return Err(Refusal::Unsupported(Unsupported::UpgradeOrVector));
            }
            _ => return malformed(Malformed::UnknownCommand),
        };
        if arguments > MAX_ARGUMENTS {
            return malformed(Malformed::TooManyArguments);
        }
        // nobody may look at a draw and abort: only what can't fail on purpose may follow
        if drawn
            && !matches!(
                command,
                Command::TransferObjects(_) | Command::MergeCoins(_)
            )
        {
            return malformed(Malformed::AfterDraw);
        }
        if let (Some(random), Command::MoveCall(call)) = (random, command) {
            drawn |= call
                .arguments
                .iter()
                .any(|a| matches!(a, Argument::Input(i) if usize::from(*i) == random));
        }
    }
    Ok(())
}

/// What is called must be there before the transaction: one can't publish and call at once.
fn check_packages(state: &State, program: &ProgrammableTransaction) -> Result<(), Refusal> {
    for command in &program.commands {
        if let Command::MoveCall(call) = command
            && !state.is_package(&call.package)
        {
            return Err(Refusal::NoPackage { id: call.package });
        }
    }
    Ok(())
}

fn check_expiration(expiration: &TransactionExpiration, context: &Context) -> Result<(), Refusal> {
    let expired = |cause| Err(Refusal::Expired(cause));
    let (min_epoch, min_timestamp, max_timestamp, chain) = match expiration {
        // the epoch stays 0, so that no last epoch is ever over
        TransactionExpiration::None | TransactionExpiration::Epoch(_) => return Ok(()),
        TransactionExpiration::ValidDuring {
            min_epoch,
            min_timestamp,
            max_timestamp,
            chain,
            ..
        } => (min_epoch, min_timestamp, max_timestamp, chain),
        _ => {
            return Err(Refusal::Unsupported(Unsupported::Expiration));
        }
    };
    if *chain != context.chain {
        return expired(NotNow::OtherNetwork);
    }
    if min_epoch.is_some_and(|epoch| epoch > 0) || min_timestamp.is_some_and(|t| t > context.now.0)
    {
        return expired(NotNow::Early);
    }
    if max_timestamp.is_some_and(|time| time < context.now.0) {
        return expired(NotNow::Late);
    }
    Ok(())
}

/// The live object that a reference names, in exactly that version.
fn current(
    state: &State,
    reference: &ObjectReference,
    named: &mut BTreeSet<ObjectId>,
) -> Result<Arc<Object>, Refusal> {
    let id = *reference.object_id();
    if !named.insert(id) {
        return Err(Refusal::Twice { id });
    }
    let object = state.object(&id).ok_or(Refusal::NoObject { id })?;
    if object.version() != reference.version() {
        return Err(Refusal::Version {
            id,
            given: reference.version(),
            current: object.version(),
        });
    }
    let digest = object.digest();
    if digest != *reference.digest() {
        return Err(Refusal::ObjectDigest {
            id,
            given: *reference.digest(),
            current: digest,
        });
    }
    Ok(Arc::clone(object))
}

fn resolve(
    state: &State,
    input: &Input,
    sender: Address,
    context: &Context,
    named: &mut BTreeSet<ObjectId>,
) -> Result<Resolved, Refusal> {
    match input {
        Input::Pure(bytes) if bytes.len() > MAX_PURE_BYTES => {
            Err(Refusal::Malformed(Malformed::ValueTooLong))
        }
        Input::Pure(bytes) => Ok(Resolved::Pure(bytes.clone())),
        Input::ImmutableOrOwned(reference) => {
            let object = current(state, reference, named)?;
            match *object.owner() {
                Owner::Immutable => Ok(Resolved::Immutable(object)),
                Owner::Address(owner) if owner == sender || !context.checks => {
                    Ok(Resolved::Owned(object))
                }
                _ => Err(Refusal::Ownership {
                    id: *reference.object_id(),
                    expected: sender,
                }),
            }
        }
        Input::Shared(shared) => {
            let id = shared.object_id();
            if !named.insert(id) {
                return Err(Refusal::Twice { id });
            }
            let object = state.object(&id).ok_or(Refusal::NoObject { id })?;
            match *object.owner() {
                Owner::Shared(initial) if initial == shared.version() => Ok(Resolved::Shared {
                    object: Arc::clone(object),
                    mutable: shared.mutability().is_mutable(),
                }),
                Owner::Shared(initial) => Err(Refusal::Version {
                    id,
                    given: shared.version(),
                    current: initial,
                }),
                _ => Err(Refusal::Malformed(Malformed::NotShared { id })),
            }
        }
        Input::Receiving(_) => Err(Refusal::Unsupported(Unsupported::Receiving)),
        Input::FundsWithdrawal(withdrawal) => withdrawals::resolve(withdrawal),
        _ => Err(Refusal::Unsupported(Unsupported::Input)),
    }
}

fn check_gas(
    state: &State,
    transaction: &Transaction,
    program: &ProgrammableTransaction,
    context: &Context,
    named: &mut BTreeSet<ObjectId>,
) -> Result<(Vec<Arc<Object>>, u64), Refusal> {
    let payment = &transaction.gas_payment;
    if payment.price < gas::REFERENCE_GAS_PRICE {
        return Err(Refusal::GasPrice {
            given: payment.price,
            least: gas::REFERENCE_GAS_PRICE,
        });
    }
    let least = gas::least_budget(program.commands.len(), payment.price);
    if !(least..=gas::MAX_BUDGET).contains(&payment.budget) {
        return Err(Refusal::GasBudget {
            given: payment.budget,
            least,
            most: gas::MAX_BUDGET,
        });
    }
    if let Some(mock) = &context.mock_gas {
        let balance = objects::as_coin(mock).map_or(0, |(_, balance)| balance);
        return Ok((vec![Arc::clone(mock)], balance));
    }
    if payment.objects.is_empty() {
        withdrawals::check_gas(transaction, program)?;
        return Ok((Vec::new(), 0));
    }
    if payment.objects.len() > MAX_GAS_OBJECTS {
        return Err(Refusal::Malformed(Malformed::TooManyGasCoins));
    }
    let mut coins = Vec::with_capacity(payment.objects.len());
    let mut sum = 0u64;
    for reference in &payment.objects {
        let object = current(state, reference, named)?;
        let id = *reference.object_id();
        if *object.owner() != Owner::Address(payment.owner) {
            return Err(Refusal::Ownership {
                id,
                expected: payment.owner,
            });
        }
        match objects::as_coin(&object) {
            Some((coin_type, balance)) if *coin_type == *SUI => {
                // the whole supply fits
                sum = sum.saturating_add(balance);
            }
            _ => return Err(Refusal::Malformed(Malformed::NoGasCoin { id })),
        }
        coins.push(object);
    }
    if sum < payment.budget {
        return Err(Refusal::GasBalance {
            balance: sum,
            budget: payment.budget,
        });
    }
    Ok((coins, sum))
}
