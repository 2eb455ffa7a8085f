//! More units, more time, more eyes.

use crate::{Rule, Txn, ensure, limits::MAX_UNITS, minus};
use atoma_types::{
    ComputeUnits,
    chain::{
        AbortCode,
        calls::{Extend, SetWatcher, TopUp},
        events::{ExpiryChanged, ToppedUp, WatcherSet},
    },
};

/// Adds units at the stack's own terms. They are nobody's yet. A pause doesn't stop it: the deal is made already.
pub(crate) fn top_up(txn: &mut Txn<'_>, call: &TopUp) -> Rule {
    let mut stack = txn.own_stack(call.stack.id())?;
    let task = txn.task(call.task.id())?;
    ensure(stack.task == task.id, AbortCode::WrongTask)?;
    ensure(txn.now() < stack.expires_at_ms, AbortCode::StackExpired)?;
    ensure(!task.is_deprecated(), AbortCode::TaskDeprecated)?;
    ensure(call.units > ComputeUnits::ZERO, AbortCode::UnitsInvalid)?;
    let live = stack.live_units().saturating_add(call.units);
    ensure(live.0 <= MAX_UNITS, AbortCode::UnitsInvalid)?;
    let needed = stack.escrow_for(live).ok_or(AbortCode::EscrowOverflow)?;
    let lacking = minus(needed, stack.escrow)?;
    ensure(call.payment.0 == lacking, AbortCode::WrongPayment)?;
    txn.take(lacking)?;
    stack.escrow = needed;
    stack.ungranted = stack.ungranted.saturating_add(call.units);
    txn.emit(ToppedUp {
        stack: stack.id,
        ungranted: stack.ungranted,
        paid: lacking,
    });
    txn.put_stack(stack);
    Ok(())
}

/// Lets a stack that hasn't expired live longer, up to the longest life a new one could have. A node that
/// doesn't want that settles, and releases the rest.
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

/// Names who else may demand and challenge. What a watcher pays for that is the owner's from then on.
pub(crate) fn set_watcher(txn: &mut Txn<'_>, call: &SetWatcher) -> Rule {
    let mut stack = txn.own_stack(call.stack.id())?;
    stack.watcher = call.watcher;
    txn.emit(WatcherSet {
        stack: stack.id,
        watcher: stack.watcher,
    });
    txn.put_stack(stack);
    Ok(())
}
