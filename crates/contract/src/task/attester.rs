//! Promises to examine. A deposit lies in the task itself, so that a fine needs no further object and is
//! always there to be taken.

use super::entry;
use crate::{Rule, Txn, db, ensure, node, plus};
use atoma_types::{
    MicroUsdc, NodeId,
    chain::{
        AbortCode, Attester, Node, SubscriptionState, Task,
        calls::{CollectAttesterFees, EnrollAttester, ResignAttester},
        events::{AttesterChanged, AttesterPaid},
    },
};

/// A subscribed node promises to examine others.
pub(crate) fn attest(txn: &mut Txn<'_>, call: &EnrollAttester) -> Rule {
    let db = txn.db(call.db.id())?;
    db::ensure_open(&db)?;
    let mut task = txn.task(call.task.id())?;
    let node = txn.own_node(call.node.id())?;
    ensure(task.security_level.samples(), AbortCode::NotSampling)?;
    node::ensure_active(txn, &node)?;
    let deposit = call.deposit.0;
    ensure(
        deposit.0 == db.params.attest_deposit,
        AbortCode::WrongDeposit,
    )?;
    let subscription = entry(&mut task, node.id).ok_or(AbortCode::NotSubscribed)?;
    ensure(subscription.attester.is_none(), AbortCode::AttestsAlready)?;
    txn.take(deposit)?;
    subscription.attester = Some(Attester {
        active: true,
        stake: deposit,
        since_ms: txn.now(),
        ..Attester::default()
    });
    changed(txn, &task, node.id);
    txn.put_task(task);
    Ok(())
}

/// Ends the promise. Deposit and fees become the node's earnings. With a duty open, whoever can be drawn isn't any more, and
/// keeps its deposit here until the last one has ended: then it resigns again.
pub(crate) fn resign(txn: &mut Txn<'_>, call: &ResignAttester) -> Rule {
    let mut task = txn.task(call.task.id())?;
    let mut node = txn.own_node(call.node.id())?;
    let subscription = task.subscription(node.id).ok_or(AbortCode::NotSubscribed)?;
    let attester = subscription.attester.ok_or(AbortCode::NotAttesting)?;
    if attester.active && attester.duties > 0 {
        strike(txn, &mut task, node.id);
    } else {
        release_to(txn, &mut task, &mut node)?;
    }
    txn.put_task(task);
    txn.put_node(node);
    Ok(())
}

/// Makes fees the node's earnings; of one that was evicted and has no duty any more, all that it has here. Anyone may.
pub(crate) fn collect(txn: &mut Txn<'_>, call: &CollectAttesterFees) -> Rule {
    let mut task = txn.task(call.task.id())?;
    let mut node = txn.node(call.node.id())?;
    let evicted =
        entry(&mut task, node.id).is_some_and(|offer| offer.state == SubscriptionState::Evicted);
    let attester = promise(&mut task, node.id).ok_or(AbortCode::NotAttesting)?;
    if evicted && attester.duties == 0 {
        release_to(txn, &mut task, &mut node)?;
        txn.put_task(task);
        txn.put_node(node);
        return Ok(());
    }
    let amount = std::mem::take(&mut attester.earned);
    ensure(amount > MicroUsdc::ZERO, AbortCode::NoFees)?;
    node.earnings = plus(node.earnings, amount)?;
    txn.emit(AttesterPaid {
        task: task.id,
        node: node.id,
        amount,
    });
    txn.put_task(task);
    txn.put_node(node);
    Ok(())
}

/// Gives an attester all that it has in the task, if it is one and has no duty. Of one that was evicted nothing is left here.
pub(super) fn release_to(txn: &mut Txn<'_>, task: &mut Task, node: &mut Node) -> Rule {
    let Some(subscription) = entry(task, node.id) else {
        return Ok(());
    };
    let evicted = subscription.state == SubscriptionState::Evicted;
    let Some(attester) = subscription.attester.take() else {
        return Ok(());
    };
    ensure(attester.duties == 0, AbortCode::DutyOpen)?;
    let amount = plus(attester.stake, attester.earned)?;
    node.earnings = plus(node.earnings, amount)?;
    txn.emit(AttesterPaid {
        task: task.id,
        node: node.id,
        amount,
    });
    if evicted {
        task.subscriptions.retain(|offer| offer.node != node.id);
        node.subscriptions = node.subscriptions.saturating_sub(1);
    }
    Ok(())
}

/// An attester's promise, to be changed. It stays as long as a duty is open.
pub(crate) fn promise(task: &mut Task, node: NodeId) -> Option<&mut Attester> {
    entry(task, node)?.attester.as_mut()
}

/// Books a fee for an attester.
pub(crate) fn credit(task: &mut Task, node: NodeId, fee: MicroUsdc) -> Rule {
    let attester = promise(task, node).ok_or(AbortCode::NotAttesting)?;
    attester.earned = plus(attester.earned, fee)?;
    Ok(())
}

/// Takes a fine out of an attester's stake, as far as it goes; returns what was taken.
pub(crate) fn charge(
    txn: &mut Txn<'_>,
    task: &mut Task,
    node: NodeId,
    fine: MicroUsdc,
) -> Rule<MicroUsdc> {
    let attester = promise(task, node).ok_or(AbortCode::NotAttesting)?;
    let taken = fine.min(attester.stake);
    attester.stake = crate::minus(attester.stake, taken)?;
    changed(txn, task, node);
    Ok(taken)
}

/// Strikes an attester off that was silent, or leaves. Its deposit stays its own, and pays its fines.
pub(crate) fn strike(txn: &mut Txn<'_>, task: &mut Task, node: NodeId) {
    if let Some(attester) = promise(task, node) {
        attester.active = false;
    }
    changed(txn, task, node);
}

fn changed(txn: &mut Txn<'_>, task: &Task, node: NodeId) {
    let attester = task
        .subscription(node)
        .and_then(|subscription| subscription.attester)
        .unwrap_or_default();
    txn.emit(AttesterChanged {
        task: task.id,
        node,
        active: attester.active,
        stake: attester.stake,
    });
}
