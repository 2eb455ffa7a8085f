//! The way from an HTTP request to an admitted request with its body, the same for all endpoints.

use super::{
    admitted::{Admitted, Onward},
    entry::{Entry, enter},
    inference::Inference,
    pass_on::{Passed, pass_on},
    respond::{name, refuse, sealed},
    sealed_request::{Form, check_form, open_sealed},
    unserved::Unserved,
    used_up::UsedUp,
};
use crate::{
    account::SignedRequest,
    admission::{check_addressee, check_body, check_request, read_salt, read_signed},
    confidential::Seal,
    lease::Lease,
};
use atoma_http::server::{BodyLimit, read_body_within};
use atoma_types::{
    http::EVIDENCE,
    message::{CommitmentKind, Endpoint, OpenEvidence, Origin, Signed},
    refusal::{Refusal, RefusalCode},
};
use axum::{extract::Request, response::Response};
use http::HeaderMap;
use std::sync::Arc;
use tracing::{Instrument, Span, field::Empty};

/// Admits a request, serves it, and answers; refusals are counted and shaped here.
pub(super) async fn handle<S, F>(
    inference: Arc<Inference>,
    endpoint: Endpoint,
    incoming: Request,
    serve: S,
) -> Response
where
    S: FnOnce(Arc<Inference>, Admitted) -> F,
    F: Future<Output = Result<Response, Unserved>>,
{
    let request = read_signed(incoming.headers());
    let id = request.as_ref().map_or_else(
        |_| inference.runtime.request_id(),
        |o| o.message().request_id,
    );
    let span = tracing::info_span!("request", %id, stack = Empty, model = Empty);
    // what is said once a sealed request is opened is for who sealed it alone
    let mut seal = None;
    let mut used_up = UsedUp::by(request.as_ref().ok());
    let served = async {
        let admitted = admit(&inference, endpoint, request, incoming, &mut used_up).await;
        let mut admitted = admitted.map_err(|refusal| used_up.refuse(&inference, refusal))?;
        seal = admitted.seal();
        let admitted = match admitted.onward.take() {
            None => admitted,
            Some(Onward::Only(refusal)) => {
                return pass_on(&inference, admitted).await.or_refuse(refusal);
            }
            Some(Onward::Rather) => match pass_on(&inference, admitted).await {
                Passed::Answer(response) => return Ok(response),
                Passed::Refused(refusal) => return Err(refusal),
                Passed::Back(admitted) => *admitted,
            },
        };
        match serve(inference.clone(), admitted).await {
            Ok(response) => Ok(response),
            Err(Unserved::Refused(refusal)) => Err(refusal),
            Err(Unserved::Full(admitted, refusal)) => {
                pass_on(&inference, *admitted).await.or_refuse(refusal)
            }
        }
    };
    let served = served.instrument(span).await;
    let mut response = served.unwrap_or_else(|refusal| {
        inference.billing.metrics.refused(refusal.code);
        let words = seal.and_then(|seal: Seal| seal.fail(&refusal));
        words.map_or_else(|| refuse(&refusal), |words| sealed(words.into()))
    });
    name(&mut response, id);
    response
}

