//! Ways out. None needs anyone's help, and none reads the database.

use super::{close_lease, fit, open_lease, restake, stake};
use crate::{Rule, Txn, ensure, settlement};
use atoma_types::{
    MicroUsdc,
    chain::{
        AbortCode, Stack,
        calls::{BeginClose, ReleaseUnits, RevokeUngranted, WithdrawFree},
        events::{ExpiryChanged, FreeWithdrawn, UngrantedRevoked, UnitsReleased},
    },
};

/// A node gives back units that it neither settled nor was paid for. They are the owner's to grant again;
/// after the expiry, their escrow is its credit at once.
pub(crate) fn release(txn: &mut Txn<'_>, call: &ReleaseUnits) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    let mut node = txn.own_node(call.node.id())?;
    let over = txn.now() >= stack.expires_at_ms;
    let before = stake(&stack, node.id)?;
    let lease = open_lease(&mut stack, node.id)?;
    let bound = lease.claimed_units();
    ensure(
        bound <= call.units && call.units < lease.units,
        AbortCode::ReleaseInvalid,
    )?;
    let freed = lease.units.saturating_sub(call.units);
    lease.units = call.units;
    if !over {
        stack.ungranted = stack.ungranted.saturating_add(freed);
    }
    restake(&stack, &mut node, before)?;
    fit(&mut stack)?;
    txn.emit(UnitsReleased {
        stack: stack.id,
        node: node.id,
        units: call.units,
        ungranted: stack.ungranted,
    });
    if settlement::is_done(&stack, node.id, txn.now()) {
        let freed = close_lease(&mut stack, &mut node)?;
        settlement::announce_closed(txn, &stack, &node, freed);
    }
    txn.put_stack(stack);
    txn.put_node(node);
    Ok(())
}

/// Takes back the units that no node has, and makes every grant given out before void, which is worth something where
/// all units are leased, too: a node may give some back. The owner may, and after the expiry anyone.
pub(crate) fn revoke(txn: &mut Txn<'_>, call: &RevokeUngranted) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    ensure(
        stack.owner == txn.sender() || txn.now() >= stack.expires_at_ms,
        AbortCode::StackNotExpired,
    )?;
    take_back(txn, &mut stack)?;
    txn.put_stack(stack);
    Ok(())
}

/// Ends the stack now: what nobody has is free at once, and nodes settle within the grace.
pub(crate) fn begin_close(txn: &mut Txn<'_>, call: &BeginClose) -> Rule {
    let mut stack = txn.own_stack(call.stack.id())?;
    stack.expires_at_ms = stack.expires_at_ms.min(txn.now());
    txn.emit(ExpiryChanged {
        stack: stack.id,
        expires_at_ms: stack.expires_at_ms,
        closing: true,
    });
    take_back(txn, &mut stack)?;
    txn.put_stack(stack);
    Ok(())
}

/// Pays the whole credit out, to whatever address the owner names.
pub(crate) fn withdraw(txn: &mut Txn<'_>, call: &WithdrawFree) -> Rule {
    let mut stack = txn.own_stack(call.stack.id())?;
    let amount = std::mem::take(&mut stack.free);
    ensure(amount > MicroUsdc::ZERO, AbortCode::NothingToWithdraw)?;
    txn.pay(call.to, amount);
    txn.emit(FreeWithdrawn {
        stack: stack.id,
        to: call.to,
        amount,
    });
    txn.put_stack(stack);
    Ok(())
}

fn take_back(txn: &mut Txn<'_>, stack: &mut Stack) -> Rule {
    let units = std::mem::take(&mut stack.ungranted);
    stack.nonce = stack
        .nonce
        .checked_add(1)
        .ok_or(AbortCode::AmountOverflow)?;
    let freed = fit(stack)?;
    txn.emit(UngrantedRevoked {
        stack: stack.id,
        units,
        freed,
        nonce: stack.nonce,
    });
    Ok(())
}
