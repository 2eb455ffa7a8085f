//! Questions whose answers are small enough to hold: one request, one whole answer.

use super::{Error, Pool, connection::Outgoing};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header::CONTENT_TYPE};
use http_body_util::Full;
use std::time::Duration;
use tokio::time::timeout;

/// An error's words are short. Of a longer one nothing is kept: it isn't meant for us.
const MAX_REFUSAL_BYTES: usize = 256 << 10;

/// How an answer is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerLimits {
    /// The head must be here by then.
    pub first_byte: Duration,
    /// The longest time between two pieces of the body.
    pub silence: Duration,
    /// The body must be complete so long after the head.
    pub total: Duration,
    /// Bytes of the body.
    pub max_bytes: usize,
}

impl AnswerLimits {
    /// One time for everything, for answers that come soon or never.
    #[must_use]
    pub const fn within(time: Duration, max_bytes: usize) -> Self {
        Self {
            first_byte: time,
            silence: time,
            total: time,
            max_bytes,
        }
    }
}

impl Pool {
    /// Sends a request and waits for the whole answer. An answer of another status than success keeps
    /// its body only if that is short and arrives: the status is what counts then.
    ///
    /// # Errors
    /// See [`Error`]. A status is never an error here.
    pub async fn ask(
        &self,
        request: Request<Full<Bytes>>,
        limits: AnswerLimits,
    ) -> Result<Response<Bytes>, Error> {
        let answer = self.ask_in_parts(request, limits);
        // the parts have their own times; together they may not take longer than the longest
        let longest = limits.first_byte.max(limits.total);
        timeout(longest, answer)
            .await
            .unwrap_or(Err(Error::NoAnswer(longest)))
    }

    async fn ask_in_parts(
        &self,
        request: Request<Full<Bytes>>,
        limits: AnswerLimits,
    ) -> Result<Response<Bytes>, Error> {
        let head = timeout(limits.first_byte, self.send(request)).await;
        let (parts, body) = head
            .unwrap_or(Err(Error::NoAnswer(limits.first_byte)))?
            .into_parts();
        if parts.status.is_success() {
            let body = body.whole(limits).await?;
            return Ok(Response::from_parts(parts, body));
        }
        let limits = AnswerLimits {
            max_bytes: MAX_REFUSAL_BYTES,
            ..limits
        };
        let body = body.whole(limits).await.unwrap_or_default();
        Ok(Response::from_parts(parts, body))
    }
}

/// `GET` of a URL. One that doesn't parse is refused by the pool, as [`Error::Url`].
#[must_use]
pub fn get(url: &str) -> Request<Full<Bytes>> {
    to(url, Request::new(Full::default()))
}

/// `POST` of a JSON document to a URL.
#[must_use]
pub fn post_json(url: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body.into()));
    *request.method_mut() = Method::POST;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(CONTENT_TYPE, json);
    to(url, request)
}

fn to(url: &str, mut request: Outgoing) -> Outgoing {
    // what doesn't parse becomes a URL without a host
    *request.uri_mut() = url.parse().unwrap_or_default();
    request
}
