//! Asking a node: reserve, sign, send. [`StackHandle::request`] tries again where signing anew is
//! all that it takes, by the rules in [`retry`](crate::retry); [`StackHandle::try_once`] doesn't.

use crate::{
    Answer, ClientError, Evidence, NodeInfo, ReceiptWait, StackHandle,
    answer::{self, Form},
    estimate,
    http::{bad_url, small},
    in_flight::{InFlight, ReceiptWatcher},
    pace::Pace,
    retry::{Decision, Failure, Mend, NodeRefusal, Retries, UnitBounds},
    store::LaneKey,
    usage::Asked,
};
use atoma_evidence::pack::SaltedBody;
use atoma_types::{
    ComputeUnits, DurationMs, NodeId, RequestId, TimestampMs,
    hash::Hash32,
    http::{EVIDENCE, REQUEST, SALT, SIGNATURE},
    message::{
        CommitmentKind, Domain, Endpoint, OpenEvidence, Origin, RequestHeader, Salt, Signed,
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, header::CONTENT_TYPE};
use http_body_util::Full;
use std::{sync::Arc, time::Duration};
use tokio::sync::oneshot;
use tracing::Instrument;

/// Time for a request to reach the node; its answer may take longer.
const REQUEST_LIFETIME: DurationMs = DurationMs(60_000);
/// Time for an answer to begin, where the caller names none. A whole answer begins when it is complete.
const ANSWER_BEGINS_TIMEOUT: Duration = Duration::from_secs(300);

/// What a caller may say about a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestOptions {
    /// The most it may cost. Absent, it is estimated from the body and cut to what the lease has.
    pub max_units: Option<ComputeUnits>,
    /// How far the node's own number may raise that: at most to `max_units` if it is given, else
    /// at most to what the lease has.
    pub cap: Option<ComputeUnits>,
    /// The lane that pays: one per program that shares the stack.
    pub lane: Option<u16>,
    /// How it becomes evidence.
    pub evidence: Evidence,
    /// Whether this node alone may answer: one that is full must not pass the request on to another. What is
    /// [stored first](Evidence::Immediate) never is.
    pub no_forward: bool,
}

/// One try of a request, as it will be signed. After a refusal it is [mended](RequestTry::mend) and
/// tried again.
#[derive(Clone, Debug)]
pub struct RequestTry {
    id: RequestId,
    endpoint: Endpoint,
    body: Bytes,
    max_units: ComputeUnits,
    ceiling: Option<ComputeUnits>,
    lane: Option<u16>,
    evidence: Evidence,
    no_forward: bool,
    /// The body is sealed already.
    sealed: bool,
    first_byte: Duration,
    passed_on: Option<PassedOn>,
}

/// Another's request, of which a try repeats what decides the answer.
#[derive(Clone, Debug)]
struct PassedOn {
    request: Hash32,
    issued_at: TimestampMs,
    expires_at: TimestampMs,
    salt: Salt,
}

impl RequestTry {
    /// The first try of a request: its id (which nobody used before), the endpoint, the body as it
    /// goes out, and the most units that it may cost. The stack's own lane pays.
    #[must_use]
    pub fn new(id: RequestId, endpoint: Endpoint, body: Bytes, max_units: ComputeUnits) -> Self {
        Self {
            id,
            endpoint,
            body,
            max_units,
            ceiling: None,
            lane: None,
            evidence: Evidence::default(),
            no_forward: false,
            first_byte: ANSWER_BEGINS_TIMEOUT,
            passed_on: None,
            sealed: false,
        }
    }

    /// Passes on another's request, as a node does that is full. Its units, times and salt are repeated, so
    /// that the answer and what is committed to of it are the same as if its node had answered.
    #[must_use]
    pub fn passing_on(
        id: RequestId,
        asked: &Signed<RequestHeader>,
        salt: Salt,
        body: Bytes,
    ) -> Self {
        let header = asked.message();
        Self {
            passed_on: Some(PassedOn {
                request: asked.hash(),
                issued_at: header.issued_at_ms,
                expires_at: header.expires_at_ms,
                salt,
            }),
            ..Self::new(id, header.endpoint, body, header.max_units)
        }
    }

    /// The node that is asked may not pass the request on.
    #[must_use]
    pub fn kept(mut self, kept: bool) -> Self {
        self.no_forward = kept;
        self
    }

    /// The body was sealed by somebody else: it is passed on with its answer, and neither is read.
    #[must_use]
    pub fn sealed(mut self, sealed: bool) -> Self {
        self.sealed = sealed;
        self
    }

