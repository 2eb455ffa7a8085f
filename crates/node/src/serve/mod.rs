//! The public HTTP face: OpenAI's endpoints, receipts, leases and health. Each group of routes has
//! the state that it needs.

mod about;
mod admitted;
mod answer_bytes;
mod attestation;
mod count;
mod embeddings;
mod engine;
mod entry;
mod generate;
mod health;
mod inference;
mod lease_records;
mod lease_status;
mod leases;
mod paid_bytes;
mod pass_on;
mod passed_bytes;
mod receipts;
mod record_pages;
mod respond;
mod sealed_request;
mod signed_request;
mod stream;
mod unserved;
mod used_up;

pub(crate) use about::About;
pub(crate) use atoma_http::server::json;
pub(crate) use attestation::Attestation;
pub(crate) use count::Counter;
pub(crate) use health::{Readiness, healthz, readyz};
pub(crate) use inference::Inference;
pub(crate) use lease_status::lease_status;
pub(crate) use leases::LeaseRoutes;
pub(crate) use receipts::Receipts;
pub(crate) use record_pages::LeaseRecords;
pub(crate) use respond::{ok, refuse, text};

use atoma_types::refusal::{Refusal, RefusalCode};
use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use std::sync::Arc;

/// What the public routes need.
#[derive(Debug)]
pub(crate) struct PublicState {
    pub inference: Inference,
    pub about: About,
    pub attestation: Attestation,
    pub receipts: Receipts,
    pub leases: LeaseRoutes,
    pub readiness: Arc<Readiness>,
}

/// All public routes.
pub(crate) fn router(state: PublicState) -> Router {
    let inference = Router::new()
        .route("/v1/chat/completions", post(generate::chat))
        .route("/v1/completions", post(generate::completions))
        .route("/v1/embeddings", post(embeddings::embeddings))
        .with_state(Arc::new(state.inference));
    let about = Router::new()
        .route("/v1/models", get(about::models))
        .route("/v1/models/{*model}", get(about::model))
        .route("/v1/node", get(about::node))
        .with_state(Arc::new(state.about));
    let attestation = Router::new()
        .route("/v1/attestation", get(attestation::attestation))
        .with_state(state.attestation);
    let receipts = Router::new()
        .route("/v1/receipts/{id}", get(receipts::receipt))
        .route("/v1/receipts/{id}/proof", get(receipts::proof))
        .with_state(Arc::new(state.receipts));
    let leases = Router::new()
        .route("/v1/leases", post(leases::take_grant))
        .route("/v1/leases/{stack}", get(leases::lease))
        .route("/v1/leases/{stack}/records", get(lease_records::records))
        .with_state(Arc::new(state.leases));
    let health = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(state.readiness);
    inference
        .merge(about)
        .merge(attestation)
        .merge(receipts)
        .merge(leases)
        .merge(health)
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
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
