//! The operator's port: metrics, health, leases, settlement by word. Not for the public.

use crate::{
    account::Phase,
    serve::{healthz, json, lease_status, ok, readyz, refuse, text},
    shared::Shared,
};
use atoma_types::{
    StackId,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::{get, post},
};
use http::StatusCode;
use std::sync::Arc;

/// All routes of the operator's port.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/admin/leases", get(leases))
        .route("/admin/settle/{stack}", post(settle))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(shared)
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let (open, reserved) = shared.leases.load();
    let evidence = shared.evidence.as_ref();
    let backlog = evidence.map_or(0, |evidence| evidence.backlog());
    let metrics = shared.metrics.encode(open, reserved, backlog);
    text(StatusCode::OK, metrics)
}

async fn leases(State(shared): State<Arc<Shared>>) -> Response {
    let leases = shared.leases.all();
    let leases: Vec<_> = leases
        .iter()
        .map(|lease| lease_status(lease.stack, lease.with_account(|account| account.summary())))
        .collect();
    ok(&leases)
}

/// Settles a lease now: it takes no more requests, and its claim goes to the ledger when those
/// that run are done.
async fn settle(State(shared): State<Arc<Shared>>, Path(stack): Path<String>) -> Response {
    let lease = stack
        .parse::<StackId>()
        .ok()
        .and_then(|stack| shared.leases.get(stack));
    let Some(lease) = lease else {
        return refuse(&Refusal::new(
            RefusalCode::UnknownStack,
            "no open lease on this stack",
        ));
    };
    let ack = lease.save(&shared.journal, Vec::new(), |account| {
        account.advance(Phase::Settling);
    });
    if let Err(error) = ack.durable().await {
        return refuse(&Refusal::new(RefusalCode::Internal, error.to_string()));
    }
    shared.settle_now.notify_one();
    json(StatusCode::ACCEPTED, "{}")
}
