//! One try from seal to answer: nothing is sent before it is covered on disk, and however it ends, its lane
//! learns of it.

use super::{RequestTry, reserve::Reserved};
use crate::{
    Answer, ClientError, Ended, NodeInfo, StackHandle,
    answer::{self, Form, LATE, read_on},
    confidential::SealedAnswer,
    http::{bad_url, small},
    in_flight::InFlight,
    pace::Pace,
    retry::NodeRefusal,
    told::ReceiptWatcher,
};
use atoma_http::client::Body;
use atoma_types::{RequestId, message::Salt};
use http::Response;
use std::{borrow::Cow, sync::Arc};
use tokio::{sync::oneshot, time::timeout};
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
        let cover = self.reserve(
            key,
            (id, request.is_earned),
            request.max_units,
            request.ceiling,
        )?;
        let reserved = Reserved::new(self, key, id);
        let signed = self
            .sign(info, key, (&request, &salt), cover.ceiling)
            .await?;
        let message = self.http_request(info, (&request, &salt), &signed);
        reserved.passed_on();
        let (in_flight, receipt) =
            InFlight::new(self.clone(), Arc::clone(info), key, (signed, asked));
        let in_flight = in_flight.watched_by(watcher);
        let covered = match message {
            Ok(message) => {
                let covered = self.client.inner.store.cover(key, cover).await;
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
        let weights = &self.state.task.weights;
        let sent = Sent {
            stack: self.clone(),
            info: Arc::clone(info),
            id: (id, salt),
            pace: Pace::new(request.endpoint, weights, request.max_units),
            form: form(opener, &request),
            in_flight,
            receipt,
        };
        let http = self.client.inner.http.clone();
        let first_byte = request.first_byte;
        if !request.is_paid_late {
            return sent.end(http.send(info, message, first_byte).await).await;
        }
        let info = Arc::clone(info);
        let mut sending = Box::pin(async move {
            let longest = first_byte.saturating_add(LATE);
            http.send(&info, message, longest).await
        });
        match timeout(first_byte, &mut sending).await {
            Ok(response) => sent.end(response).await,
            Err(_) => {
                sent.goes_on(sending);
                Err(ClientError::TimedOut {
                    what: "the node's answer",
                    after: first_byte,
                })
            }
        }
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
}

/// A request that has left.
struct Sent {
    stack: StackHandle,
    info: Arc<NodeInfo>,
    id: (RequestId, Salt),
    pace: Pace,
    form: Form,
    in_flight: InFlight,
    receipt: oneshot::Receiver<Ended>,
}

impl Sent {
    /// The head of its answer is here, or won't come.
    async fn end(
        self,
        response: Result<Response<Body>, ClientError>,
    ) -> Result<Answer, ClientError> {
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                self.unsent(&error);
                return Err(error);
            }
        };
        let (info, waits) = (&*self.info, (self.in_flight, self.receipt));
        if response.status().is_success() {
            return begun(self.id, (response, self.form, self.pace), info, waits).await;
        }
        let is_opened = matches!(self.form, Form::Opened(_));
        let refused = refused(self.id, response, info, waits.0).await?;
        if is_opened {
            // its keys may be others by now: the next try looks
            self.stack.client.inner.attested.forget(info.id);
        }
        Ok(refused)
    }

    /// Its time is over, and whoever asked pays for what comes later: nobody waits for it.
    fn goes_on(
        self,
        sending: impl Future<Output = Result<Response<Body>, ClientError>> + Send + 'static,
    ) {
        let place = self.in_flight.place_among_late();
        let (Some(place), Ok(runtime)) = (place, tokio::runtime::Handle::try_current()) else {
            return;
        };
        let waits = async move {
            if let Ok(answer) = self.end(sending.await).await {
                read_on(answer.body).await;
            }
            drop(place);
        };
        runtime.spawn(waits.in_current_span());
    }

    /// No answer has begun. What never left costs nothing; the rest may have been served.
    fn unsent(self, error: &ClientError) {
        match error {
            ClientError::Unreachable { .. } => {
                self.in_flight.refused();
                self.stack.client.forget_node(self.info.id);
            }
            _ => self.in_flight.unanswered(),
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
    (in_flight, receipt): (InFlight, oneshot::Receiver<Ended>),
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
