//! Tasks, and nodes that only stand on the ledger.

use crate::{
    COLLATERAL, NetworkError,
    progress::{Observer, Step},
};
use atoma_engine::ModelInfo;
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_types::{
    EngineClass, NodeId, Price, Role, TaskId,
    chain::{Clock, Event, NewTask, Payment, Task, calls},
    hash::Hash32,
};
use tokio::time::Instant;

/// Nothing listens on the discard port.
const UNREACHABLE: &str = "http://127.0.0.1:9";

/// What a verifier must run for this model.
#[must_use]
pub fn engine_class(info: &ModelInfo) -> EngineClass {
    EngineClass {
        model: Hash32(info.revision),
        numerics: info.numerics,
        rule: info.numerics.strictest_rule(),
    }
}

/// What a task of this model computes, unless somebody wants it otherwise.
#[must_use]
pub fn natural_role(info: &ModelInfo) -> Role {
    if info.only_embeds {
        Role::Embedding
    } else {
        Role::ChatCompletion
    }
}

/// Creates a task.
///
/// # Errors
/// If the ledger refuses.
pub async fn create_task(
    ledger: &Ledger,
    owner: &SigningKey,
    task: NewTask,
) -> Result<TaskId, NetworkError> {
    let call = task.call(ledger.deployment().db);
    let done = ledger.execute(owner, vec![call]).await?;
    NewTask::created(&done.events).ok_or(NetworkError::NoEvent("task"))
}

/// The task of this model and engine, made if there is none.
///
/// # Errors
/// If the ledger refuses.
pub async fn find_or_create_task(
    ledger: &Ledger,
    owner: &SigningKey,
    model: &ModelInfo,
    task: NewTask,
    observer: &dyn Observer,
) -> Result<TaskId, NetworkError> {
    let started = Instant::now();
    let same = |existing: &&Task| {
        existing.model_name == task.model
            && existing.engine == task.engine
            && !existing.is_deprecated()
    };
    if let Some(existing) = ledger.all_tasks().await?.iter().find(same) {
        return Ok(existing.id);
    }
    let (engine, price_ceiling) = (task.engine, task.price_ceiling);
    let task = create_task(ledger, owner, task).await?;
    let step = Step::Task {
        task,
        model,
        engine,
        price_ceiling,
    };
    observer.step(&step, started.elapsed());
    Ok(task)
}

/// Registers a node that sells a task and isn't there: what users see when a model has no live node.
///
/// # Errors
/// If the ledger refuses.
pub async fn subscribe_unreachable_node(
    ledger: &Ledger,
    owner: &SigningKey,
    task: TaskId,
    price: Price,
) -> Result<NodeId, NetworkError> {
    let db = ledger.deployment().db;
    let register = calls::RegisterNode {
        db: db.into(),
        collateral: Payment(COLLATERAL),
        url: UNREACHABLE.to_owned(),
        response_key: SigningKey::generate(&*ledger.runtime().random).public_key(),
        sealing_key: None,
        clock: Clock,
    };
    let done = ledger.execute(owner, vec![register.into()]).await?;
    let registered = done.events.iter().find_map(|event| match event {
        Event::NodeRegistered(registered) => Some(registered.node),
        _ => None,
    });
    let node = registered.ok_or(NetworkError::NoEvent("node"))?;
    let subscribe = calls::Subscribe {
        db: db.into(),
        task: task.into(),
        node: node.into(),
        price,
        clock: Clock,
    };
    ledger.execute(owner, vec![subscribe.into()]).await?;
    Ok(node)
}
