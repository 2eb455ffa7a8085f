//! Reading a request's body: never more than the limit is kept, never longer waited than allowed.

use crate::config::Limits;
use atoma_types::refusal::{Refusal, RefusalCode};
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, EXPECT},
};
use http_body_util::BodyExt;
use std::time::Duration;

/// Of a body that is too large, this much is read and thrown away, because many clients don't look
/// for an answer before they have sent everything. Beyond it they find the connection closed.
const DISCARDED_BYTES: usize = 64 * 1024 * 1024;

/// The whole body.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: &Limits,
) -> Result<Bytes, Refusal> {
    let announced: Option<u64> = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let fits = announced.is_none_or(|length| length <= limits.body_bytes as u64);
    // whoever asks first, or sends far too much, is told at once
    let discarded = announced.is_none_or(|length| length <= DISCARDED_BYTES as u64);
    if !fits && (headers.contains_key(EXPECT) || !discarded) {
        return Err(too_large(limits));
    }
    let reading = collect(body, limits);
    tokio::time::timeout(Duration::from(limits.body_timeout), reading)
        .await
        .unwrap_or_else(|_| {
            let message = "the body did not arrive in time";
            Err(Refusal::new(RefusalCode::BodyTimeout, message))
        })
}

async fn collect(mut body: Body, limits: &Limits) -> Result<Bytes, Refusal> {
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
        if total > limits.body_bytes {
            if total > DISCARDED_BYTES {
                break;
            }
            (first, rest) = (Bytes::new(), BytesMut::new());
        } else if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    match total {
        total if total > limits.body_bytes => Err(too_large(limits)),
        _ if rest.is_empty() => Ok(first),
        _ => Ok(rest.freeze()),
    }
}

fn too_large(limits: &Limits) -> Refusal {
    let limit = limits.body_bytes;
    let message = format!("the body is too large: at most {limit} bytes are taken");
    Refusal::new(RefusalCode::BodyTooLarge, message).needed(limit as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use http::HeaderValue;
    use std::convert::Infallible;

    fn pieces(pieces: &'static [&'static str]) -> Body {
        let pieces = pieces
            .iter()
            .map(|p| Ok::<_, Infallible>(Bytes::from_static(p.as_bytes())));
        Body::from_stream(stream::iter(pieces))
    }

    fn limits() -> Limits {
        Limits {
            body_bytes: 6,
            ..Limits::default()
        }
    }

    #[tokio::test]
    async fn up_to_the_limit_and_not_a_byte_more() {
        let none = HeaderMap::new();
        let whole = read(&none, pieces(&["ab", "", "cd", "ef"]), &limits()).await;
        assert_eq!(whole.as_deref(), Ok(&b"abcdef"[..]));
        let refusal = read(&none, pieces(&["abcd", "efg", "h"]), &limits())
            .await
            .unwrap_err();
        assert_eq!(
            (refusal.code, refusal.needed),
            (RefusalCode::BodyTooLarge, Some(6))
        );
    }

    #[tokio::test]
    async fn who_asks_first_is_told_without_reading() {
        let endless = || Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let mut headers = HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static("7"))]);
        headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        let refusal = read(&headers, endless(), &limits()).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::BodyTooLarge);
        let huge = HeaderValue::from_static("100000000000");
        let headers = HeaderMap::from_iter([(CONTENT_LENGTH, huge)]);
        let refusal = read(&headers, endless(), &limits()).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::BodyTooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let refusal = read(&HeaderMap::new(), endless, &limits())
            .await
            .unwrap_err();
        assert_eq!(refusal.code, RefusalCode::BodyTimeout);
    }
}
