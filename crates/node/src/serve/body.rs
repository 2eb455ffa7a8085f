//! Reading a request's body: never more than the limit, never longer than the timeout, hashed as
//! it comes in.

use crate::config::Limits;
use atoma_types::{
    hash::{Hash32, Hasher},
    refusal::{Refusal, RefusalCode},
};
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body_util::BodyExt;
use std::time::Duration;

/// Refuses a body that says of itself that it is too large, before any of it is read.
pub(super) fn check_length(headers: &HeaderMap, limits: &Limits) -> Result<(), Refusal> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    match length.and_then(|length| length.parse::<u64>().ok()) {
        Some(length) if length > limits.max_body_bytes as u64 => Err(too_large(limits)),
        _ => Ok(()),
    }
}

/// The body and its hash.
pub(super) async fn read(body: Body, limits: &Limits) -> Result<(Bytes, Hash32), Refusal> {
    let timeout = Duration::from_millis(limits.body_timeout_ms);
    tokio::time::timeout(timeout, collect(body, limits))
        .await
        .unwrap_or_else(|_| {
            Err(Refusal::new(
                RefusalCode::BodyTimeout,
                "the body did not arrive in time",
            ))
        })
}

async fn collect(mut body: Body, limits: &Limits) -> Result<(Bytes, Hash32), Refusal> {
    let mut hasher = Hasher::new();
    // most bodies come in one piece, which isn't copied
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut total = 0usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Refusal::new(
                RefusalCode::InvalidBody,
                "the body broke off before its end",
            )
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        total = total.saturating_add(data.len());
        if total > limits.max_body_bytes {
            return Err(too_large(limits));
        }
        hasher.update(&data);
        if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    let whole = if rest.is_empty() {
        first
    } else {
        rest.freeze()
    };
    Ok((whole, hasher.finish()))
}

fn too_large(limits: &Limits) -> Refusal {
    let limit = limits.max_body_bytes;
    Refusal::new(
        RefusalCode::BodyTooLarge,
        format!("a body has at most {limit} bytes"),
    )
    .needed(limit as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use std::convert::Infallible;

    fn pieces(pieces: &'static [&'static str]) -> Body {
        let pieces = pieces
            .iter()
            .map(|p| Ok::<_, Infallible>(Bytes::from_static(p.as_bytes())));
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn pieces_become_one_body_and_one_hash() {
        let limits = Limits {
            max_body_bytes: 6,
            ..Limits::default()
        };
        let (body, hash) = read(pieces(&["ab", "", "cd", "ef"]), &limits)
            .await
            .unwrap();
        assert_eq!(&body[..], b"abcdef");
        assert_eq!(hash, Hash32::of(b"abcdef"));
        let refusal = read(pieces(&["abcd", "efg"]), &limits).await.unwrap_err();
        assert_eq!(
            (refusal.code, refusal.needed),
            (RefusalCode::BodyTooLarge, Some(6))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let refusal = read(endless, &Limits::default()).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::BodyTimeout);
    }
}
