//! A model whose only node can't be reached: what a client sees when nobody serves.

use crate::local_network::Served;
use anyhow::Result;
use atoma_network::{create_task, subscribe_unreachable_node};
use atoma_types::{EngineClass, Numerics, Price, Rule, chain::NewTask, hash::Hash32};

/// The name by which requests ask for it.
pub(super) const DEAD_MODEL: &str = "unreachable-model";
/// What its node asks, and the most that any may: nobody is ever paid.
const PRICE: Price = Price(2_000_000);
const CEILING: Price = Price(5_000_000);

/// A task with one node that nobody can reach: what users see when a model has no live node.
pub(super) async fn register(served: &Served) -> Result<()> {
    let (ledger, operator) = (&served.network.ledger, &served.network.operator);
    let tasks = ledger.all_tasks().await?;
    if tasks.iter().any(|task| task.model_name == DEAD_MODEL) {
        return Ok(());
    }
    let engine = EngineClass {
        model: Hash32::of(DEAD_MODEL.as_bytes()),
        numerics: Numerics::Tolerant,
        rule: Rule::Tolerant,
    };
    let task = NewTask::chat(DEAD_MODEL, engine, CEILING);
    let task = create_task(ledger, operator, task).await?;
    subscribe_unreachable_node(ledger, operator, task, PRICE).await?;
    Ok(())
}
