//! Offers to serve. A full task goes to those with more at stake, whatever they claim to be able to do.

use super::{attester, entry};
use crate::{
    Rule, Txn, db, ensure,
    limits::{MAX_EVICTED, MAX_SUBSCRIPTIONS},
    node,
};
use atoma_types::{
    MicroUsdc, NodeId, Price, TimestampMs,
    chain::{
        AbortCode, AtomaDb, Node, Subscription, SubscriptionState, Task,
        calls::{Evict, Subscribe, SyncSubscription, Unsubscribe},
        events::{Subscribed, Unsubscribed},
    },
};

/// Subscribes a node, or changes its price. Leases keep the price that they began with.
pub(crate) fn subscribe(txn: &mut Txn<'_>, call: &Subscribe) -> Rule {
    let db = txn.db(call.db.id())?;
    let mut task = txn.task(call.task.id())?;
    let mut node = txn.own_node(call.node.id())?;
    check_offer(txn, &db, &task, &node, call.price)?;
    if let Some(subscription) = entry(&mut task, node.id) {
        ensure(
            subscription.state != SubscriptionState::Evicted,
            AbortCode::DutyOpen,
        )?;
        subscription.price = call.price;
        refresh(&mut task, &node, txn.now());
        announce(txn, &task, &node, call.price);
    } else {
        ensure(
            places(&task).count() < MAX_SUBSCRIPTIONS,
            AbortCode::SubscriptionsFull,
        )?;
        add(txn, &mut task, &mut node, call.price);
    }
    txn.put_task(task);
    txn.put_node(node);
    Ok(())
}

/// Subscribes a node in another's place. Leases of who goes are not touched: they need no subscription.
pub(crate) fn evict(txn: &mut Txn<'_>, call: &Evict) -> Rule {
    let db = txn.db(call.db.id())?;
    let mut task = txn.task(call.task.id())?;
    let mut node = txn.own_node(call.node.id())?;
    let mut evicted = txn.node(call.evicted.id())?;
    let now = txn.now();
    check_offer(txn, &db, &task, &node, call.price)?;
    ensure(
        places(&task).count() >= MAX_SUBSCRIPTIONS,
        AbortCode::SubscriptionsNotFull,
    )?;
    ensure(
        task.subscription(node.id).is_none(),
        AbortCode::SubscribedAlready,
    )?;
    // who goes is judged by what it is, not by a copy
    refresh(&mut task, &evicted, now);
    let smallest = places(&task).map(|place| place.matured).min();
    let old = places(&task)
        .find(|place| place.node == evicted.id)
        .ok_or(AbortCode::NotSubscribed)?;
    let on_duty = old.attester.is_some_and(|attester| attester.duties > 0);
    let above = u128::from(node.matured(now).0) * 4 >= u128::from(old.matured.0) * 5;
    let goes = old.state == SubscriptionState::Suspended
        || (Some(old.matured) == smallest && above && node.matured(now) > MicroUsdc::ZERO);
    ensure(goes, AbortCode::NotEvictable)?;
    if on_duty {
        dismiss(txn, &mut task, evicted.id)?;
    } else {
        remove(txn, &mut task, &mut evicted, true)?;
    }
    add(txn, &mut task, &mut node, call.price);
    txn.put_task(task);
    txn.put_node(evicted);
    txn.put_node(node);
    Ok(())
}

/// Leaves a task.
pub(crate) fn unsubscribe(txn: &mut Txn<'_>, call: &Unsubscribe) -> Rule {
    let mut task = txn.task(call.task.id())?;
    let mut node = txn.own_node(call.node.id())?;
    remove(txn, &mut task, &mut node, false)?;
    txn.put_task(task);
    txn.put_node(node);
    Ok(())
}

/// Copies a node's standing into a task. Anyone may.
pub(crate) fn sync(txn: &mut Txn<'_>, call: &SyncSubscription) -> Rule {
    let mut task = txn.task(call.task.id())?;
    let node = txn.node(call.node.id())?;
    ensure(
        task.subscription(node.id).is_some(),
        AbortCode::NotSubscribed,
    )?;
    refresh(&mut task, &node, txn.now());
    txn.put_task(task);
    Ok(())
}

