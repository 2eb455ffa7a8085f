//! A node takes its grant to the ledger. Here alone a node binds itself, and here its live standing is
//! looked at.

use super::{fit, restake, stake};
use crate::{Rule, Txn, db, ensure, limits::MAX_LEASES, node, task};
use atoma_types::{
    ComputeUnits, MicroUsdc, Price, TimestampMs,
    chain::{
        AbortCode, AtomaDb, Lease, Node, Stack, Task, calls::Lease as LeaseCall, events::Leased,
    },
    hash::Hash32,
    message::{Grant, MessageSignature, Signed},
};

/// Gives a node the units of a signed grant, or raises its lease to them.
pub(crate) fn lease(txn: &mut Txn<'_>, call: &LeaseCall) -> Rule {
    let db = txn.db(call.db.id())?;
    db::ensure_open(&db)?;
    let mut stack = txn.stack(call.stack.id())?;
    let task = txn.task(call.task.id())?;
    let mut node = txn.own_node(call.node.id())?;
    ensure(stack.task == task.id, AbortCode::WrongTask)?;
    ensure(txn.now() < stack.expires_at_ms, AbortCode::StackExpired)?;
    ensure(!task.is_deprecated(), AbortCode::TaskDeprecated)?;
    ensure_standing(&db, &task, &node, txn.now())?;
    let may = stack.candidates.is_empty() || stack.candidates.contains(&node.id);
    ensure(may, AbortCode::NotCandidate)?;
    let grant = check_grant(txn, &stack, &node, call)?;

    let offer = task.subscription(node.id).map(|offer| offer.price);
    let place = place_for(&mut stack, &node, offer)?;
    let lease = &stack.leases[place];
    ensure(
        lease.price <= stack.max_price && lease.price <= grant.max_price,
        AbortCode::PriceAboveMax,
    )?;
    let added = grant.cumulative_units.saturating_sub(lease.units);
    ensure(added > ComputeUnits::ZERO, AbortCode::GrantNotHigher)?;
    let left = stack
        .ungranted
        .checked_sub(added)
        .ok_or(AbortCode::LeasesExceedStack)?;
    let before = stake(&stack, node.id)?;
    stack.ungranted = left;
    stack.leases[place].units = grant.cumulative_units;
    restake(&stack, &mut node, before)?;
    // every fine that can come of it is covered in full
    ensure(node.at_stake <= node.collateral, AbortCode::CollateralBusy)?;
    fit(&mut stack)?;
    announce(txn, &stack, place);
    txn.put_stack(stack);
    txn.put_node(node);
    Ok(())
}

/// What the node is now, not what some copy says.
fn ensure_standing(db: &AtomaDb, task: &Task, node: &Node, now: TimestampMs) -> Rule {
    ensure(node::is_active(node, now), AbortCode::NodeNotActive)?;
    ensure(
        node.collateral.0 >= db.params.min_collateral,
        AbortCode::CollateralTooLow,
    )?;
    task::ensure_fits(task, node)?;
    let attested = task::attested_until(task, node, now) >= now;
    ensure(
        attested || !task.security_level.confidential(),
        AbortCode::NotAttested,
    )
}

/// The grant, once it is found to be the stack's own word to this node.
fn check_grant(txn: &Txn<'_>, stack: &Stack, node: &Node, call: &LeaseCall) -> Rule<Grant> {
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
    ensure(grant.nonce == stack.nonce, AbortCode::GrantRevoked)?;
    Ok(grant.clone())
}

/// The place of the node's open lease; a new one, without units, begins at its present price and key.
fn place_for(stack: &mut Stack, node: &Node, offer: Option<Price>) -> Rule<usize> {
    if let Some(place) = stack.leases.iter().position(|lease| lease.node == node.id) {
        ensure(!stack.leases[place].closed, AbortCode::LeaseClosed)?;
        return Ok(place);
    }
    let price = offer.ok_or(AbortCode::NotSubscribed)?;
    ensure(stack.leases.len() < MAX_LEASES, AbortCode::LeasesFull)?;
    stack.leases.push(Lease {
        node: node.id,
        owner: node.owner,
        key: node.response_key,
        price,
        units: ComputeUnits::ZERO,
        paid_units: ComputeUnits::ZERO,
        paid_seq: 0,
        last: Hash32::ZERO,
        fees: MicroUsdc::ZERO,
        tickets: Vec::new(),
        closed: false,
    });
    Ok(stack.leases.len() - 1)
}

/// Tells the node all it needs to serve.
fn announce(txn: &mut Txn<'_>, stack: &Stack, place: usize) {
    let lease = &stack.leases[place];
    txn.emit(Leased {
        stack: stack.id,
        node: lease.node,
        task: stack.task,
        owner: stack.owner,
        request_key: stack.request_key,
        response_key: lease.key,
        units: lease.units,
        price: lease.price,
        ungranted: stack.ungranted,
        expires_at_ms: stack.expires_at_ms,
        settle_grace_ms: stack.terms.settle_grace_ms,
    });
}
