//! What this node is and serves.

use super::respond::{ok, refuse};
use crate::{concurrency::ConcurrencyLimit, identity::Identity, tasks::Tasks};
use atoma_types::{
    PublicKey,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::json as object;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct About {
    pub us: Identity,
    pub url: String,
    pub response_key: PublicKey,
    pub tasks: Arc<Tasks>,
    pub concurrency: Arc<ConcurrencyLimit>,
}

pub(super) async fn models(State(about): State<Arc<About>>) -> Response {
    let models: Vec<_> = about
        .tasks
        .iter()
        .map(|task| about.model(&task.model))
        .collect();
    ok(&object!({ "object": "list", "data": models }))
}

pub(super) async fn model(State(about): State<Arc<About>>, Path(model): Path<String>) -> Response {
    if about.tasks.iter().any(|task| task.model == model) {
        return ok(&about.model(&model));
    }
    refuse(&Refusal::new(
        RefusalCode::UnknownModel,
        "this node does not serve the model",
    ))
}

pub(super) async fn node(State(about): State<Arc<About>>) -> Response {
    let tasks = about.tasks.iter().map(|task| {
        let load = task.engine.load();
        object!({
            "task": task.id, "role": task.role.as_str(), "model": task.model,
            "price": task.price, "weights": task.weights,
            "load": { "running": load.running, "waiting": load.waiting, "healthy": load.healthy },
        })
    });
    let concurrency = &about.concurrency;
    ok(&object!({
        "node": about.us.node,
        "network": about.us.network.to_string(),
        "response_key": about.response_key.to_string(),
        "url": about.url,
        "tasks": tasks.collect::<Vec<_>>(),
        "load": { "running": concurrency.running(), "limit": concurrency.size() },
    }))
}

impl About {
    /// A model as OpenAI's API shows it.
    fn model(&self, model: &str) -> serde_json::Value {
        let created = self.us.started_at.0 / 1_000;
        object!({ "id": model, "object": "model", "created": created, "owned_by": "atoma" })
    }
}