/// Brings a subscription up to date with its node. Does nothing without one.
pub(crate) fn refresh(task: &mut Task, node: &Node, now: TimestampMs) {
    let fits = node::is_active(node, now) && ensure_fits(task, node).is_ok();
    let attested_until_ms = attested_until(task, node, now);
    if let Some(subscription) = entry(task, node.id) {
        subscription.matured = node.matured(now);
        subscription.reputation = node.standing.reputation;
        subscription.attested_until_ms = attested_until_ms;
        subscription.state = match subscription.state {
            SubscriptionState::Evicted => SubscriptionState::Evicted,
            SubscriptionState::Active | SubscriptionState::Suspended if fits => {
                SubscriptionState::Active
            }
            SubscriptionState::Active | SubscriptionState::Suspended => {
                SubscriptionState::Suspended
            }
        };
    }
}

/// Until when a node's attestation is good for a task, were nothing withdrawn; zero if it isn't good now.
pub(crate) fn attested_until(task: &Task, node: &Node, now: TimestampMs) -> TimestampMs {
    node.attestation
        .filter(|attestation| task.releases(attestation.release, now))
        .map(|attestation| attestation.expires_at_ms)
        .unwrap_or_default()
}

/// A task's own minimums.
pub(crate) fn ensure_fits(task: &Task, node: &Node) -> Rule {
    ensure(
        node.collateral >= task.min_collateral,
        AbortCode::CollateralBelowTask,
    )?;
    ensure(
        node.standing.reputation >= task.min_reputation,
        AbortCode::ReputationBelowTask,
    )
}

fn check_offer(txn: &Txn<'_>, db: &AtomaDb, task: &Task, node: &Node, price: Price) -> Rule {
    db::ensure_open(db)?;
    ensure(!task.is_deprecated(), AbortCode::TaskDeprecated)?;
    node::ensure_active(txn, node)?;
    let allowed = task
        .allow_list
        .as_ref()
        .is_none_or(|list| list.contains(&node.id));
    ensure(allowed, AbortCode::NodeNotAllowed)?;
    ensure(
        price.0 > 0 && price <= task.price_ceiling,
        AbortCode::PriceInvalid,
    )?;
    ensure_fits(task, node)
}

/// Subscriptions that have a place: all that weren't evicted.
fn places(task: &Task) -> impl Iterator<Item = &Subscription> {
    let all = task.subscriptions.iter();
    all.filter(|offer| offer.state != SubscriptionState::Evicted)
}

/// Takes the place of who has a duty: it is drawn no more, and unsubscribes once the last one is over.
fn dismiss(txn: &mut Txn<'_>, task: &mut Task, node: NodeId) -> Rule {
    let evicted = task.subscriptions.len() - places(task).count();
    ensure(evicted < MAX_EVICTED, AbortCode::DutyOpen)?;
    if let Some(subscription) = entry(task, node) {
        subscription.state = SubscriptionState::Evicted;
    }
    attester::strike(txn, task, node);
    txn.emit(Unsubscribed {
        task: task.id,
        node,
        evicted: true,
    });
    Ok(())
}

fn add(txn: &mut Txn<'_>, task: &mut Task, node: &mut Node, price: Price) {
    task.subscriptions.push(Subscription {
        node: node.id,
        owner: node.owner,
        price,
        matured: MicroUsdc::ZERO,
        reputation: 0,
        attested_until_ms: TimestampMs::default(),
        state: SubscriptionState::Active,
        attester: None,
    });
    refresh(task, node, txn.now());
    node.subscriptions += 1;
    announce(txn, task, node, price);
}

fn remove(txn: &mut Txn<'_>, task: &mut Task, node: &mut Node, evicted: bool) -> Rule {
    let id = node.id;
    let place = |task: &Task| {
        let mut all = task.subscriptions.iter();
        all.position(|subscription| subscription.node == id)
    };
    ensure(place(task).is_some(), AbortCode::NotSubscribed)?;
    attester::release_to(txn, task, node)?;
    // who was evicted left with its promise
    if let Some(place) = place(task) {
        task.subscriptions.remove(place);
        node.subscriptions = node.subscriptions.saturating_sub(1);
        txn.emit(Unsubscribed {
            task: task.id,
            node: node.id,
            evicted,
        });
    }
    Ok(())
}

fn announce(txn: &mut Txn<'_>, task: &Task, node: &Node, price: Price) {
    txn.emit(Subscribed {
        task: task.id,
        node: node.id,
        price,
    });
}