/// What can be refused by the head alone comes first, then the body, then what needs it.
async fn admit(
    inference: &Inference,
    endpoint: Endpoint,
    request: Result<SignedRequest, Refusal>,
    incoming: Request,
    used_up: &mut UsedUp,
) -> Result<Admitted, Refusal> {
    let header = request.as_ref().ok().map(|request| request.message());
    let Entry { permit, onward } = enter(inference, header)?;
    check_able(inference)?;
    let (parts, body) = incoming.into_parts();
    let form = Form::of(&parts.headers);
    let evidence = open_evidence(&parts.headers)?;
    let limit = BodyLimit::new(&inference.limits);
    limit.check_announced(&parts.headers)?;
    let request = request?;
    let salt = read_salt(&parts.headers)?;
    let lease = leased(inference, endpoint, &request).await?;
    used_up.admit(inference, &lease)?;
    if let Some(evidence) = &inference.billing.evidence {
        evidence.check_share(lease.owner)?;
    }
    let open = match evidence {
        None => false,
        Some(word) => check_open(&word, &request, &lease).map(|()| true)?,
    };
    let task = inference.tasks.get(lease.task)?.clone();
    Span::current().record("model", task.model.as_str());
    check_form(form, &task, inference.guest.is_some())?;
    // only the nodes that it is sealed to can open it, and none is chosen for it here yet
    let onward = match (form, onward) {
        (Form::Sealed, Some(Onward::Only(refusal))) => return Err(refusal),
        (Form::Sealed, Some(Onward::Rather) | None) => None,
        (Form::Plain, onward) => onward,
    };
    // by owner: stacks cost little, and one wallet may have many
    let mut held = inference.body_room.enter(lease.owner.as_bytes());
    // hashed as it comes in
    let mut hasher = salt.hasher(CommitmentKind::Request);
    let hash = |piece: &[u8]| {
        hasher.update(piece);
    };
    let body = read_body_within(&mut held, &parts.headers, body, limit, hash).await?;
    check_body(request.message(), hasher.finish())?;
    check_stored(inference, &request, &lease).await?;
    let origin = request.message().origin;
    let may_go = inference.forwarder.is_some() && origin.may_be_passed_on();
    let (body, sealed) = match (form, &inference.guest) {
        (Form::Sealed, Some(guest)) => {
            let now = inference.billing.clock.now();
            let opened = open_sealed(guest, &lease, &request, body, now).await?;
            (opened.0, Some(opened.1))
        }
        _ => (body, None),
    };
    Ok(Admitted {
        may_go: may_go && sealed.is_none(),
        sealed,
        request,
        lease,
        task,
        body,
        salt,
        held,
        open,
        permit: Some(permit),
        onward,
    })
}

/// Whether the node can serve anything: what it can't write down it must not sign for.
fn check_able(inference: &Inference) -> Result<(), Refusal> {
    if !inference.billing.journal.is_healthy() {
        let message = "the node cannot write its journal";
        return Err(Refusal::new(RefusalCode::Unavailable, message));
    }
    match &inference.billing.evidence {
        Some(evidence) => evidence.check_room(),
        None => Ok(()),
    }
}

/// The lease that pays, if the request is for this node, signed by the lease's user and in time.
async fn leased(
    inference: &Inference,
    endpoint: Endpoint,
    request: &SignedRequest,
) -> Result<Arc<Lease>, Refusal> {
    let header = request.message();
    Span::current().record("stack", tracing::field::display(header.stack));
    check_addressee(header, &inference.us)?;
    let lease = inference.finder.lease(header.stack).await?;
    let clock = &inference.billing.clock;
    let now = clock.now();
    let started_at = inference.us.started_by(now, clock.instant());
    check_request(request, &lease, endpoint, started_at, now)?;
    Ok(lease)
}

/// Of a request that says that it is stored, whether it is.
async fn check_stored(
    inference: &Inference,
    request: &SignedRequest,
    lease: &Arc<Lease>,
) -> Result<(), Refusal> {
    let Origin::Stored(blob) = request.message().origin else {
        return Ok(());
    };
    let Some(evidence) = &inference.billing.evidence else {
        let message = "this node has no Walrus: send without stored evidence, or use another";
        return Err(Refusal::new(RefusalCode::EvidenceUnavailable, message));
    };
    evidence
        .check_stored(blob, request, lease, &inference.response_key)
        .await
}

/// The user's word for open evidence, if they want it: `atoma-evidence: open` and the word.
fn open_evidence(headers: &HeaderMap) -> Result<Option<Signed<OpenEvidence>>, Refusal> {
    let Some(value) = headers.get(EVIDENCE) else {
        return Ok(None);
    };
    let refuse = || {
        let message =
            format!("`{EVIDENCE}` is `sealed`, or `open` with the user's signed word for it");
        Refusal::new(RefusalCode::InvalidHeader, message)
    };
    match value.to_str().ok().and_then(|text| text.split_once(' ')) {
        Some(("open", word)) => match Signed::from_text(word) {
            Ok(word) => Ok(Some(word)),
            Err(_) => Err(refuse()),
        },
        None if value.as_bytes() == b"sealed" => Ok(None),
        _ => Err(refuse()),
    }
}

/// Whoever stands between user and node could add a header; only the user can sign for it.
fn check_open(
    word: &Signed<OpenEvidence>,
    request: &SignedRequest,
    lease: &Lease,
) -> Result<(), Refusal> {
    let OpenEvidence {
        network,
        request: hash,
        ..
    } = *word.message();
    let ours = network == request.message().network && hash == request.hash();
    if ours && word.verify(&lease.verifier).is_ok() {
        return Ok(());
    }
    let message =
        format!("`{EVIDENCE}`: the word for open evidence is not the user's for this request");
    Err(Refusal::new(RefusalCode::BadSignature, message))
}
