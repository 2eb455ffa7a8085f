//! Completes a transaction that a client sent half-made: versions and digests of objects, how shared
//! ones are used, gas price, budget and coins.

use super::{Status, invalid, parse};
use crate::{
    execution::{self, Context, Refusal, effects::mock_gas, gas},
    objects::SUI,
    state::State,
    treasury::reference,
};
use atoma_types::{
    Address, ObjectId,
    chain::{ArgKind, Call},
};
use std::collections::BTreeSet;
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{
    Argument, Command, Digest, GasPayment, Input, ObjectReference, Owner, ProgrammableTransaction,
    SharedInput, Transaction, TransactionExpiration, TransactionKind,
};

/// Coins that are smashed where the program spends the gas coin; Sui takes no more.
const MAX_GAS_COINS: usize = 256;
/// Added to an estimate in thousandths: what it was made from may have changed by then.
const BUDGET_MARGIN_PERMILLE: u64 = 200;

/// Reads a client's transaction, filling in what it left open but the gas.
pub(super) fn transaction(state: &State, message: &pb::Transaction) -> Result<Transaction, Status> {
    if message.bcs.is_some() {
        return Transaction::try_from(message).map_err(|error| invalid("transaction", error));
    }
    let sender = match message.sender.as_deref() {
        Some(text) => parse("sender", Some(text))?,
        None => Address::ZERO,
    };
    let kind = message.kind.as_ref().and_then(|kind| kind.data.as_ref());
    let Some(pb::transaction_kind::Data::ProgrammableTransaction(program)) = kind else {
        return Err(invalid("kind", "only programmable transactions"));
    };
    let commands = program
        .commands
        .iter()
        .map(|command| Command::try_from(command).map_err(|error| invalid("commands", error)))
        .collect::<Result<Vec<_>, _>>()?;
    let inputs = (0u16..)
        .zip(&program.inputs)
        .map(|(index, input)| resolve_input(state, input, index, &commands))
        .collect::<Result<Vec<_>, _>>()?;
    let expiration = match &message.expiration {
        None => TransactionExpiration::None,
        Some(given) => given
            .try_into()
            .map_err(|error| invalid("expiration", error))?,
    };
    Ok(Transaction {
        kind: TransactionKind::ProgrammableTransaction(ProgrammableTransaction {
            inputs,
            commands,
        }),
        sender,
        gas_payment: payment(state, message.gas_payment.as_ref(), sender)?,
        expiration,
    })
}

/// The payment as far as it is given; a budget of 0 is one that is still to be found.
fn payment(
    state: &State,
    given: Option<&pb::GasPayment>,
    sender: Address,
) -> Result<GasPayment, Status> {
    let mut payment = GasPayment {
        objects: Vec::new(),
        owner: sender,
        price: gas::REFERENCE_GAS_PRICE,
        budget: 0,
    };
    let Some(given) = given else {
        return Ok(payment);
    };
    if let Some(owner) = given.owner.as_deref() {
        payment.owner = parse("gas_payment.owner", Some(owner))?;
    }
    payment.price = given
        .price
        .filter(|price| *price > 0)
        .unwrap_or(payment.price);
    payment.budget = given.budget.unwrap_or_default();
    for object in &given.objects {
        let id = parse("gas_payment.objects", object.object_id.as_deref())?;
        let digest = object.digest.as_deref();
        payment
            .objects
            .push(object_reference(state, id, object.version, digest)?);
    }
    Ok(payment)
}

fn object_reference(
    state: &State,
    id: ObjectId,
    version: Option<u64>,
    digest: Option<&str>,
) -> Result<ObjectReference, Status> {
    if let (Some(version), Some(digest)) = (version, digest) {
        return Ok(ObjectReference::new(
            id,
            version,
            parse("digest", Some(digest))?,
        ));
    }
    let object = state.object(&id).ok_or(Refusal::NoObject { id })?;
    let now = reference(object);
    let version = version.unwrap_or(now.version());
    let digest: Digest = match digest {
        Some(text) => parse("digest", Some(text))?,
        None => *now.digest(),
    };
    Ok(ObjectReference::new(id, version, digest))
}

