//! Asking a node: reserve, sign, send; and once more with the number that the node names.

use crate::{
    Answer, ClientError, Evidence, NodeInfo, StackHandle, answer, estimate,
    flight::Flight,
    http::{bad_url, small},
    store::LaneKey,
};
use atoma_types::{
    ComputeUnits, DurationMs, NodeId, RequestId, TimestampMs,
    hash::Hash32,
    http::{EVIDENCE, REQUEST, SIGNATURE},
    message::{Domain, Endpoint, RequestHeader, Signed},
    refusal::{ErrorBody, ErrorObject, RefusalCode},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, header::CONTENT_TYPE};
use http_body_util::Full;
use std::sync::Arc;

/// Time for a request to reach the node; its answer may take longer.
const REQUEST_LIFETIME: DurationMs = DurationMs(60_000);
/// Tries of one request: the first, one with more units, one with a higher ceiling, one after the
/// node's restart.
const MAX_TRIES: u32 = 4;

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
}

/// One request as it is tried.
struct Try {
    endpoint: Endpoint,
    body: Bytes,
    body_hash: Hash32,
    key: LaneKey,
    max_units: ComputeUnits,
    demanded: Option<ComputeUnits>,
    evidence: Evidence,
}

/// What the tries have been used for.
#[derive(Default)]
struct Used {
    raised: bool,
    demanded: bool,
    renewed: bool,
}

impl StackHandle {
    /// A chat completion.
    pub async fn chat(&self, node: NodeId, body: impl Into<Bytes>) -> Result<Answer, ClientError> {
        let options = RequestOptions::default();
        self.request(node, Endpoint::ChatCompletions, body.into(), options)
            .await
    }

    /// Asks a node. The body goes out untouched. A refusal comes back as the answer it is, except
    /// that one naming a number that would have fit is tried again with it, within the limits.
    pub async fn request(
        &self,
        node: NodeId,
        endpoint: Endpoint,
        body: Bytes,
        options: RequestOptions,
    ) -> Result<Answer, ClientError> {
        let info = self.client.node(node).await?;
        self.prepare(&info).await?;
        let max_units = match options.max_units {
            Some(max_units) => max_units,
            None => self.estimate(node, endpoint, &body)?,
        };
        let cap = options
            .cap
            .or(options.max_units)
            .unwrap_or_else(|| self.room(node));
        let mut next = Try {
            endpoint,
            body_hash: Hash32::of(&body),
            body,
            key: LaneKey {
                stack: self.id(),
                node,
                lane: options.lane.unwrap_or_else(|| self.own_lane(node)),
            },
            max_units,
            demanded: None,
            evidence: options.evidence,
        };
        let mut used = Used::default();
        for tries_left in (0..MAX_TRIES).rev() {
            let answer = self.attempt(&info, &next).await?;
            if tries_left == 0 || !used.adjust(&mut next, &answer, cap) {
                return Ok(answer);
            }
        }
        // the last try returns
        Err(ClientError::Overflow)
    }

    fn estimate(
        &self,
        node: NodeId,
        endpoint: Endpoint,
        body: &[u8],
    ) -> Result<ComputeUnits, ClientError> {
        let default_output = self.client.inner.config.default_output_tokens;
        let weights = &self.state.task.weights;
        let estimate = estimate::max_units(endpoint, body, weights, default_output);
        let wanted = estimate.ok_or_else(|| {
            ClientError::InvalidBody("it must be a JSON object with sound limits".to_owned())
        })?;
        let room = self.room(node);
        if room == ComputeUnits::ZERO {
            return Err(ClientError::NoRoom { room, wanted });
        }
        Ok(wanted.min(room))
    }

    async fn attempt(&self, info: &Arc<NodeInfo>, order: &Try) -> Result<Answer, ClientError> {
        let id = RequestId::random();
        let (ceiling, step) = self.reserve(order.key, id, order.max_units, order.demanded)?;
        let issued = TimestampMs::now();
        let header = RequestHeader {
            domain: Domain::default(),
            network: self.client.ledger().network(),
            stack: self.id(),
            node: info.id,
            task: self.state.task.id,
            request_id: id,
            endpoint: order.endpoint,
            body_hash: order.body_hash,
            lane: order.key.lane,
            ceiling,
            max_units: order.max_units,
            issued_at_ms: issued,
            expires_at_ms: issued.saturating_add(REQUEST_LIFETIME),
            evidence: None,
        };
        let mut signed = self.client.inner.signer.sign(header).await;
        if order.evidence == Evidence::Immediate {
            signed = self.stored_first(info, order, signed).await?;
        }
        let mut request = Request::post(info.at(order.endpoint.as_str()))
            .header(CONTENT_TYPE, "application/json")
            .header(REQUEST, BASE64_STANDARD.encode(signed.bytes()))
            .header(
                SIGNATURE,
                BASE64_STANDARD.encode(signed.signature().to_bytes()),
            );
        if order.evidence == Evidence::Open {
            request = request.header(EVIDENCE, "open");
        }
        let request = request.body(Full::new(order.body.clone()));
        let (flight, receipt) = Flight::new(self.clone(), Arc::clone(info), order.key, signed);
        let request = match request {
            Ok(request) => request,
            Err(error) => {
                flight.refused();
                return Err(bad_url(info, &error));
            }
        };
        let store = &self.client.inner.store;
        if let Err(error) = store.cover(order.key, ceiling, step).await {
            flight.refused();
            return Err(error);
        }
        let response = match self.client.inner.http.send(info, request).await {
            Ok(response) => response,
            Err(error) => {
                if matches!(error, ClientError::Unreachable { .. }) {
                    flight.refused();
                    self.client.forget_node(info.id);
                }
                return Err(error);
            }
        };
        if response.status().is_success() {
            return Ok(answer::served(id, response, info, flight, receipt));
        }
        let (status, headers) = (response.status(), response.headers().clone());
        let body = small(info, response).await?;
        flight.refused();
        Ok(answer::refused(info.id, id, status, headers, body))
    }

    /// The header that names where the request is stored. Nothing of it costs anything before.
    async fn stored_first(
        &self,
        info: &Arc<NodeInfo>,
        order: &Try,
        signed: Signed<RequestHeader>,
    ) -> Result<Signed<RequestHeader>, ClientError> {
        let (guard, _) = Flight::new(self.clone(), Arc::clone(info), order.key, signed.clone());
        match self.store_request(info, &signed, &order.body).await {
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

impl Used {
    /// Changes the next try as the refusal asks, once for each reason. False if there is nothing
    /// to change.
    fn adjust(&mut self, next: &mut Try, answer: &Answer, cap: ComputeUnits) -> bool {
        let Some(error) = refusal(answer) else {
            return false;
        };
        let needed = error.needed.map(ComputeUnits);
        let is = |code: RefusalCode| error.code.as_deref() == Some(code.as_str());
        match needed {
            Some(needed) if is(RefusalCode::MaxUnitsTooLow) => {
                let fits = !self.raised && needed > next.max_units && needed <= cap;
                if fits {
                    self.raised = true;
                    next.max_units = needed;
                }
                fits
            }
            Some(needed) if is(RefusalCode::CeilingTooLow) => {
                next.demanded = Some(needed);
                !std::mem::replace(&mut self.demanded, true)
            }
            _ if is(RefusalCode::IssuedBeforeRestart) => {
                !std::mem::replace(&mut self.renewed, true)
            }
            _ => false,
        }
    }
}

fn refusal(answer: &Answer) -> Option<ErrorObject> {
    let body = answer.small_body()?;
    serde_json::from_slice::<ErrorBody>(body)
        .ok()
        .map(|body| body.error)
}
