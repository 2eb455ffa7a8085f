//! What anyone may ask: models, receipts, leases, this node, its health.

use super::{
    body,
    respond::{json, refuse},
};
use crate::{account::Summary, openai::answer, shared::Shared};
use atoma_http::server::BodyLimit;
use atoma_types::{
    ComputeUnits, RequestId, StackId,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::{StatusCode, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use serde_json::json as object;
use std::sync::Arc;

pub(super) async fn models(State(shared): State<Arc<Shared>>) -> Response {
    let models: Vec<_> = shared
        .tasks
        .values()
        .map(|task| model_object(&shared, &task.model))
        .collect();
    ok(&object!({ "object": "list", "data": models }))
}

pub(super) async fn model(
    State(shared): State<Arc<Shared>>,
    Path(model): Path<String>,
) -> Response {
    if shared.tasks.values().any(|task| task.model == model) {
        return ok(&model_object(&shared, &model));
    }
    refuse(&Refusal::new(
        RefusalCode::UnknownModel,
        "this node does not serve the model",
    ))
}

fn model_object(shared: &Shared, model: &str) -> serde_json::Value {
    let created = shared.identity.started_at.0 / 1_000;
    object!({ "id": model, "object": "model", "created": created, "owned_by": "atoma" })
}

/// A receipt by its request's id: whoever knows the id (16 random bytes) may have it.
pub(super) async fn receipt(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let found = async {
        let id: RequestId = id.parse().map_err(|_| not_found("not a request id"))?;
        let journal = shared.journal.clone();
        let threads = shared.runtime.threads;
        let found = threads.blocking(move || journal.find(id)).await;
        let internal = || Refusal::new(RefusalCode::Internal, "the journal cannot be read");
        let receipt = found.map_err(|_| internal())?.map_err(|_| internal())?;
        receipt.ok_or_else(|| not_found("no receipt of this request"))
    };
    match found.await {
        Ok(receipt) => ok(&object!({
            "request_id": receipt.message().request_id.to_string(),
            "receipt": receipt.to_text(),
        })),
        Err(refusal) => refuse(&refusal),
    }
}

/// All that the node can show for a receipt: where its record is stored, and its place in what was
/// settled. Open to whoever knows the id, like the receipt.
pub(super) async fn proof(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let found = async {
        let id: RequestId = id.parse().map_err(|_| not_found("not a request id"))?;
        let Some(evidence) = &shared.evidence else {
            let message = "this node keeps no evidence: it has no Walrus";
            return Err(Refusal::new(RefusalCode::EvidenceUnavailable, message));
        };
        let proof = evidence.prove(id).await.map_err(|error| {
            tracing::warn!(%error, "a proof can't be given");
            Refusal::new(
                RefusalCode::EvidenceUnavailable,
                "the proof can't be given now",
            )
        })?;
        proof.ok_or_else(|| not_found("no receipt of this request"))
    };
    match found.await {
        Ok(proof) => ok(&proof),
        Err(refusal) => refuse(&refusal),
    }
}

pub(super) async fn node(State(shared): State<Arc<Shared>>) -> Response {
    let tasks = shared.tasks.values().map(|task| {
        let load = task.engine.load();
        object!({
            "task": task.id, "role": task.role.as_str(), "model": task.model,
            "price": task.price, "capacity": task.capacity, "weights": task.weights,
            "load": { "running": load.running, "waiting": load.waiting, "healthy": load.healthy },
        })
    });
    ok(&object!({
        "node": shared.identity.node,
        "network": shared.identity.network.to_string(),
        "response_key": shared.signer.public_key().to_string(),
        "url": shared.url,
        "tasks": tasks.collect::<Vec<_>>(),
        "load": { "running": shared.concurrency.running(), "limit": shared.requests.max_concurrent },
    }))
}

/// Bytes of a grant's body, a signed message in text. It is open to everybody, so no more is held.
const MAX_GRANT_BYTES: usize = 64 << 10;

/// The body of `POST /v1/leases`.
#[derive(Deserialize)]
struct GrantBody {
    grant: String,
}

pub(super) async fn take_grant(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let taken = async {
        let (parts, body) = request.into_parts();
        let limit = BodyLimit {
            max_bytes: MAX_GRANT_BYTES,
            ..BodyLimit::new(&shared.limits)
        };
        let bytes = body::read(&parts.headers, body, limit, |_| ()).await?;
        // not before the body is here, for anyone may ask; held so that a drain waits for the ledger's
        // answer
        let _permit = shared.concurrency.enter()?;
        let body: GrantBody = serde_json::from_slice(&bytes)
            .map_err(|error| Refusal::new(RefusalCode::InvalidBody, error.to_string()))?;
        shared.take_grant(&body.grant).await
    };
    match taken.await {
        Ok(lease) => ok(&lease),
        Err(refusal) => {
            shared.metrics.refused(refusal.code);
            refuse(&refusal)
        }
    }
}

#[derive(Serialize)]
struct LeaseStatus {
    stack: StackId,
    units: ComputeUnits,
    committed: ComputeUnits,
    reserved: ComputeUnits,
    seq: u64,
    phase: &'static str,
    lanes: Vec<LaneStatus>,
}

#[derive(Serialize)]
struct LaneStatus {
    lane: u16,
    ceiling: ComputeUnits,
    committed: ComputeUnits,
}

/// A lease's sums as JSON, for users and operators.
pub(crate) fn lease_status(stack: StackId, summary: Summary) -> impl Serialize {
    let lanes = summary.lanes.into_iter();
    LeaseStatus {
        stack,
        units: summary.terms.units,
        committed: summary.committed,
        reserved: summary.reserved,
        seq: summary.seq,
        phase: summary.phase.as_str(),
        lanes: lanes
            .map(|(lane, ceiling, committed)| LaneStatus {
                lane,
                ceiling,
                committed,
            })
            .collect(),
    }
}

pub(super) async fn lease(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let Ok(stack) = id.parse::<StackId>() else {
        return refuse(&not_found("not a stack id"));
    };
    match shared.leases.get(stack) {
        Some(lease) => ok(&lease_status(
            stack,
            lease.with_account(|account| account.summary()),
        )),
        None => {
            let message = "this node holds no open lease on the stack";
            refuse(&Refusal::new(RefusalCode::UnknownStack, message))
        }
    }
}

pub(crate) async fn healthz() -> Response {
    text(StatusCode::OK, "ok\n")
}

pub(crate) async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    if shared.is_ready() {
        text(StatusCode::OK, "ready\n")
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}

pub(crate) fn text(status: StatusCode, body: impl Into<bytes::Bytes>) -> Response {
    let mut response = json(status, body);
    let plain = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

pub(crate) fn ok(value: &impl Serialize) -> Response {
    json(StatusCode::OK, answer::json(value))
}

fn not_found(message: &str) -> Refusal {
    Refusal::new(RefusalCode::NotFound, message)
}
