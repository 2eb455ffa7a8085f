//! The owner's ways out. None needs anyone's help.

use super::{close_if_done, refund};
use crate::{Rule, Txn, ensure};
use atoma_types::{
    ComputeUnits,
    chain::{
        AbortCode, LeaseState, Stack,
        calls::{BeginClose, CloseStack, RevokeUngranted},
        events::{ExpiryChanged, UngrantedRevoked},
    },
};

/// Takes back the units that no node has.
pub(crate) fn revoke_ungranted(txn: &mut Txn<'_>, call: &RevokeUngranted) -> Rule {
    let mut stack = txn.own_stack(call.stack.id())?;
    ensure(
        stack.ungranted_units() > ComputeUnits::ZERO,
        AbortCode::NothingUngranted,
    )?;
    revoke(txn, &mut stack)?;
    close_if_done(txn, &mut stack);
    txn.put_stack(stack);
    Ok(())
}

/// Ends the stack now: what nobody has goes back at once, and nodes settle within the grace.
pub(crate) fn begin_close(txn: &mut Txn<'_>, call: &BeginClose) -> Rule {
    let mut stack = txn.own_stack(call.stack.id())?;
    stack.expires_at_ms = stack.expires_at_ms.min(txn.now());
    txn.emit(ExpiryChanged {
        stack: stack.id,
        expires_at_ms: stack.expires_at_ms,
        closing: true,
    });
    if stack.ungranted_units() > ComputeUnits::ZERO {
        revoke(txn, &mut stack)?;
    }
    close_if_done(txn, &mut stack);
    txn.put_stack(stack);
    Ok(())
}

/// Pays an expired stack's rest to its owner, once no lease can claim any of it. Anyone may.
pub(crate) fn close_after_expiry(txn: &mut Txn<'_>, call: &CloseStack) -> Rule {
    let mut stack = txn.stack(call.stack.id())?;
    ensure(!stack.closed, AbortCode::StackClosed)?;
    ensure(txn.now() > stack.settle_deadline(), AbortCode::GraceNotOver)?;
    let all_closed = stack
        .leases
        .iter()
        .all(|lease| matches!(lease.state, LeaseState::Closed { .. }));
    ensure(all_closed, AbortCode::LeasesNotClosed)?;
    revoke(txn, &mut stack)?;
    close_if_done(txn, &mut stack);
    txn.put_stack(stack);
    Ok(())
}

/// Takes the ungranted units out of the stack and pays their escrow back.
fn revoke(txn: &mut Txn<'_>, stack: &mut Stack) -> Rule {
    let units = stack.ungranted_units();
    stack.total_units = stack.total_units.saturating_sub(units);
    let refunded = refund(txn, stack)?;
    txn.emit(UngrantedRevoked {
        stack: stack.id,
        units,
        refunded,
    });
    Ok(())
}
