//! The HTTP face: OpenAI's endpoints for people with a key, health for everyone, metrics for the
//! operator.

mod body;
mod relay;
mod respond;

use crate::{
    body::read,
    errors::unknown_model,
    gateway::{Place, Shared},
    order::Order,
};
use atoma_types::{
    message::Endpoint,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    response::Response,
    routing::{get, post},
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use std::sync::Arc;

pub(crate) use relay::stream;
pub(crate) use respond::json;

/// Who stands behind the models, in `/v1/models`.
const OWNER: &str = "atoma";

/// All public routes.
pub(crate) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completions))
        .route("/v1/embeddings", post(embeddings))
        .route("/v1/models", get(models))
        .route("/v1/models/{*model}", get(model))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .with_state(shared)
}

/// The operator's routes.
pub(crate) fn admin_routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .fallback(not_found)
        .with_state(shared)
}

async fn chat(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve(&shared, Endpoint::ChatCompletions, request).await
}

async fn completions(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve(&shared, Endpoint::Completions, request).await
}

async fn embeddings(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve(&shared, Endpoint::Embeddings, request).await
}

async fn serve(shared: &Arc<Shared>, endpoint: Endpoint, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let answer = answer(shared, endpoint, &head.headers, body).await;
    let response = answer.unwrap_or_else(|refusal| respond::refuse(&refusal));
    let status = response.status().as_u16();
    shared.metrics.answered(endpoint, status);
    response
}

/// The way of a request. The key comes first, so that strangers cost nothing; then a place, so that
/// only so many bodies are held at once.
async fn answer(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let user = shared.keys.find(headers)?;
    let place: Place = shared.enter(user)?;
    let body = body::read(headers, body, &shared.config.limits).await?;
    let asked = read(&body)?;
    let pool = shared.market.find(&asked.model, endpoint);
    let pool = pool.ok_or_else(|| unknown_model(&asked.model))?;
    let order = Order::new(shared, user, pool, endpoint, &asked)?;
    order.run(body, place).await
}

#[derive(Serialize)]
struct ModelObject<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

impl<'a> From<&'a crate::market::Listed> for ModelObject<'a> {
    fn from(listed: &'a crate::market::Listed) -> Self {
        Self {
            id: &listed.name,
            object: "model",
            created: listed.since.0 / 1_000,
            owned_by: OWNER,
        }
    }
}

#[derive(Serialize)]
struct ModelList<'a> {
    object: &'static str,
    data: Vec<ModelObject<'a>>,
}

async fn models(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = shared.keys.find(&headers) {
        return respond::refuse(&refusal);
    }
    let listed = shared.market.list();
    document(&ModelList {
        object: "list",
        data: listed.iter().map(ModelObject::from).collect(),
    })
}

async fn model(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = shared.keys.find(&headers) {
        return respond::refuse(&refusal);
    }
    let listed = shared.market.list();
    match listed.iter().find(|listed| listed.name == name) {
        Some(found) => document(&ModelObject::from(found)),
        None => respond::refuse(&unknown_model(&name)),
    }
}

fn document(value: &impl Serialize) -> Response {
    // structs of strings and numbers always serialise
    json(
        StatusCode::OK,
        serde_json::to_vec(value).unwrap_or_default(),
    )
}

/// The process answers.
async fn healthz() -> Response {
    json(StatusCode::OK, r#"{"status":"ok"}"#)
}

/// It can serve: it isn't stopping, and there is something to serve.
async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    if shared.stopping() {
        return respond::refuse(&Refusal::new(
            RefusalCode::Unavailable,
            "the gateway is stopping",
        ));
    }
    if shared.market.list().is_empty() {
        return respond::refuse(&Refusal::new(
            RefusalCode::Unavailable,
            "no model is on sale",
        ));
    }
    json(StatusCode::OK, r#"{"status":"ready"}"#)
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    respond::text(shared.metrics.text())
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
