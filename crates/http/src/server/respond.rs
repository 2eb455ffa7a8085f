//! Answers that every server gives.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};

/// What a JSON document is called.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// After how many seconds a client that was told to wait may come again: long enough for a request to end, short enough for
/// an SDK's own retry.
pub const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// A JSON document.
#[must_use]
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}
