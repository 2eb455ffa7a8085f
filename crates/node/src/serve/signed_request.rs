//! The way from an HTTP request to an admitted request with its body, the same for all endpoints.

use super::{
    body,
    respond::{name, refuse},
};
use crate::{
    account::SignedRequest,
    admission::{check_addressee, check_body, check_request, read_signed},
    bodies::Bodies,
    lease::Lease,
    shared::{ServedTask, Shared},
};
use atoma_engine::EngineError;
use atoma_http::server::BodyLimit;
use atoma_types::{
    hash::Hasher,
    http::EVIDENCE,
    message::Endpoint,
    refusal::{Refusal, RefusalCode},
};
use axum::{extract::Request, response::Response};
use bytes::Bytes;
use http::HeaderMap;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A request whose signature, addressee, time and body are right. No units are reserved yet.
pub(super) struct Admitted {
    pub request: SignedRequest,
    pub lease: Arc<Lease>,
    pub task: Arc<ServedTask>,
    pub body: Bytes,
    /// The bodies are to be evidence that everyone can read.
    pub open: bool,
    pub permit: OwnedSemaphorePermit,
}

/// Admits a request, serves it, and answers; refusals are counted and shaped here.
pub(super) async fn handle<S, F>(
    shared: Arc<Shared>,
    endpoint: Endpoint,
    incoming: Request,
    serve: S,
) -> Response
where
    S: FnOnce(Arc<Shared>, Admitted) -> F,
    F: Future<Output = Result<Response, Refusal>>,
{
    let request = read_signed(incoming.headers());
    let id = request
        .as_ref()
        .map_or_else(|_| shared.runtime.request_id(), |o| o.message().request_id);
    let served = async {
        let admitted = admit(&shared, endpoint, request, incoming).await?;
        serve(shared.clone(), admitted).await
    };
    let mut response = served.await.unwrap_or_else(|refusal| {
        shared.metrics.refused(refusal.code);
        refuse(&refusal)
    });
    name(&mut response, id);
    response
}

async fn admit(
    shared: &Arc<Shared>,
    endpoint: Endpoint,
    request: Result<SignedRequest, Refusal>,
    incoming: Request,
) -> Result<Admitted, Refusal> {
    let permit = shared.concurrency.enter()?;
    if !shared.journal.is_healthy() {
        let message = "the node cannot write its journal";
        return Err(Refusal::new(RefusalCode::Unavailable, message));
    }
    if let Some(evidence) = &shared.evidence {
        evidence.check_room()?;
    }
    let (parts, body) = incoming.into_parts();
    let open = wants_open(&parts.headers)?;
    let limit = BodyLimit::new(&shared.limits);
    body::check_announced(&parts.headers, limit)?;
    let request = request?;
    let header = request.message();
    check_addressee(header, &shared.identity)?;
    let lease = shared.lease(header.stack).await?;
    check_request(
        &request,
        &lease,
        endpoint,
        &shared.identity,
        shared.clock.now(),
    )?;
    let task = shared.task(lease.task)?.clone();
    // hashed as it comes in
    let mut hasher = Hasher::new();
    let hash = |piece: &[u8]| {
        hasher.update(piece);
    };
    let body = body::read(&parts.headers, body, limit, hash).await?;
    check_body(header, hasher.finish())?;
    if let Some(blob) = header.evidence {
        let Some(evidence) = &shared.evidence else {
            let message = "this node has no Walrus: send without stored evidence, or use another";
            return Err(Refusal::new(RefusalCode::EvidenceUnavailable, message));
        };
        evidence
            .check_stored(blob, &request, &lease, &shared.signer)
            .await?;
    }
    Ok(Admitted {
        request,
        lease,
        task,
        body,
        open,
        permit,
    })
}

/// Whether the user wants open evidence: `atoma-evidence: open`.
fn wants_open(headers: &HeaderMap) -> Result<bool, Refusal> {
    match headers.get(EVIDENCE).map(|value| value.as_bytes()) {
        None | Some(b"sealed") => Ok(false),
        Some(b"open") => Ok(true),
        Some(_) => {
            let message = format!("`{EVIDENCE}` is `sealed` or `open`");
            Err(Refusal::new(RefusalCode::InvalidHeader, message))
        }
    }
}

impl Admitted {
    /// What goes into the evidence log, where one is kept.
    pub(super) fn bodies(&self, shared: &Shared) -> Option<Bodies> {
        let keeps = shared.evidence.is_some();
        keeps.then(|| Bodies::new(self.body.clone(), self.open))
    }
}

/// Whether the body asks for the task's model.
pub(super) fn check_model(task: &ServedTask, model: &str) -> Result<(), Refusal> {
    if task.model == model {
        return Ok(());
    }
    let message = format!(
        "the stack is for `{}`; the body asks for another model",
        task.model
    );
    Err(Refusal::new(RefusalCode::UnknownModel, message).param("model"))
}

/// How an engine's failure looks from outside. Its own words stay inside where they might repeat
/// what the user wrote.
pub(super) fn engine_refusal(error: &EngineError) -> Refusal {
    match error {
        EngineError::Overloaded => Refusal::new(RefusalCode::Overloaded, error.to_string()),
        EngineError::ContextTooLong { limit, .. } => {
            Refusal::new(RefusalCode::ContextTooLong, error.to_string()).needed(*limit as u64)
        }
        EngineError::BadRequest(_) => Refusal::new(RefusalCode::InvalidBody, error.to_string()),
        EngineError::Unavailable(_) => Refusal::new(
            RefusalCode::Unavailable,
            "no engine is available for this model",
        ),
        _ => Refusal::new(RefusalCode::Internal, "the engine failed"),
    }
}
