//! What a task is.

use crate::{
    Rule, Txn, db, ensure,
    limits::{MAX_ALLOW_LIST, MAX_MODEL_NAME, MAX_REPUTATION, MAX_WEIGHT},
    plus,
};
use atoma_types::{
    EngineClass, MicroUsdc, Rule as Comparison, UnitWeights,
    chain::{
        AbortCode, Task, VERSION,
        calls::{CreateTask, DeprecateTask, FundTask},
        events::{TaskCreated, TaskDeprecated, TaskFunded},
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
        version: VERSION,
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
        deprecated_at_ms: None,
        fees: MicroUsdc::ZERO,
        dues: MicroUsdc::ZERO,
        releases: Vec::new(),
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
    ensure(!task.is_deprecated(), AbortCode::TaskDeprecated)?;
    task.deprecated_at_ms = Some(txn.now());
    txn.count_down(&mut db.models, &task.model_name);
    txn.emit(TaskDeprecated { task: task.id });
    txn.put_db(db);
    txn.put_task(task);
    Ok(())
}

/// Adds to the pool of examinations: a new one must hold some before examined stacks are sold.
pub(crate) fn fund(txn: &mut Txn<'_>, call: &FundTask) -> Rule {
    let mut task = txn.task(call.task.id())?;
    let amount = call.payment.0;
    ensure(task.security_level.samples(), AbortCode::NotSampling)?;
    ensure(amount > MicroUsdc::ZERO, AbortCode::NothingAdded)?;
    txn.take(amount)?;
    task.dues = plus(task.dues, amount)?;
    txn.emit(TaskFunded {
        task: task.id,
        amount,
        dues: task.dues,
    });
    txn.put_task(task);
    Ok(())
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
