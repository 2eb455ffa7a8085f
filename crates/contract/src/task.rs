//! Tasks and the nodes that offer to serve them.

use crate::{
    Rule, Txn, db, ensure,
    limits::{
        MAX_ALLOW_LIST, MAX_MODEL_NAME, MAX_REPUTATION, MAX_SUBSCRIPTIONS, MAX_UNITS, MAX_WEIGHT,
    },
    node,
};
use atoma_types::{
    ComputeUnits, EngineClass, MicroUsdc, NodeId, Rule as Comparison, TimestampMs, UnitWeights,
    chain::{
        AbortCode, Node, NodeStatus, Subscription, SubscriptionState, Task,
        calls::{CreateTask, DeprecateTask, Subscribe, SyncSubscription, Unsubscribe},
        events::{Subscribed, TaskCreated, TaskDeprecated, Unsubscribed},
    },
};

/// Creates a task of the sender's. Anyone may.
pub(crate) fn create(txn: &mut Txn<'_>, call: &CreateTask) -> Rule {
    let mut db = txn.db(call.db.id())?;
    db::ensure_open(&db)?;
    ensure(
        (1..=MAX_MODEL_NAME).contains(&call.model_name.len()),
        AbortCode::ModelNameInvalid,
    )?;
    ensure(call.price_ceiling.0 > 0, AbortCode::PriceCeilingZero)?;
    check_weights(&call.weights)?;
    let engine = engine(call)?;
    ensure(
        call.min_reputation <= MAX_REPUTATION,
        AbortCode::MinReputationTooHigh,
    )?;
    let listed = call.allow_list.as_ref().map_or(0, Vec::len);
    ensure(listed <= MAX_ALLOW_LIST, AbortCode::AllowListTooLong)?;

    let id = txn.new_task_id();
    let number = txn.add_numbered(&mut db.tasks, id.0);
    txn.count_up(&mut db.models, &call.model_name);
    let task = Task {
        id,
        number,
        owner: txn.sender(),
        role: call.role,
        model_name: call.model_name.clone(),
        security_level: call.security_level,
        price_ceiling: call.price_ceiling,
        weights: call.weights,
        engine,
        min_reputation: call.min_reputation,
        min_collateral: call.min_collateral,
        allow_list: call.allow_list.clone(),
        deprecated: false,
        fees: MicroUsdc::ZERO,
        subscriptions: Vec::new(),
    };
    txn.emit(TaskCreated {
        task: id,
        number,
        owner: task.owner,
        role: task.role,
        model_name: task.model_name.clone(),
        security_level: task.security_level,
        price_ceiling: task.price_ceiling,
    });
    txn.put_db(db);
    txn.put_task(task);
    Ok(())
}

/// Ends new business on a task; what is sold already is served and settled.
pub(crate) fn deprecate(txn: &mut Txn<'_>, call: &DeprecateTask) -> Rule {
    let mut db = txn.db(call.db.id())?;
    let mut task = txn.own_task(call.task.id())?;
    ensure(!task.deprecated, AbortCode::TaskDeprecated)?;
    task.deprecated = true;
    txn.count_down(&mut db.models, &task.model_name);
    txn.emit(TaskDeprecated { task: task.id });
    txn.put_db(db);
    txn.put_task(task);
    Ok(())
}

/// Subscribes a node, or changes its price and capacity; a node that was leaving is back.
pub(crate) fn subscribe(txn: &mut Txn<'_>, call: &Subscribe) -> Rule {
    let db = txn.db(call.db.id())?;
    db::ensure_open(&db)?;
    let mut task = txn.task(call.task.id())?;
    let mut node = txn.own_node(call.node.id())?;
    ensure(!task.deprecated, AbortCode::TaskDeprecated)?;
    // there is no clock here: a jail that is over is first lifted by `sync`
    let active = node.status == NodeStatus::Active;
    ensure(active, AbortCode::NodeNotActive)?;
    let allowed = task
        .allow_list
        .as_ref()
        .is_none_or(|list| list.contains(&node.id));
    ensure(allowed, AbortCode::NodeNotAllowed)?;
    ensure(
        call.price.0 > 0 && call.price <= task.price_ceiling,
        AbortCode::PriceInvalid,
    )?;
    ensure(
        (1..=MAX_UNITS).contains(&call.capacity.0),
        AbortCode::CapacityInvalid,
    )?;
    ensure_fits(&task, &node)?;

    if let Some(subscription) = entry(&mut task, node.id) {
        subscription.price = call.price;
        subscription.capacity = call.capacity;
        subscription.state = SubscriptionState::Active;
        copy_standing(subscription, &node);
    } else {
        ensure(
            task.subscriptions.len() < MAX_SUBSCRIPTIONS,
            AbortCode::SubscriptionsFull,
        )?;
        task.subscriptions.push(Subscription {
            node: node.id,
            price: call.price,
            capacity: call.capacity,
            leased: ComputeUnits::ZERO,
            open_leases: 0,
            collateral: node.collateral,
            reputation: node.reputation,
            state: SubscriptionState::Active,
        });
        node.subscriptions += 1;
    }
    txn.emit(Subscribed {
        task: task.id,
        node: node.id,
        price: call.price,
        capacity: call.capacity,
    });
    txn.put_task(task);
    txn.put_node(node);
    Ok(())
}

