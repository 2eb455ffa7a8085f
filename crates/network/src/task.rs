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
use std::time::Duration;
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
            && existing.security_level == task.security
            && !existing.is_deprecated()
    };
    if let Some(existing) = ledger.all_tasks().await?.iter().find(same) {
        return Ok(existing.id);
    }
    let (engine, price_ceiling, security) = (task.engine, task.price_ceiling, task.security);
    let task = create_task(ledger, owner, task).await?;
    let step = Step::Task {
        task,
        model,
        engine,
        price_ceiling,
        security,
    };
    observer.step(&step, started.elapsed());
    Ok(task)
}

/// How often the ledger is asked whether a release is good.
const RELEASE_TICK: Duration = Duration::from_millis(100);

/// Announces a release in a confidential task, unless it is announced, and waits until it is good: at least the
/// network's delay.
///
/// # Errors
/// If the ledger refuses.
pub async fn release(
    ledger: &Ledger,
    owner: &SigningKey,
    task: TaskId,
    release: Hash32,
) -> Result<(), NetworkError> {
    let listed = |task: &Task| task.releases.iter().any(|known| known.digest == release);
    if !listed(&ledger.task(task).await?) {
        let announce = calls::AnnounceRelease {
            db: ledger.deployment().db.into(),
            task: task.into(),
            release,
            clock: Clock,
        };
        ledger.execute(owner, vec![announce.into()]).await?;
    }
    loop {
        let (task, now) = (ledger.task(task).await?, ledger.clock().await?);
        if task.releases(release, now) {
            return Ok(());
        }
        tokio::time::sleep(RELEASE_TICK).await;
    }
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
