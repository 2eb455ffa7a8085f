//! More units, more time.

use super::{announce, occupy, required};
use crate::{Rule, Txn, ensure, limits::MAX_UNITS, task};
use atoma_types::{
    ComputeUnits,
    chain::{
        AbortCode, LeaseState, Selection,
        calls::{Extend, TopUp},
        events::{ExpiryChanged, ToppedUp},
    },
};

/// Adds units at the stack's own terms. Those of a `Single` stack go to its lease, so the node must
/// have room and still take some. A pause doesn't stop it: the deal is made already.
pub(crate) fn top_up(txn: &mut Txn<'_>, call: &TopUp) -> Rule {
    let mut stack = txn.own_stack(call.stack.id())?;
    let mut task = txn.task(call.task.id())?;
    ensure(stack.task == task.id, AbortCode::WrongTask)?;
    ensure(txn.now() < stack.expires_at_ms, AbortCode::StackExpired)?;
    ensure(!task.deprecated, AbortCode::TaskDeprecated)?;
    ensure(call.units > ComputeUnits::ZERO, AbortCode::UnitsInvalid)?;
    let total = stack.total_units.saturating_add(call.units);
    ensure(total.0 <= MAX_UNITS, AbortCode::UnitsInvalid)?;
    let needed = required(&stack, total)?;
    let lacking = needed
        .checked_sub(stack.escrow)
        .ok_or(AbortCode::AmountOverflow)?;
    ensure(call.payment.0 == lacking, AbortCode::WrongPayment)?;

    txn.take(lacking)?;
    stack.escrow = needed;
    stack.total_units = total;
    txn.emit(ToppedUp {
        stack: stack.id,
        total_units: total,
        paid: lacking,
    });
    if stack.selection == Selection::Single {
        let lease = stack.leases.first_mut().ok_or(AbortCode::NoSuchLease)?;
        ensure(lease.state == LeaseState::Open, AbortCode::LeaseClosed)?;
        let subscription = task::entry(&mut task, lease.node).ok_or(AbortCode::NotSubscribed)?;
        occupy(subscription, call.units)?;
        lease.units = lease.units.saturating_add(call.units);
        let lease = lease.clone();
        announce(txn, &stack, &task, &lease);
        txn.put_task(task);
    }
    txn.put_stack(stack);
    Ok(())
}

/// Lets a stack that hasn't expired live longer, up to the longest life a new one could have.
pub(crate) fn extend(txn: &mut Txn<'_>, call: &Extend) -> Rule {
    let db = txn.db(call.db.id())?;
    let mut stack = txn.own_stack(call.stack.id())?;
    ensure(txn.now() < stack.expires_at_ms, AbortCode::StackExpired)?;
    let end = stack
        .expires_at_ms
        .checked_add(call.by_ms)
        .ok_or(AbortCode::ExtensionInvalid)?;
    let life = end.since(stack.created_at_ms);
    ensure(
        call.by_ms.0 > 0 && life.0 <= db.params.max_lifetime_ms,
        AbortCode::ExtensionInvalid,
    )?;
    stack.expires_at_ms = end;
    txn.emit(ExpiryChanged {
        stack: stack.id,
        expires_at_ms: end,
        closing: false,
    });
    txn.put_stack(stack);
    Ok(())
}
