//! One try from seal to answer: nothing is sent before it is covered on disk, and however it ends, its lane
//! learns of it.

use super::{RequestTry, reserve::Reserved};
use crate::{
    Answer, ClientError, NodeInfo, StackHandle, VerifiedReceipt,
    answer::{self, Form},
    confidential::SealedAnswer,
    http::{bad_url, small},
    in_flight::{InFlight, ReceiptWatcher},
    pace::Pace,
    retry::NodeRefusal,
};
use atoma_http::client::Body;
use atoma_types::{RequestId, message::Salt};
use http::Response;
use std::{borrow::Cow, sync::Arc};
use tokio::sync::oneshot;
use tracing::Instrument;

impl StackHandle {
    pub(super) async fn attempt(
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
        let (asked, salt) = (request.asked(), self.salt_of(request));
        let (request, opener) = self.sealed(info, request, &salt).await?;
        let id = request.id;
        let key = self.lane_of(info, &request).await?;
        let (ceiling, step) = self.reserve(key, id, request.max_units, request.ceiling)?;
        let reserved = Reserved::new(self, key, id);
        let signed = self.sign(info, key, (&request, &salt), ceiling).await?;
        let message = self.http_request(info, (&request, &salt), &signed);
        reserved.passed_on();
        let (in_flight, receipt) =
            InFlight::new(self.clone(), Arc::clone(info), key, (signed, asked));
        let in_flight = in_flight.watched_by(watcher);
        let covered = match message {
            Ok(message) => {
                let covered = self.client.inner.store.cover(key, ceiling, step).await;
                covered.map(|()| message)
            }
            Err(_) => Err(bad_url(info)),
        };
        let message = match covered {
            Ok(message) => message,
            Err(error) => {
                in_flight.refused();
                return Err(error);
            }
        };
        let http = &self.client.inner.http;
        let response = match http.send(info, message, request.first_byte).await {
            Ok(response) => response,
            Err(error) => {
                self.unsent(info, in_flight, &error);
                return Err(error);
            }
        };
        if response.status().is_success() {
            let weights = &self.state.task.weights;
            let pace = Pace::new(request.endpoint, weights, request.max_units);
            let served = (response, form(opener, &request), pace);
            return begun((id, salt), served, info, (in_flight, receipt)).await;
        }
        let refused = refused((id, salt), response, info, in_flight).await?;
        if opener.is_some() {
            // its keys may be others by now: the next try looks
            self.client.inner.attested.forget(info.id);
        }
        Ok(refused)
    }

    /// The request as it goes out: with a policy its body is sealed, and what opens the answer comes with it.
    async fn sealed<'a>(
        &self,
        info: &NodeInfo,
        request: &'a RequestTry,
        salt: &Salt,
    ) -> Result<(Cow<'a, RequestTry>, Option<SealedAnswer>), ClientError> {
        let Some(confidential) = &self.client.inner.config.confidential else {
            return Ok((Cow::Borrowed(request), None));
        };
        let text = (request.endpoint, &request.body[..], request.max_units);
        // of its own, since it is large and other requests would carry it along
        let body = Box::pin(self.seal(confidential, info, text, salt)).await?;
        let sealed = RequestTry {
            body: body.bytes,
            sealed: true,
            ..request.clone()
        };
        Ok((Cow::Owned(sealed), Some(body.answer)))
    }

    /// No answer has begun. What never left costs nothing; the rest may have been served.
    fn unsent(&self, info: &NodeInfo, in_flight: InFlight, error: &ClientError) {
        match error {
            ClientError::Unreachable { .. } => {
                in_flight.refused();
                self.client.forget_node(info.id);
            }
            _ => in_flight.unanswered(),
        }
    }
}

/// What the answer to a request is for whoever asked here.
fn form(opener: Option<SealedAnswer>, request: &RequestTry) -> Form {
    match opener {
        Some(answer) => Form::Opened(Box::new(answer)),
        None if request.sealed => Form::Passed,
        None => Form::Plain,
    }
}

/// An answer that has begun. One that is opened here may still turn out to be a refusal.
async fn begun(
    (id, salt): (RequestId, Salt),
    served: (Response<Body>, Form, Pace),
    info: &NodeInfo,
    (in_flight, receipt): (InFlight, oneshot::Receiver<Arc<VerifiedReceipt>>),
) -> Result<Answer, ClientError> {
    let is_opened = matches!(served.1, Form::Opened(_));
    let mut answer = answer::served((id, salt.clone()), served, info, in_flight, receipt);
    if is_opened && let Some((status, body)) = answer.body.begin().await? {
        let headers = answer.headers;
        return Ok(answer::refused(info.id, (id, salt), status, headers, body));
    }
    Ok(answer)
}

/// The node refused, in clear.
async fn refused(
    (id, salt): (RequestId, Salt),
    response: Response<Body>,
    info: &NodeInfo,
    in_flight: InFlight,
) -> Result<Answer, ClientError> {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = match small(info, response).await {
        Ok(body) => body,
        Err(error) => {
            in_flight.unanswered();
            return Err(error);
        }
    };
    in_flight.refused_by(&NodeRefusal::read(status.as_u16(), &body));
    tracing::debug!(%status, "the node refused");
    Ok(answer::refused(info.id, (id, salt), status, headers, body))
}
