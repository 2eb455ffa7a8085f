//! Tasks: listing, creating, ending.

use crate::{
    args::{CreateTask, TaskCommand},
    network,
    output::{Facts, Output},
    settings::Settings,
};
use anyhow::{Context, Result};
use atoma_types::{
    EngineClass, Numerics, Rule, TaskId, UnitWeights,
    chain::{Event, SubscriptionState, Task, calls},
    hash::Hash32,
};
use serde_json::json;

pub(crate) async fn run(command: TaskCommand, settings: Settings, output: &Output) -> Result<()> {
    let ledger = settings.ledger().await?;
    match command {
        TaskCommand::List => {
            let rows = ledger.all_tasks().await?.iter().map(summary).collect();
            output.table(
                rows,
                "no tasks yet: create one with `atoma task create builtin`",
            );
        }
        TaskCommand::Show { task } => {
            let task = ledger.task(task).await?;
            output.object(summary(&task));
            output.table(offers(&task), "no node is subscribed");
        }
        TaskCommand::Create(create) => {
            let call = create_call(&ledger, &create).await?;
            let done = ledger.execute(&settings.key()?, vec![call.into()]).await?;
            let task = created(&done.events).context("the ledger reported no new task")?;
            output.object(vec![
                ("task", json!(task)),
                ("transaction", json!(done.digest.to_string())),
                ("gas_mist", json!(done.gas_used)),
            ]);
        }
        TaskCommand::Deprecate { task } => {
            let db = ledger.deployment().db;
            let call = calls::DeprecateTask {
                db: db.into(),
                task: task.into(),
            };
            let done = ledger.execute(&settings.key()?, vec![call.into()]).await?;
            output.object(vec![
                ("deprecated", json!(task)),
                ("transaction", json!(done.digest.to_string())),
            ]);
        }
    }
    Ok(())
}

async fn create_call(
    ledger: &atoma_ledger::Ledger,
    create: &CreateTask,
) -> Result<calls::CreateTask> {
    let (name, engine) = match &create.revision {
        Some(hex) => {
            let model = hex
                .parse::<atoma_types::BlobId>()
                .context("--revision takes 64 hex digits")?;
            let engine = EngineClass {
                model: Hash32(model.0),
                numerics: Numerics::Tolerant,
                rule: Rule::Tolerant,
            };
            (create.model.clone(), engine)
        }
        None => {
            let model = (create.model != "builtin").then(|| create.model.clone());
            let model = network::load_model(model.as_deref(), None).await?;
            (model.info().id.clone(), network::engine_class(model.info()))
        }
    };
    Ok(calls::CreateTask {
        db: ledger.deployment().db.into(),
        role: create.role as u8,
        model_name: create.name.clone().unwrap_or(name),
        security_level: create.security as u8,
        price_ceiling: atoma_types::Price(create.price_ceiling.0.0),
        weights: weights_list(&UnitWeights::TEXT),
        model: engine.model.0.to_vec(),
        numerics: engine.numerics as u8,
        rule: engine.rule as u8,
        min_reputation: create.min_reputation,
        min_collateral: create.min_collateral.0,
        allow_list: None,
    })
}

/// The weights in the order of the call.
pub(crate) fn weights_list(weights: &UnitWeights) -> Vec<u64> {
    vec![
        weights.input,
        weights.cached_input,
        weights.output,
        weights.image_step,
        weights.audio_second,
    ]
}

/// The task that a transaction created.
pub(crate) fn created(events: &[Event]) -> Option<TaskId> {
    events.iter().find_map(|event| match event {
        Event::TaskCreated(created) => Some(created.task),
        _ => None,
    })
}

fn summary(task: &Task) -> Facts {
    let active = task
        .subscriptions
        .iter()
        .filter(|s| s.state == SubscriptionState::Active)
        .collect::<Vec<_>>();
    vec![
        ("task", json!(task.id)),
        ("model", json!(task.model_name)),
        ("role", json!(task.role.as_str())),
        ("security", json!(task.security_level.as_str())),
        ("nodes", json!(active.len())),
        (
            "cheapest",
            json!(active.iter().map(|s| s.price).min().map(|p| p.to_string())),
        ),
        ("ceiling", json!(task.price_ceiling.to_string())),
        ("deprecated", json!(task.deprecated)),
    ]
}

fn offers(task: &Task) -> Vec<Facts> {
    task.subscriptions
        .iter()
        .map(|s| {
            vec![
                ("node", json!(s.node)),
                ("price", json!(s.price.to_string())),
                ("capacity", json!(s.capacity.0)),
                ("leased", json!(s.leased.0)),
                ("reputation", json!(s.reputation)),
                ("state", json!(format!("{:?}", s.state).to_lowercase())),
            ]
        })
        .collect()
}
