//! The HTTP face: OpenAI's endpoints for people with a key, health for everyone, metrics for the
//! operator. Each part's state is what it needs.

mod body;
mod completions;
mod health;
mod models;
mod relay;
mod respond;

use crate::metrics::Metrics;
use atoma_runtime::Runtime;
use atoma_types::refusal::{Refusal, RefusalCode};
use axum::{Router, extract::State, response::Response, routing::get};
use std::sync::Arc;

pub(crate) use completions::Completions;
pub(crate) use health::Health;
pub(crate) use models::Models;

/// All public routes.
pub(crate) fn routes(
    completions: Completions,
    models: Models,
    health: Health,
    runtime: &Runtime,
) -> Router {
    let routes = Router::new()
        .merge(completions.routes())
        .merge(models.routes())
        .merge(health.routes());
    with_fallbacks(routes, runtime)
}

/// The operator's routes.
pub(crate) fn admin_routes(metrics: Arc<Metrics>, runtime: &Runtime) -> Router {
    let routes = Router::new().route("/metrics", get(prometheus));
    with_fallbacks(routes.with_state(metrics), runtime)
}

async fn prometheus(State(metrics): State<Arc<Metrics>>) -> Response {
    respond::text(metrics.text())
}

/// Refuses what no route takes.
fn with_fallbacks(routes: Router, runtime: &Runtime) -> Router {
    let refuse = |code, message: &'static str| {
        let runtime = runtime.clone();
        move || {
            let response = respond::refuse(&runtime, &Refusal::new(code, message));
            async { response }
        }
    };
    let not_found =
        "no such path: see /v1/models, /v1/chat/completions, /v1/completions, /v1/embeddings";
    let wrong_method = "this path takes another method";
    routes
        .fallback(refuse(RefusalCode::NotFound, not_found))
        .method_not_allowed_fallback(refuse(RefusalCode::MethodNotAllowed, wrong_method))
}
