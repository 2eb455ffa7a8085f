//! Bodies of requests; what is wrong with them becomes a refusal.

use atoma_http::server::{BodyError, BodyLimit, read_body};
use atoma_types::refusal::{Refusal, RefusalCode};
use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;

/// Refuses a body that says of itself that it is too large, before anything is done for it.
pub(super) fn check_announced(headers: &HeaderMap, limit: BodyLimit) -> Result<(), Refusal> {
    limit.check_announced(headers).map_err(|e| refusal(&e))
}

/// The whole body; `seen` gets each piece as it comes.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: BodyLimit,
    seen: impl FnMut(&[u8]),
) -> Result<Bytes, Refusal> {
    read_body(headers, body, limit, seen)
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