fn resolve_input(
    state: &State,
    input: &pb::Input,
    index: u16,
    commands: &[Command],
) -> Result<Input, Status> {
    use pb::input::InputKind;
    let kind = input.kind.map(InputKind::try_from);
    match kind {
        Some(Ok(InputKind::Pure | InputKind::FundsWithdrawal | InputKind::Receiving)) => {
            return Input::try_from(input).map_err(|error| invalid("inputs", error));
        }
        None | Some(Ok(InputKind::Unknown)) if input.object_id.is_none() => {
            // values given as text would need the types of functions, which only code has
            return match &input.pure {
                Some(bytes) => Ok(Input::Pure(bytes.to_vec())),
                None => Err(invalid("inputs", "an input is neither an object nor bytes")),
            };
        }
        Some(Err(_)) => return Err(invalid("inputs", "unknown kind")),
        _ => {}
    }
    let id: ObjectId = parse("inputs.object_id", input.object_id.as_deref())?;
    let object = state.object(&id).ok_or(Refusal::NoObject { id })?;
    if let Owner::Shared(initial) = *object.owner() {
        let mutable = input
            .mutable
            .unwrap_or_else(|| is_changed(state, index, commands));
        // the first version is what it is, whatever version a client saw last
        return Ok(Input::Shared(SharedInput::new(id, initial, mutable)));
    }
    let digest = input.digest.as_deref();
    object_reference(state, id, input.version, digest).map(Input::ImmutableOrOwned)
}

/// Whether a command may change this input: calls say so themselves.
fn is_changed(state: &State, index: u16, commands: &[Command]) -> bool {
    let deployment = state.deployment();
    commands.iter().any(|command| match command {
        Command::MoveCall(call) => {
            let package = deployment.package_at(call.package);
            let spec = package.and_then(|package| {
                Call::spec(package, call.module.as_str(), call.function.as_str())
            });
            spec.is_some_and(|spec| {
                call.arguments
                    .iter()
                    .zip(spec.args)
                    .any(|(argument, (_, kind))| {
                        *argument == Argument::Input(index) && matches!(kind, ArgKind::Mutable(_))
                    })
            })
        }
        _ => false,
    })
}

/// Finds a budget by running the transaction, and coins that cover it, or the payer's balance.
pub(super) fn select_gas(
    state: &State,
    transaction: &mut Transaction,
    context: &Context,
) -> Result<(), Refusal> {
    let TransactionKind::ProgrammableTransaction(program) = &transaction.kind else {
        return Ok(());
    };
    let commands = program.commands.len();
    let spends_gas = program.commands.iter().any(uses_gas_coin);
    let inputs: BTreeSet<ObjectId> = program
        .inputs
        .iter()
        .filter_map(|input| match input {
            Input::ImmutableOrOwned(reference) => Some(*reference.object_id()),
            _ => None,
        })
        .collect();
    if transaction.gas_payment.budget == 0 {
        transaction.gas_payment.budget = estimate(state, transaction, commands, context)?;
    }
    let payment = &mut transaction.gas_payment;
    if !payment.objects.is_empty() {
        return Ok(());
    }
    let mut sum = 0u64;
    for (coin, balance) in state.coins(&payment.owner, &SUI) {
        let enough = sum >= payment.budget && !spends_gas;
        if enough || payment.objects.len() == MAX_GAS_COINS {
            break;
        }
        if inputs.contains(&coin.object_id()) {
            continue;
        }
        sum = sum.saturating_add(balance);
        payment.objects.push(reference(coin));
    }
    if sum >= payment.budget {
        return Ok(());
    }
    if spends_gas || state.balance(&payment.owner, &SUI) < payment.budget {
        return Err(Refusal::GasBalance {
            balance: sum,
            budget: payment.budget,
        });
    }
    payment.objects.clear();
    if transaction.expiration == TransactionExpiration::None {
        let [a, b, c, d, ..] = context.seed;
        transaction.expiration = TransactionExpiration::ValidDuring {
            min_epoch: Some(0),
            max_epoch: Some(1),
            min_timestamp: None,
            max_timestamp: None,
            chain: context.chain,
            nonce: u32::from_le_bytes([a, b, c, d]),
        };
    }
    Ok(())
}

fn uses_gas_coin(command: &Command) -> bool {
    let is_gas = |argument: &Argument| *argument == Argument::Gas;
    match command {
        Command::SplitCoins(split) => is_gas(&split.coin),
        Command::MergeCoins(merge) => is_gas(&merge.coin),
        Command::TransferObjects(transfer) => transfer.objects.iter().any(is_gas),
        _ => false,
    }
}

/// A budget from what the transaction costs now.
fn estimate(
    state: &State,
    transaction: &Transaction,
    commands: usize,
    context: &Context,
) -> Result<u64, Refusal> {
    let mut trial = transaction.clone();
    trial.gas_payment.budget = gas::MAX_BUDGET;
    trial.gas_payment.objects.clear();
    let context = Context {
        mock_gas: mock_gas(trial.gas_payment.owner),
        ..context.clone()
    };
    let outcome = execution::execute(state, &trial, &context)?;
    let used = outcome.effects.gas_summary().gas_used();
    let margin = used / 1_000 * BUDGET_MARGIN_PERMILLE;
    let least = gas::least_budget(commands, trial.gas_payment.price);
    Ok(used.saturating_add(margin).clamp(least, gas::MAX_BUDGET))
}
