//! The way from an HTTP request to an admitted request with its body, the same for all endpoints.

use super::{
    inference::Inference,
    respond::{name, refuse},
};
use crate::{
    account::SignedRequest,
    admission::{check_addressee, check_body, check_request, read_signed},
    bodies::Bodies,
    lease::Lease,
    tasks::ServedTask,
};
use atoma_http::server::{BodyLimit, read_body};
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
use tracing::{Instrument, Span, field::Empty};

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
    inference: Arc<Inference>,
    endpoint: Endpoint,
    incoming: Request,
    serve: S,
) -> Response
where
    S: FnOnce(Arc<Inference>, Admitted) -> F,
    F: Future<Output = Result<Response, Refusal>>,
{
    let request = read_signed(incoming.headers());
    let id = request.as_ref().map_or_else(
        |_| inference.runtime.request_id(),
        |o| o.message().request_id,
    );
    let span = tracing::info_span!("request", %id, stack = Empty, model = Empty);
    let served = async {
        let admitted = admit(&inference, endpoint, request, incoming).await?;
        serve(inference.clone(), admitted).await
    };
    let mut response = served.instrument(span).await.unwrap_or_else(|refusal| {
        inference.billing.metrics.refused(refusal.code);
        refuse(&refusal)
    });
    name(&mut response, id);
    response
}

async fn admit(
    inference: &Inference,
    endpoint: Endpoint,
    request: Result<SignedRequest, Refusal>,
    incoming: Request,
) -> Result<Admitted, Refusal> {
    let permit = inference.concurrency.enter()?;
    if !inference.billing.journal.is_healthy() {
        let message = "the node cannot write its journal";
        return Err(Refusal::new(RefusalCode::Unavailable, message));
    }
    if let Some(evidence) = &inference.billing.evidence {
        evidence.check_room()?;
    }
    let (parts, body) = incoming.into_parts();
    let open = wants_open(&parts.headers)?;
    let limit = BodyLimit::new(&inference.limits);
    limit.check_announced(&parts.headers)?;
    let request = request?;
    let header = request.message();
    Span::current().record("stack", tracing::field::display(header.stack));
    check_addressee(header, &inference.us)?;
    let lease = inference.finder.lease(header.stack).await?;
    check_request(
        &request,
        &lease,
        endpoint,
        &inference.us,
        inference.billing.clock.now(),
    )?;
    let task = inference.tasks.get(lease.task)?.clone();
    Span::current().record("model", task.model.as_str());
    // hashed as it comes in
    let mut hasher = Hasher::new();
    let hash = |piece: &[u8]| {
        hasher.update(piece);
    };
    let body = read_body(&parts.headers, body, limit, hash).await?;
    check_body(header, hasher.finish())?;
    if let Some(blob) = header.evidence {
        let Some(evidence) = &inference.billing.evidence else {
            let message = "this node has no Walrus: send without stored evidence, or use another";
            return Err(Refusal::new(RefusalCode::EvidenceUnavailable, message));
        };
        evidence
            .check_stored(blob, &request, &lease, &inference.response_key)
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
    pub(super) fn bodies(&self, inference: &Inference) -> Option<Bodies> {
        let keeps = inference.billing.evidence.is_some();
        keeps.then(|| Bodies::new(self.body.clone(), self.open))
    }
}
