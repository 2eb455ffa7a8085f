//! The HTTP face: OpenAI's endpoints for people with a key, health for everyone, metrics for the
//! operator. Each part's state is what it needs.

mod body;
mod completions;
mod health;
mod models;
mod relay;
mod respond;

use crate::metrics::Metrics;
use atoma_types::refusal::{Refusal, RefusalCode};
use axum::{Router, extract::State, response::Response, routing::get};
use std::sync::Arc;

pub(crate) use completions::Completions;
pub(crate) use health::Health;
pub(crate) use models::Models;

/// All public routes.
pub(crate) fn routes(completions: Completions, models: Models, health: Health) -> Router {
    Router::new()
        .merge(completions.routes())
        .merge(models.routes())
        .merge(health.routes())
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
}

/// The operator's routes.
pub(crate) fn admin_routes(metrics: Arc<Metrics>) -> Router {
    Router::new()
        .route("/metrics", get(prometheus))
        .fallback(not_found)
        .with_state(metrics)
}

async fn prometheus(State(metrics): State<Arc<Metrics>>) -> Response {
    respond::text(metrics.text())
}

async fn not_found() -> Response {
    let message =
        "no such path: see /v1/models, /v1/chat/completions, /v1/completions, /v1/embeddings";
    respond::refuse(&Refusal::new(RefusalCode::NotFound, message))
}

async fn wrong_method() -> Response {
    let message = "this path takes another method";
    respond::refuse(&Refusal::new(RefusalCode::MethodNotAllowed, message))
}