    /// The answer must begin by then: a node that takes a request and says nothing is given up.
    #[must_use]
    pub fn answered_within(mut self, first_byte: Duration) -> Self {
        self.first_byte = first_byte;
        self
    }

    /// The same request at another node or on another stack, under a new id: what the last node
    /// said about its lane counts no more.
    pub fn moved(&mut self, id: RequestId) {
        self.id = id;
        self.ceiling = None;
    }

    /// The next try at the same node, under a new id, with what is to be signed differently. A
    /// renewed lease changes nothing in what is signed.
    pub fn mend(&mut self, id: RequestId, mend: Mend) {
        self.id = id;
        match mend {
            Mend::RaiseUnits(units) => self.max_units = self.max_units.max(units),
            Mend::RaiseCeiling(ceiling) => self.ceiling = Some(ceiling),
            Mend::NewStack => self.ceiling = None,
            Mend::SignAnew | Mend::RenewLease => {}
        }
    }

    /// The id that the next try is signed with.
    #[must_use]
    pub fn id(&self) -> RequestId {
        self.id
    }

    /// The most units that the request may cost.
    #[must_use]
    pub fn max_units(&self) -> ComputeUnits {
        self.max_units
    }
}

/// Units of a request that isn't signed yet. They are free again if it never is, as where its caller leaves.
struct Reserved<'a> {
    stack: &'a StackHandle,
    key: LaneKey,
    id: Option<RequestId>,
}

impl<'a> Reserved<'a> {
    fn new(stack: &'a StackHandle, key: LaneKey, id: RequestId) -> Self {
        let id = Some(id);
        Self { stack, key, id }
    }

    /// Somebody else looks after them now.
    fn passed_on(mut self) {
        self.id = None;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            // the lane is there: it was reserved in
            let _ = self.stack.with_lane(self.key, |lane, _| lane.refuse(id));
        }
    }
}

