//! Bodies of requests, within the server's limits.

use atoma_http::server::{BodyLimit, Limits, read_body};
use atoma_types::refusal::Refusal;
use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;

/// Many SDKs don't look for an answer before they have sent everything: of a body that is too large,
/// this much is read for their sake. Only those with a key get so far.
const DISCARDED_BYTES: u64 = 64 << 20;

/// The whole body.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<Bytes, Refusal> {
    let limit = BodyLimit {
        discarded_bytes: DISCARDED_BYTES,
        ..BodyLimit::new(limits)
    };
    Ok(read_body(headers, body, limit, |_| ()).await?)
}
