//! What a user gets for a request, before it is HTTP: the node's answer as it came, because its
//! bytes are what its receipt vouches for.

use crate::{
    concurrency::ConcurrencyPermit,
    metrics::Metrics,
    pool::Attempt,
    router::{Measure, Outcome},
};
use atoma_client::{AnswerBody, ClientError, ThroughAnswer, WholeAnswer};
use atoma_types::{
    http::{RECEIPT, REQUEST_ID, SALT},
    message::Salt,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::{sync::Arc, time::Duration};
use tracing::Span;

/// Of a node's headers, what the user gets.
const RELAYED: [HeaderName; 3] = [
    http::header::CONTENT_TYPE,
    HeaderName::from_static(RECEIPT),
    HeaderName::from_static(REQUEST_ID),
];

/// An answer, or a node's refusal that the user must hear.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "returned once and taken apart at once"
)]
pub(crate) enum Reply {
    Whole(WholeReply),
    Stream(StreamReply),
    /// Another gateway's, opened here.
    Through(ThroughAnswer),
}

/// All of it is here.
#[derive(Debug)]
pub(crate) struct WholeReply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A stream whose first bytes are here.
#[derive(Debug)]
pub(crate) struct StreamReply {
    pub(crate) headers: HeaderMap,
    /// No words of ours belong behind it.
    pub(crate) sealed: bool,
    pub(crate) first: Bytes,
    pub(crate) rest: AnswerBody,
    pub(crate) in_flight: StreamInFlight,
}

/// A stream under way. Dropped, it lets the next request in.
#[derive(Debug)]
pub(crate) struct StreamInFlight {
    pub(crate) attempt: Attempt,
    /// The time until its first byte.
    pub(crate) took: Duration,
    pub(crate) metrics: Arc<Metrics>,
    /// The request's span, for what is said about the stream later.
    pub(crate) span: Span,
    pub(crate) _permit: Option<ConcurrencyPermit>,
}

impl StreamInFlight {
    /// The stream has ended as it should.
    pub(crate) fn ended(&mut self) {
        let outcome = Outcome::Answered(Measure::FirstToken, self.took);
        self.attempt.went(outcome);
    }

    /// The stream broke off.
    pub(crate) fn broke(&mut self, error: &ClientError) {
        let node = self.attempt.node();
        let error = error as &dyn std::error::Error;
        self.span
            .in_scope(|| tracing::warn!(error, %node, "a stream broke off"));
        self.metrics.broken.inc();
        self.attempt.went(Outcome::Failed);
    }
}

impl From<WholeAnswer> for WholeReply {
    fn from(answer: WholeAnswer) -> Self {
        Self {
            status: answer.status,
            headers: relayed(&answer.headers, &answer.salt),
            body: answer.body,
        }
    }
}

/// The headers that the user gets: some of the node's, and the salt, without which they couldn't hold the
/// receipt against their request and its answer.
pub(crate) fn relayed(from: &HeaderMap, salt: &Salt) -> HeaderMap {
    let kept = RELAYED.into_iter().filter_map(|name| {
        let value = from.get(&name)?.clone();
        Some((name, value))
    });
    let mut headers: HeaderMap = kept.collect();
    // base64 is valid in headers
    if let Ok(mut value) = HeaderValue::from_str(&salt.to_text()) {
        value.set_sensitive(true);
        headers.insert(SALT, value);
    }
    headers
}
