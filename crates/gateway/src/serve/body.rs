//! Bodies of requests, within the server's limits.

use atoma_http::server::{BodyLimit, HeldRoom, Limits, read_body_within};
use atoma_types::refusal::Refusal;
use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;

/// Many SDKs don't look for an answer before they have sent everything: of a body that is too large,
/// this much is read for their sake. Only those with a key get so far.
const DISCARDED_BYTES: u64 = 64 << 20;

/// The whole body, within the room that long ones share.
pub(super) async fn read(
    held: &mut HeldRoom,
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<Bytes, Refusal> {
    let limit = BodyLimit {
        discarded_bytes: DISCARDED_BYTES,
        ..BodyLimit::new(limits)
    };
    Ok(read_body_within(held, headers, body, limit, |_| ()).await?)
}
