//! What a request is signed as, and the message that carries it.

use super::RequestTry;
use crate::{ClientError, Evidence, NodeInfo, StackHandle, in_flight::InFlight, store::LaneKey};
use atoma_evidence::pack::SaltedBody;
use atoma_types::{
    ComputeUnits, DurationMs,
    http::{EVIDENCE, REQUEST, SALT, SIGNATURE},
    message::{CommitmentKind, Domain, OpenEvidence, Origin, RequestHeader, Salt, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Request, header::CONTENT_TYPE};
use http_body_util::Full;
use std::sync::Arc;

/// Time for a request to reach the node; its answer may take longer.
const REQUEST_LIFETIME: DurationMs = DurationMs(60_000);

impl StackHandle {
    /// The salt under which a request and its answer are committed to.
    pub(super) fn salt_of(&self, request: &RequestTry) -> Salt {
        match &request.passed_on {
            Some(passed_on) => passed_on.salt.clone(),
            None => self.client.inner.signer.key().salt_of(request.id),
        }
    }

    /// Signs a request with the ceiling that was reserved for it; where its evidence is to be stored
    /// first, it says where.
    pub(super) async fn sign(
        &self,
        info: &Arc<NodeInfo>,
        key: LaneKey,
        (request, salt): (&RequestTry, &Salt),
        ceiling: ComputeUnits,
    ) -> Result<Signed<RequestHeader>, ClientError> {
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
            // of its own, since it is large and other requests would carry it along
            Evidence::Immediate => {
                Box::pin(self.stored_first(info, key, (request, salt), signed)).await
            }
            _ => Ok(signed),
        }
    }

    /// The header that names where the request is stored. Nothing of it costs anything before.
    async fn stored_first(
        &self,
        info: &Arc<NodeInfo>,
        key: LaneKey,
        (request, salt): (&RequestTry, &Salt),
        signed: Signed<RequestHeader>,
    ) -> Result<Signed<RequestHeader>, ClientError> {
        let watched = (signed.clone(), request.asked());
        let (guard, _) = InFlight::new(self.clone(), Arc::clone(info), key, watched);
        let body = SaltedBody::new(salt, &request.body);
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

    /// The message that carries the body and what was signed.
    pub(super) fn http_request(
        &self,
        info: &NodeInfo,
        (request, salt): (&RequestTry, &Salt),
        signed: &Signed<RequestHeader>,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let signature = BASE64_STANDARD.encode(signed.signature().to_bytes());
        let mut message = Request::post(info.at(request.endpoint.as_str()))
            .header(CONTENT_TYPE, content_type(request.sealed))
            .header(REQUEST, BASE64_STANDARD.encode(signed.bytes()))
            .header(SIGNATURE, signature)
            .header(SALT, secret(salt)?);
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