/// Leaves a task: at once without open leases, else with the last of them.
pub(crate) fn unsubscribe(txn: &mut Txn<'_>, call: &Unsubscribe) -> Rule {
    let mut task = txn.task(call.task.id())?;
    let mut node = txn.own_node(call.node.id())?;
    let subscription = entry(&mut task, node.id).ok_or(AbortCode::NotSubscribed)?;
    subscription.state = SubscriptionState::Leaving;
    remove_if_gone(&mut task, &mut node);
    txn.emit(Unsubscribed {
        task: task.id,
        node: node.id,
    });
    txn.put_task(task);
    txn.put_node(node);
    Ok(())
}

/// Copies a node's standing into a task, and lifts a jail whose time is over. Anyone may.
pub(crate) fn sync(txn: &mut Txn<'_>, call: &SyncSubscription) -> Rule {
    let mut task = txn.task(call.task.id())?;
    let mut node = txn.node(call.node.id())?;
    let over =
        matches!(node.status, NodeStatus::Jailed { .. }) && node::is_active(&node, txn.now());
    // a node that left all its tasks has no other way out of its jail
    ensure(
        over || task.subscription(node.id).is_some(),
        AbortCode::NotSubscribed,
    )?;
    if over {
        node::set_status(txn, &mut node, NodeStatus::Active);
    }
    refresh(&mut task, &mut node, txn.now());
    txn.put_task(task);
    txn.put_node(node);
    Ok(())
}

/// Brings a subscription up to date with its node, and removes it if it has left and nothing is
/// leased. Does nothing without a subscription.
pub(crate) fn refresh(task: &mut Task, node: &mut Node, now: TimestampMs) {
    if let Some(subscription) = entry(task, node.id) {
        copy_standing(subscription, node);
        let active = node::is_active(node, now);
        subscription.state = match subscription.state {
            SubscriptionState::Leaving => SubscriptionState::Leaving,
            _ if active => SubscriptionState::Active,
            _ => SubscriptionState::Suspended,
        };
    }
    remove_if_gone(task, node);
}

/// A task's own minimums.
pub(crate) fn ensure_fits(task: &Task, node: &Node) -> Rule {
    ensure(
        node.collateral >= task.min_collateral,
        AbortCode::CollateralBelowTask,
    )?;
    ensure(
        node.reputation >= task.min_reputation,
        AbortCode::ReputationBelowTask,
    )
}

/// The subscription of a node, to be changed.
pub(crate) fn entry(task: &mut Task, node: NodeId) -> Option<&mut Subscription> {
    task.subscriptions
        .iter_mut()
        .find(|subscription| subscription.node == node)
}

fn copy_standing(subscription: &mut Subscription, node: &Node) {
    subscription.collateral = node.collateral;
    subscription.reputation = node.reputation;
}

fn remove_if_gone(task: &mut Task, node: &mut Node) {
    let before = task.subscriptions.len();
    task.subscriptions.retain(|subscription| {
        let gone =
            subscription.state == SubscriptionState::Leaving && subscription.open_leases == 0;
        subscription.node != node.id || !gone
    });
    let removed = (before - task.subscriptions.len()) as u64;
    node.subscriptions = node.subscriptions.saturating_sub(removed);
}

fn check_weights(weights: &UnitWeights) -> Rule {
    let list = weights.to_list();
    let small = list.iter().all(|&weight| weight <= MAX_WEIGHT);
    let some = list.iter().any(|&weight| weight > 0);
    ensure(small && some, AbortCode::WeightsInvalid)
}

/// One differing bit is proof only where two honest runs never differ, so `exact` needs one of the
/// deterministic numerics.
fn engine(call: &CreateTask) -> Rule<EngineClass> {
    let fits = call.rule == Comparison::Tolerant || call.numerics.is_exact();
    ensure(fits, AbortCode::RuleUnfit)?;
    Ok(EngineClass {
        model: call.model,
        numerics: call.numerics,
        rule: call.rule,
    })
}
