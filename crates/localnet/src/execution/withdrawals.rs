//! Checks of what a transaction takes from address balances: its withdrawals, and its gas where it names no
//! coin for it.
//!
//! A transaction reserves what it may take before it runs. What was executed before has been taken off
//! already, so a reservation that fits is never too large when it is used.

use super::{
    Refusal,
    refusal_cause::{Malformed, Unsupported},
    resolved::Resolved,
};
use crate::{objects::SUI, state::State};
use atoma_types::Address;
use std::collections::BTreeMap;
use sui_sdk_types::{
    Argument, Command, FundsWithdrawal, ProgrammableTransaction, Transaction,
    TransactionExpiration, TypeTag, WithdrawFrom,
};

/// Withdrawals in one transaction at most, gas among them: Sui's limit.
const MAX_WITHDRAWALS: usize = 10;

/// A withdrawal as execution sees it.
pub(super) fn resolve(withdrawal: &FundsWithdrawal) -> Result<Resolved, Refusal> {
    let refused = |cause| Err(Refusal::Malformed(cause));
    match withdrawal.source() {
        WithdrawFrom::Sender => {}
        WithdrawFrom::Sponsor => return refused(Malformed::SponsorsBalance),
        _ => return Err(Refusal::Unsupported(Unsupported::Allowance)),
    }
    match withdrawal.amount() {
        Some(amount @ 1..) => Ok(Resolved::Withdrawal {
            coin_type: withdrawal.coin_type().clone(),
            amount,
        }),
        _ => refused(Malformed::EmptyWithdrawal),
    }
}

/// Whether the balances hold all that is reserved. `gas` says whether the budget is reserved as well.
pub(super) fn check(
    state: &State,
    transaction: &Transaction,
    inputs: &[Resolved],
    gas: bool,
) -> Result<(), Refusal> {
    let payment = &transaction.gas_payment;
    let withdrawals = inputs.iter().filter_map(|input| match input {
        Resolved::Withdrawal { coin_type, amount } => {
            Some((transaction.sender, coin_type, *amount))
        }
        _ => None,
    });
    let gas = gas.then_some((payment.owner, &*SUI, payment.budget));
    let mut reserved: BTreeMap<(Address, &TypeTag), u64> = BTreeMap::new();
    let mut count = 0;
    for (owner, coin_type, amount) in withdrawals.chain(gas) {
        count += 1;
        let sum = reserved.entry((owner, coin_type)).or_default();
        *sum = sum.saturating_add(amount);
    }
    if count > MAX_WITHDRAWALS {
        let most = MAX_WITHDRAWALS;
        return Err(Refusal::Malformed(Malformed::Withdrawals { count, most }));
    }
    for ((owner, coin_type), asked) in reserved {
        let available = state.balance(&owner, coin_type);
        if available < asked {
            return Err(Refusal::Withdrawal {
                owner,
                coin_type: coin_type.clone(),
                asked,
                available,
            });
        }
    }
    Ok(())
}

/// What must hold where gas comes out of a balance: no program may name a gas coin that isn't there, and no
/// object's version keeps the transaction from being executed again, so it must say when it is over.
pub(super) fn check_gas(
    transaction: &Transaction,
    program: &ProgrammableTransaction,
) -> Result<(), Refusal> {
    let refused = |cause| Err(Refusal::Malformed(cause));
    if program.commands.iter().any(names_gas_coin) {
        return refused(Malformed::GasCoinNamed);
    }
    match transaction.expiration {
        TransactionExpiration::ValidDuring {
            min_epoch: Some(first),
            max_epoch: Some(last),
            ..
        } if last == first || Some(last) == first.checked_add(1) => Ok(()),
        _ => refused(Malformed::Epochs),
    }
}

fn names_gas_coin(command: &Command) -> bool {
    let arguments: Vec<Argument> = match command {
        Command::MoveCall(call) => call.arguments.clone(),
        Command::TransferObjects(transfer) => transfer.objects.clone(),
        Command::SplitCoins(split) => vec![split.coin],
        Command::MergeCoins(merge) => {
            let merged = merge.coins_to_merge.iter().copied();
            merged.chain([merge.coin]).collect()
        }
        _ => Vec::new(),
    };
    arguments.contains(&Argument::Gas)
}
