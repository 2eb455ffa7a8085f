//! Responses and their headers.

use crate::reply::WholeReply;
use atoma_client::ThroughAnswer;
use atoma_http::server::{JSON, RETRY_AFTER_SECONDS, json};
use atoma_runtime::Runtime;
use atoma_types::{
    RequestId,
    http::REQUEST_ID,
    refusal::{Refusal, RefusalCode},
};
use axum::{body::Body, response::Response};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER},
};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// Plain text, as Prometheus reads it.
pub(super) fn text(body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

/// A streamed answer, with the node's headers where they say something else.
pub(super) fn event_stream(body: Body, headers: HeaderMap) -> Response {
    let mut response = Response::new(body);
    let all = response.headers_mut();
    all.insert(CONTENT_TYPE, EVENT_STREAM);
    all.insert(CACHE_CONTROL, NO_CACHE);
    all.extend(headers);
    response
}

/// An answer that was opened here. One that breaks off ends the connection: no client takes it for whole.
pub(super) fn through(answer: ThroughAnswer) -> Response {
    let mut response = Response::new(Body::from_stream(answer.body));
    *response.status_mut() = answer.status;
    let inside = if answer.is_stream { EVENT_STREAM } else { JSON };
    response.headers_mut().insert(CONTENT_TYPE, inside);
    response
}

/// A node's answer as it came.
pub(super) fn whole(reply: WholeReply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

/// A refusal of what isn't a request for an answer, with an id of its own.
pub(super) fn refuse(runtime: &Runtime, refusal: &Refusal) -> Response {
    refuse_as(runtime.request_id(), refusal)
}

/// A request's refusal in OpenAI's shape.
pub(super) fn refuse_as(id: RequestId, refusal: &Refusal) -> Response {
    tracing::debug!(%id, code = %refusal.code, "refused");
    let status = StatusCode::from_u16(refusal.code.status());
    // every code's status is a valid one
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, refusal.to_json());
    let headers = response.headers_mut();
    match refusal.code {
        RefusalCode::Overloaded | RefusalCode::Unavailable => {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        // what is left of the body is not worth reading
        RefusalCode::BodyTooLarge | RefusalCode::BodyTimeout => {
            headers.insert(CONNECTION, CLOSE);
        }
        _ => {}
    }
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    response
}
