//! Bodies of requests; what is wrong with them becomes a refusal.

use atoma_http::server::{BodyError, BodyLimit, Limits, read_body};
use atoma_types::refusal::{Refusal, RefusalCode};
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
    read_body(headers, body, limit, |_| ())
        .await
        .map_err(|e| refusal(&e))
}

fn refusal(error: &BodyError) -> Refusal {
    let message = error.to_string();
    match error {
        BodyError::TooLarge { max_bytes } => {
            Refusal::new(RefusalCode::BodyTooLarge, message).needed(*max_bytes as u64)
        }
        BodyError::TooSlow(_) => Refusal::new(RefusalCode::BodyTimeout, message),
        _ => Refusal::new(RefusalCode::InvalidBody, message),
    }
}
