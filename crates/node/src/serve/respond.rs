//! Responses and their headers.

use crate::confidential::Seal;
use atoma_http::server::{RETRY_AFTER_SECONDS, json};
use atoma_openai::answer as openai;
use atoma_types::{
    RequestId,
    http::{RECEIPT, REQUEST_ID},
    message::{Receipt, Signed},
    refusal::{Refusal, RefusalCode},
};
use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use serde::Serialize;

const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const SEALED: HeaderValue = HeaderValue::from_static(atoma_channel::MEDIA_TYPE);
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

/// A value as JSON.
pub(crate) fn ok(value: &impl Serialize) -> Response {
    json(StatusCode::OK, openai::json(value))
}

/// An answer in plain text.
pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = json(status, body);
    response.headers_mut().insert(CONTENT_TYPE, PLAIN);
    response
}

/// A refusal in OpenAI's shape.
pub(crate) fn refuse(refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.code.status());
    // every code's status is a valid one
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, refusal.to_json());
    if matches!(
        refusal.code,
        RefusalCode::Overloaded | RefusalCode::Unavailable
    ) {
        response
            .headers_mut()
            .insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
    }
    response
}

/// A whole answer with its receipt: beside it, or behind it where it is sealed.
pub(super) fn answer(body: Bytes, receipt: &Signed<Receipt>, seal: Option<&Seal>) -> Response {
    match seal {
        Some(seal) => {
            let whole = [&body[..], &seal.receipt(receipt)].concat();
            sealed(Body::from(whole))
        }
        None => paid_answer(body, &receipt.to_text()),
    }
}

/// A sealed answer.
pub(super) fn sealed(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, SEALED);
    response.headers_mut().insert(CACHE_CONTROL, NO_CACHE);
    response
}

/// Bytes that aren't text.
pub(super) fn bytes(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, OCTETS);
    response.headers_mut().insert(CACHE_CONTROL, NO_CACHE);
    response
}

/// A whole answer with its receipt in a header.
pub(super) fn paid_answer(body: impl Into<Bytes>, receipt: &str) -> Response {
    let mut response = json(StatusCode::OK, body);
    if let Ok(value) = HeaderValue::from_str(receipt) {
        response.headers_mut().insert(RECEIPT, value);
    }
    response
}

/// A streamed answer.
pub(super) fn event_stream(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, EVENT_STREAM);
    response.headers_mut().insert(CACHE_CONTROL, NO_CACHE);
    response
}

/// Names the request.
pub(super) fn name(response: &mut Response, id: RequestId) {
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}
