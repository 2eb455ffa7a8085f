//! The public HTTP face: OpenAI's endpoints, receipts, leases and health.

mod body;
mod embeddings;
mod generate;
mod info;
mod respond;
mod signed_request;
mod stream;

pub(crate) use info::{healthz, lease_status, ok, readyz, text};
pub(crate) use respond::{json, refuse};

use crate::shared::Shared;
use atoma_types::refusal::{Refusal, RefusalCode};
use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use std::sync::Arc;

/// All public routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(generate::chat))
        .route("/v1/completions", post(generate::completions))
        .route("/v1/embeddings", post(embeddings::embeddings))
        .route("/v1/models", get(info::models))
        .route("/v1/models/{*model}", get(info::model))
        .route("/v1/receipts/{id}", get(info::receipt))
        .route("/v1/receipts/{id}/proof", get(info::proof))
        .route("/v1/node", get(info::node))
        .route("/v1/leases", post(info::take_grant))
        .route("/v1/leases/{stack}", get(info::lease))
        .route("/healthz", get(info::healthz))
        .route("/readyz", get(info::readyz))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .with_state(shared)
}

async fn not_found() -> Response {
    refuse(&Refusal::new(RefusalCode::NotFound, "no such path"))
}

async fn wrong_method() -> Response {
    refuse(&Refusal::new(
        RefusalCode::MethodNotAllowed,
        "this path takes another method",
    ))
}
