//! Buying a stack.

use super::{announce, occupy};
use crate::{
    Rule, Txn, db, draw, ensure,
    limits::{MAX_CANDIDATES, MAX_UNITS},
};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc,
    chain::{
        AbortCode, AtomaDb, Lease, LeaseState, Selection, Stack, Task, calls::AcquireStack,
        events::StackAcquired,
    },
};

/// Buys a stack and draws its nodes. Where too few fit, it aborts and the payment stays whole.
pub(crate) fn acquire(txn: &mut Txn<'_>, call: &AcquireStack) -> Rule {
    let db = txn.db(call.db.id())?;
    db::ensure_open(&db)?;
    let mut task = txn.task(call.task.id())?;
    ensure(!task.deprecated, AbortCode::TaskDeprecated)?;
    check_selection(call.selection)?;
    let units = call.total_units;
    ensure((1..=MAX_UNITS).contains(&units.0), AbortCode::UnitsInvalid)?;
    ensure(
        call.max_price.0 > 0 && call.max_price <= task.price_ceiling,
        AbortCode::MaxPriceInvalid,
    )?;
    ensure(
        call.request_key.decode().is_ok(),
        AbortCode::RequestKeyInvalid,
    )?;
    let lifetimes = db.params.min_lifetime_ms..=db.params.max_lifetime_ms;
    ensure(
        lifetimes.contains(&call.lifetime_ms.0),
        AbortCode::LifetimeInvalid,
    )?;
    let surcharge_permille = if task.security_level.samples() {
        db.params.sampling_surcharge_permille
    } else {
        0
    };
    let escrow = call
        .max_price
        .escrow(units, surcharge_permille)
        .ok_or(AbortCode::EscrowOverflow)?;
    // a stack that costs nothing would take nodes' capacity for nothing
    ensure(escrow > MicroUsdc::ZERO, AbortCode::EscrowZero)?;
    ensure(call.payment.0 == escrow, AbortCode::WrongPayment)?;
    let drawn = draw_nodes(txn, &db, &task, call)?;

    txn.take(escrow)?;
    let mut stack = Stack {
        id: txn.new_stack_id(),
        owner: txn.sender(),
        task: task.id,
        request_key: call.request_key,
        max_price: call.max_price,
        surcharge_permille,
        fee_permille: db.params.protocol_fee_permille,
        total_units: units,
        closed_units: ComputeUnits::ZERO,
        selection: call.selection,
        candidates: drawn.iter().map(|&i| task.subscriptions[i].node).collect(),
        leases: Vec::new(),
        escrow,
        created_at_ms: txn.now(),
        expires_at_ms: txn.now().saturating_add(call.lifetime_ms),
        settle_grace_ms: DurationMs(db.params.settle_grace_ms),
        dispute_window_ms: DurationMs(db.params.dispute_window_ms),
        answer_window_ms: DurationMs(db.params.answer_window_ms),
        dispute_bond: MicroUsdc(db.params.dispute_bond),
        closed: false,
    };
    txn.emit(StackAcquired {
        stack: stack.id,
        owner: stack.owner,
        task: task.id,
        request_key: stack.request_key,
        total_units: units,
        max_price: stack.max_price,
        escrow,
        selection: call.selection,
        candidates: stack.candidates.clone(),
        expires_at_ms: stack.expires_at_ms,
        settle_grace_ms: stack.settle_grace_ms,
    });
    if let (Selection::Single, Some(&place)) = (call.selection, drawn.first()) {
        let subscription = &mut task.subscriptions[place];
        occupy(subscription, units)?;
        subscription.open_leases += 1;
        let lease = Lease {
            node: subscription.node,
            units,
            price: subscription.price,
            state: LeaseState::Open,
            convicted: false,
        };
        announce(txn, &stack, &task, &lease);
        stack.leases.push(lease);
        txn.put_task(task);
    }
    txn.put_stack(stack);
    Ok(())
}

fn check_selection(selection: Selection) -> Rule {
    match selection {
        Selection::Limited { nodes } => ensure(
            (1..=MAX_CANDIDATES).contains(&nodes),
            AbortCode::NodeCountInvalid,
        ),
        Selection::Single | Selection::Any => Ok(()),
    }
}

/// Places, among the task's subscriptions, of the nodes that are drawn.
fn draw_nodes(txn: &Txn<'_>, db: &AtomaDb, task: &Task, call: &AcquireStack) -> Rule<Vec<usize>> {
    // a single node must take all; of others it is enough that they could take something
    let (room, count) = match call.selection {
        Selection::Single => (call.total_units, 1),
        Selection::Limited { nodes } => (ComputeUnits(1), usize::from(nodes)),
        Selection::Any => (ComputeUnits(1), 0),
    };
    let weights: Vec<Option<u128>> = task
        .subscriptions
        .iter()
        .map(|subscription| {
            draw::eligible(task, subscription, call.max_price, room)
                .then(|| draw::weight(subscription, db.params.collateral_cap))
        })
        .collect();
    ensure(
        weights.iter().any(Option::is_some),
        AbortCode::NobodyEligible,
    )?;
    let weights = weights.into_iter().map(Option::unwrap_or_default).collect();
    draw::draw(txn.seed(), weights, count).ok_or(AbortCode::TooFewEligible)
}