impl StackHandle {
    /// A chat completion. The body goes out untouched.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::request`].
    pub fn chat(
        &self,
        node: NodeId,
        body: impl Into<Bytes>,
    ) -> BoxFuture<'_, Result<Answer, ClientError>> {
        let options = RequestOptions::default();
        self.request(node, Endpoint::ChatCompletions, body.into(), options)
    }

    /// Asks a node. The body goes out untouched. A refusal comes back as the answer it is, except
    /// that the request is signed anew where that is all that it takes, within the limits (see
    /// [`retry`](crate::retry)).
    ///
    /// # Errors
    ///
    /// If the node isn't trusted, the body can't be read for its limits, the lease has no room, the node asks for a ceiling
    /// that our account doesn't explain, or the node can't be reached or breaks off before its answer
    /// begins.
    pub fn request(
        &self,
        node: NodeId,
        endpoint: Endpoint,
        body: Bytes,
        options: RequestOptions,
    ) -> BoxFuture<'_, Result<Answer, ClientError>> {
        Box::pin(self.retried(node, endpoint, body, options))
    }

    /// Asks a node once. A refusal comes back as the answer it is.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::request`].
    pub fn try_once<'a>(
        &'a self,
        node: NodeId,
        request: &'a RequestTry,
    ) -> BoxFuture<'a, Result<Answer, ClientError>> {
        Box::pin(async move {
            let info = self.client.find_node(node).await?;
            self.prepare(&info).await?;
            self.attempt(&info, request, None).await
        })
    }

    /// As [`try_once`](Self::try_once); the wait resolves to the receipt even if the call itself is
    /// dropped before it returns, because whoever asked has lost interest.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::request`].
    pub fn try_once_watched<'a>(
        &'a self,
        node: NodeId,
        request: &'a RequestTry,
    ) -> (ReceiptWait, BoxFuture<'a, Result<Answer, ClientError>>) {
        let (watcher, receipt) = oneshot::channel();
        let tried = async move {
            let info = self.client.find_node(node).await?;
            self.prepare(&info).await?;
            self.attempt(&info, request, Some(watcher)).await
        };
        (ReceiptWait::on(receipt), Box::pin(tried))
    }

    async fn retried(
        &self,
        node: NodeId,
        endpoint: Endpoint,
        body: Bytes,
        options: RequestOptions,
    ) -> Result<Answer, ClientError> {
        let info = self.client.find_node(node).await?;
        self.prepare(&info).await?;
        let max_units = match options.max_units {
            Some(max_units) => max_units,
            None => self.estimate(node, endpoint, &body)?,
        };
        let most = options
            .cap
            .or(options.max_units)
            .unwrap_or_else(|| self.room(node));
        let mut next = RequestTry {
            lane: options.lane,
            evidence: options.evidence,
            no_forward: options.no_forward,
            ..RequestTry::new(
                self.client.runtime().request_id(),
                endpoint,
                body,
                max_units,
            )
        };
        let mut retries = Retries::direct();
        loop {
            let answer = self.attempt(&info, &next, None).await?;
            let Some(refusal) = answer.small_body() else {
                return Ok(answer);
            };
            let refusal = NodeRefusal::read(answer.status.as_u16(), refusal);
            let signed = next.max_units;
            match retries.after(Failure::Refused(refusal), UnitBounds { signed, most }) {
                Decision::Again(mend) => {
                    next.mend(self.client.runtime().request_id(), mend);
                }
                Decision::PassOn | Decision::Elsewhere { .. } => return Ok(answer),
            }
        }
    }

    fn estimate(
        &self,
        node: NodeId,
        endpoint: Endpoint,
        body: &[u8],
    ) -> Result<ComputeUnits, ClientError> {
        let default_output = self.client.inner.config.default_output_tokens;
        let weights = &self.state.task.weights;
        let wanted = estimate::max_units(endpoint, body, weights, default_output)?;
        let room = self.room(node);
        if room == ComputeUnits::ZERO {
            return Err(ClientError::NoRoom { room, wanted });
        }
        Ok(wanted.min(room))
    }

    async fn attempt(
        &self,
        info: &Arc<NodeInfo>,
        request: &RequestTry,
        watcher: Option<ReceiptWatcher>,
    ) -> Result<Answer, ClientError> {
        let span = tracing::info_span!("try", request = %request.id, node = %info.id);
        self.sign_and_send(info, request, watcher)
            .instrument(span)
            .await
    }

    async fn sign_and_send(
        &self,
        info: &Arc<NodeInfo>,
        request: &RequestTry,
        watcher: Option<ReceiptWatcher>,
    ) -> Result<Answer, ClientError> {
        let id = request.id;
        let asked = match request.sealed {
            true => Asked::unread(request.endpoint),
            false => Asked::of(request.endpoint, &request.body),
        };
        let salt = self.salt_of(request);
        let mut answer = None;
        let sealed;
        let request = match &self.client.inner.config.confidential {
            None => request,
            Some(confidential) => {
                let text = (request.endpoint, &request.body[..], request.max_units);
                let body = self.seal(confidential, info, text, &salt).await?;
                answer = Some(body.answer);
                sealed = RequestTry {
                    body: body.bytes,
                    sealed: true,
                    ..request.clone()
                };
                &sealed
            }
        };
        let key = self.lane_of(info, request).await?;
        let (ceiling, step) = self.reserve(key, id, request.max_units, request.ceiling)?;
        let reserved = Reserved::new(self, key, id);
        let signed = self.sign(info, key, request, ceiling).await?;
        let message = self.http_request(info, request, &signed);
        reserved.passed_on();
        let (in_flight, receipt) =
            InFlight::new(self.clone(), Arc::clone(info), key, (signed, asked));
        let in_flight = in_flight.watched_by(watcher);
        let message = match message {
            Ok(message) => message,
            Err(_) => {
                in_flight.refused();
                return Err(bad_url(info));
            }
        };
        let store = &self.client.inner.store;
        if let Err(error) = store.cover(key, ceiling, step).await {
            in_flight.refused();
            return Err(error);
        }
        let sent = self
            .client
            .inner
            .http
            .send(info, message, request.first_byte);
        let response = match sent.await {
            Ok(response) => response,
            Err(error) => {
                match error {
                    ClientError::Unreachable { .. } => {
                        in_flight.refused();
                        self.client.forget_node(info.id);
                    }
                    // it may have been served
                    _ => in_flight.unanswered(),
                }
                return Err(error);
            }
        };
        if response.status().is_success() {
            let weights = &self.state.task.weights;
            let pace = Pace::new(request.endpoint, weights, request.max_units);
            let is_sealed = answer.is_some();
            let form = match answer {
                Some(answer) => Form::Opened(Box::new(answer)),
                None if request.sealed => Form::Passed,
                None => Form::Plain,
            };
            let served = (response, form, pace);
            let mut answer = answer::served((id, salt.clone()), served, info, in_flight, receipt);
            if is_sealed && let Some((status, body)) = answer.body.begin().await? {
                let headers = answer.headers;
                return Ok(answer::refused(info.id, (id, salt), status, headers, body));
            }
            return Ok(answer);
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match small(info, response).await {
            Ok(body) => body,
            Err(error) => {
                in_flight.unanswered();
                return Err(error);
            }
        };
        in_flight.refused();
        if answer.is_some() {
            // its keys may be others by now: the next try looks
            self.client.inner.attested.forget(info.id);
        }
        tracing::debug!(%status, "the node refused");
        Ok(answer::refused(info.id, (id, salt), status, headers, body))
    }

    /// The lane that a request goes in: the one that it names, or this program's own.
    async fn lane_of(&self, info: &NodeInfo, request: &RequestTry) -> Result<LaneKey, ClientError> {
        let key = LaneKey {
            stack: self.id(),
            node: info.id,
            lane: request.lane.unwrap_or_else(|| self.own_lane(info.id)),
        };
        if request.lane.is_some() {
            self.take_lane(key).await?;
        }
        Ok(key)
    }

    /// The salt under which a request and its answer are committed to.
    fn salt_of(&self, request: &RequestTry) -> Salt {
        match &request.passed_on {
            Some(passed_on) => passed_on.salt.clone(),
            None => self.client.inner.signer.key().salt_of(request.id),
        }
    }

    /// Signs a request with the ceiling that was reserved for it; where its evidence is to be stored
    /// first, it says where.
    async fn sign(
        &self,
        info: &Arc<NodeInfo>,
        key: LaneKey,
        request: &RequestTry,
        ceiling: ComputeUnits,
    ) -> Result<Signed<RequestHeader>, ClientError> {
        let salt = self.salt_of(request);
        let (issued, expires, origin) = match &request.passed_on {
            Some(passed_on) => {
                let origin = Origin::Forwarded(passed_on.request);
                (passed_on.issued_at, passed_on.expires_at, origin)
            }
            None => {
                let now = self.client.runtime().now();
                let origin = match request.evidence {
                    // a blob's id takes its place, which says as much
                    Evidence::Immediate => Origin::Own,
                    _ if request.no_forward => Origin::Kept,
                    _ => Origin::Own,
                };
                (now, now.saturating_add(REQUEST_LIFETIME), origin)
            }
        };
        let header = RequestHeader {
            domain: Domain::default(),
            network: self.client.ledger().network(),
            stack: self.id(),
            node: info.id,
            task: self.state.task.id,
            request_id: request.id,
            endpoint: request.endpoint,
            body_hash: salt.commit(CommitmentKind::Request, &request.body),
            lane: key.lane,
            ceiling,
            max_units: request.max_units,
            issued_at_ms: issued,
            expires_at_ms: expires,
            origin,
        };
        let signed = self.client.inner.signer.sign(header).await;
        match request.evidence {
            Evidence::Immediate => self.stored_first(info, key, request, signed).await,
            _ => Ok(signed),
        }
    }

    fn http_request(
        &self,
        info: &NodeInfo,
        request: &RequestTry,
        signed: &Signed<RequestHeader>,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let signature = BASE64_STANDARD.encode(signed.signature().to_bytes());
        let mut message = Request::post(info.at(request.endpoint.as_str()))
            .header(CONTENT_TYPE, content_type(request.sealed))
            .header(REQUEST, BASE64_STANDARD.encode(signed.bytes()))
            .header(SIGNATURE, signature)
            .header(SALT, secret(&self.salt_of(request))?);
        if request.evidence == Evidence::Open {
            let word = OpenEvidence {
                domain: Domain::default(),
                network: signed.message().network,
                request: signed.hash(),
            };
            let word = Signed::new(word, self.client.inner.signer.key());
            message = message.header(EVIDENCE, format!("open {}", word.to_text()));
        }
        message.body(Full::new(request.body.clone()))
    }

    /// The header that names where the request is stored. Nothing of it costs anything before.
    async fn stored_first(
        &self,
        info: &Arc<NodeInfo>,
        key: LaneKey,
        request: &RequestTry,
        signed: Signed<RequestHeader>,
    ) -> Result<Signed<RequestHeader>, ClientError> {
        let asked = Asked::of(request.endpoint, &request.body);
        let watched = (signed.clone(), asked);
        let (guard, _) = InFlight::new(self.clone(), Arc::clone(info), key, watched);
        let body = SaltedBody::new(&self.salt_of(request), &request.body);
        match self.store_request(info, &signed, &body).await {
            Ok(named) => {
                guard.hand_over();
                Ok(named)
            }
            Err(error) => {
                guard.refused();
                Err(error)
            }
        }
    }
}

/// What the body is.
fn content_type(sealed: bool) -> &'static str {
    match sealed {
        true => atoma_channel::MEDIA_TYPE,
        false => "application/json",
    }
}

/// A salt as a header's value that no log shows.
fn secret(salt: &Salt) -> Result<HeaderValue, http::Error> {
    let mut value = HeaderValue::from_str(&salt.to_text())?;
    value.set_sensitive(true);
    Ok(value)
}
