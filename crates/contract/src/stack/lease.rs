//! A node takes its grant to the ledger.

use super::{announce, occupy};
use crate::{Rule, Txn, db, ensure, limits::MAX_LEASES, node, task};
use atoma_types::{
    ComputeUnits,
    chain::{AbortCode, Lease, LeaseState, Node, Selection, Stack, calls::Lease as LeaseCall},
    message::{Grant, MessageSignature, Signed},
};

/// Gives a node the units of a signed grant, or raises its lease to them.
pub(crate) fn lease(txn: &mut Txn<'_>, call: &LeaseCall) -> Rule {
    let db = txn.db(call.db.id())?;
    db::ensure_open(&db)?;
    let mut stack = txn.stack(call.stack.id())?;
    let mut task = txn.task(call.task.id())?;
    let node = txn.own_node(call.node.id())?;
    ensure(stack.task == task.id, AbortCode::WrongTask)?;
    ensure(!stack.closed, AbortCode::StackClosed)?;
    ensure(txn.now() < stack.expires_at_ms, AbortCode::StackExpired)?;
    ensure(!task.deprecated, AbortCode::TaskDeprecated)?;
    ensure(node::is_active(&node, txn.now()), AbortCode::NodeNotActive)?;
    ensure_selected(&stack, &node)?;
    let granted = granted_units(txn, &stack, &node, call)?;

    let place = stack.leases.iter().position(|lease| lease.node == node.id);
    let held = match place.map(|place| &stack.leases[place]) {
        Some(lease) => {
            ensure(lease.state == LeaseState::Open, AbortCode::LeaseClosed)?;
            lease.units
        }
        None => {
            ensure(stack.leases.len() < MAX_LEASES, AbortCode::LeasesFull)?;
            ComputeUnits::ZERO
        }
    };
    let added = granted.saturating_sub(held);
    ensure(added > ComputeUnits::ZERO, AbortCode::GrantNotHigher)?;
    ensure(
        added <= stack.ungranted_units(),
        AbortCode::LeasesExceedStack,
    )?;
    task::ensure_fits(&task, &node)?;
    let subscription = task::entry(&mut task, node.id).ok_or(AbortCode::NotSubscribed)?;
    occupy(subscription, added)?;
    let lease = match place {
        Some(place) => {
            stack.leases[place].units = granted;
            stack.leases[place].clone()
        }
        None => {
            ensure(
                subscription.price <= stack.max_price,
                AbortCode::PriceAboveMax,
            )?;
            subscription.open_leases += 1;
            let lease = Lease {
                node: node.id,
                units: granted,
                price: subscription.price,
                state: LeaseState::Open,
                convicted: false,
            };
            stack.leases.push(lease.clone());
            lease
        }
    };
    announce(txn, &stack, &task, &lease);
    txn.put_task(task);
    txn.put_stack(stack);
    Ok(())
}

fn ensure_selected(stack: &Stack, node: &Node) -> Rule {
    match stack.selection {
        Selection::Single => Err(AbortCode::SingleTakesNoGrants),
        Selection::Limited { .. } => {
            ensure(stack.candidates.contains(&node.id), AbortCode::NotCandidate)
        }
        Selection::Any => Ok(()),
    }
}

/// The cumulative units of a grant, once it is found to be the stack's own word to this node.
fn granted_units(
    txn: &Txn<'_>,
    stack: &Stack,
    node: &Node,
    call: &LeaseCall,
) -> Rule<ComputeUnits> {
    let signature = MessageSignature::try_from(call.signature.as_slice())
        .map_err(|_| AbortCode::GrantBadSignature)?;
    let signed = Signed::<Grant>::decode(call.grant.clone(), signature)
        .map_err(|_| AbortCode::GrantInvalid)?;
    let grant = signed.message();
    ensure(grant.network == txn.network(), AbortCode::GrantWrongNetwork)?;
    ensure(grant.stack == stack.id, AbortCode::GrantWrongStack)?;
    ensure(grant.node == node.id, AbortCode::GrantWrongNode)?;
    signed
        .verify(&stack.request_key)
        .map_err(|_| AbortCode::GrantBadSignature)?;
    ensure(txn.now() <= grant.expires_at_ms, AbortCode::GrantExpired)?;
    Ok(grant.cumulative_units)
}
