//! The broker's paths.

use super::{judge::Decision, state::State};
use crate::{NonceAnswer, fault::KeyFault};
use atoma_http::server::{BodyLimit, read_body_within};
use atoma_types::{
    TimestampMs,
    hash::Hash32,
    refusal::{ErrorBody, ErrorObject, Refusal, RefusalCode},
};
use axum::{
    Router,
    body::Body,
    extract::{Path, State as Of},
    response::Response,
    routing::post,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
use std::{sync::Arc, time::Duration};

/// So long a guest waits for its turn to be judged, after those who came before: a node that gets no key doesn't start.
const TURN: Duration = Duration::from_secs(10);

/// All paths of a broker.
pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/v1/model-keys/{model}/nonces", post(nonce))
        .route("/v1/model-keys/{model}", post(key))
        .fallback(async || no_path())
        .with_state(state)
}

async fn nonce(Of(state): Of<Arc<State>>, Path(model): Path<String>) -> Response {
    let known = model.parse().ok().filter(|model| state.judge.has(*model));
    let Some(model) = known else {
        return fault(KeyFault::Model, &[]);
    };
    let runtime = &state.runtime;
    let nonce = state.nonces.give(model, runtime.now());
    let answer = serde_json::to_vec(&NonceAnswer { nonce }).unwrap_or_default();
    answered(StatusCode::OK, "application/json", answer)
}

async fn key(
    Of(state): Of<Arc<State>>,
    Path(model): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let known = model.parse().ok().filter(|model| state.judge.has(*model));
    let Some(model) = known else {
        return fault(KeyFault::Model, &[]);
    };
    let limit = BodyLimit::new(&state.limits);
    let mut held = state.bodies.enter(model.0);
    let bundle = match read_body_within(&mut held, &headers, body, limit, |_| ()).await {
        Ok(bundle) => bundle,
        Err(error) => return refusal(&error.into()),
    };
    let turn = tokio::time::timeout(TURN, state.places.acquire());
    let Ok(Ok(_place)) = turn.await else {
        return fault(KeyFault::Busy, &[]);
    };
    let shared = Arc::clone(&state);
    let decided = state
        .runtime
        .threads
        .blocking(move || decide(&shared, model, &bundle));
    match decided.await {
        Ok(Ok(key)) => answered(StatusCode::OK, "application/octet-stream", key),
        Ok(Err((found, reasons))) => fault(found, &reasons),
        // it was reported where it happened; nothing left
        Err(_) => fault(KeyFault::Record, &[]),
    }
}

/// Judges, writes it down, and only then gives the key.
fn decide(
    state: &State,
    model: Hash32,
    bundle: &Bytes,
) -> Result<Vec<u8>, (KeyFault, Vec<&'static str>)> {
    let now = state.runtime.now();
    let decision = state.judge.decide(model, bundle, &state.nonces, now);
    give(state, &decision, now).map_err(|fault| {
        let reasons = decision.reasons.join(" ");
        tracing::info!(%model, code = fault.code(), reasons, "a model's key is kept");
        let written = state.record.lock().refused(&decision, fault, now);
        if let Err(error) = written {
            tracing::error!(%error, "the record of keys cannot be written");
        }
        (fault, decision.reasons)
    })
}

fn give(state: &State, decision: &Decision, now: TimestampMs) -> Result<Vec<u8>, KeyFault> {
    let to = decision.outcome.as_ref().map_err(|fault| *fault)?;
    let key = state.judge.wrap(to, now, &*state.runtime.random)?;
    let written = state.record.lock().released(decision, now);
    written.map_err(|error| {
        tracing::error!(%error, "the record of keys cannot be written");
        KeyFault::Record
    })?;
    let shown = decision.shown;
    tracing::info!(model = %decision.model, ?shown, "a model's key is released");
    Ok(key)
}

/// A reason to keep the key, with the policy's own reasons.
fn fault(fault: KeyFault, reasons: &[&'static str]) -> Response {
    let mut message = fault.to_string();
    if !reasons.is_empty() {
        message = format!("{message}: {}", reasons.join(", "));
    }
    let body = ErrorBody {
        error: ErrorObject {
            message,
            kind: fault.kind().to_owned(),
            param: None,
            code: Some(fault.code().to_owned()),
            needed: None,
        },
    };
    let status = StatusCode::from_u16(fault.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answered(
        status,
        "application/json",
        serde_json::to_vec(&body).unwrap_or_default(),
    )
}

fn refusal(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.code.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answered(status, "application/json", refusal.to_json())
}

fn no_path() -> Response {
    let message =
        "a key broker has `POST /v1/model-keys/{model}/nonces` and `POST /v1/model-keys/{model}`";
    refusal(&Refusal::new(RefusalCode::NotFound, message))
}

fn answered(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
