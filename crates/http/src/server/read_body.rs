//! Reading a whole body into memory: never more than allowed, never longer than allowed.

use super::{
    Limits,
    body_room::{HeldRoom, RoomFull},
};
use crate::silence::TooSlow;
use atoma_runtime::WithCauses;
use atoma_types::refusal::{Refusal, RefusalCode};
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, EXPECT},
};
use http_body_util::BodyExt;
use std::{error::Error, time::Duration};

/// What a route takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit {
    /// Bytes of a body; one more and it is refused.
    pub max_bytes: usize,
    /// It must be complete so long after its reading began. The server's `body_timeout_ms` and
    /// `body_idle_timeout_ms` hold besides.
    pub time: Duration,
    /// Of a body that is too large, so much is read and thrown away, because many clients don't look
    /// for an answer before they have sent everything. Beyond it they find the connection closed.
    pub discarded_bytes: u64,
}

/// A body that couldn't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It is longer than the route takes.
    #[error("the body is too large: at most {max_bytes} bytes are taken")]
    TooLarge {
        /// What the route takes.
        max_bytes: usize,
    },
    /// It came too slowly.
    #[error("the body did not arrive in time")]
    TooSlow(#[source] TooSlow),
    /// The room that long bodies share is full, or the party's share of it.
    #[error(transparent)]
    NoRoom(#[from] RoomFull),
    /// It ended before its end.
    #[error("the body broke off before its end")]
    Broken(#[source] axum::Error),
}

impl From<BodyError> for Refusal {
    /// What node and gateway answer to a bad body.
    fn from(error: BodyError) -> Self {
        let message = WithCauses(&error).to_string();
        match error {
            BodyError::TooLarge { max_bytes } => {
                Self::new(RefusalCode::BodyTooLarge, message).needed(max_bytes as u64)
            }
            BodyError::NoRoom(_) => Self::new(RefusalCode::Overloaded, message),
            BodyError::TooSlow(_) => Self::new(RefusalCode::BodyTimeout, message),
            BodyError::Broken(_) => Self::new(RefusalCode::InvalidBody, message),
        }
    }
}

impl BodyLimit {
    /// The server's own limits, which throw nothing away.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            max_bytes: limits.max_body_bytes,
            time: limits.body_timeout(),
            discarded_bytes: 0,
        }
    }

    fn too_large(&self) -> BodyError {
        BodyError::TooLarge {
            max_bytes: self.max_bytes,
        }
    }

    /// Refuses a body that says of itself that it is too large, before any of it is read.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`], unless it is to be thrown away and the client didn't ask first.
    pub fn check_announced(&self, headers: &HeaderMap) -> Result<(), BodyError> {
        let announced: Option<u64> = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let Some(length) = announced.filter(|length| *length > self.max_bytes as u64) else {
            return Ok(());
        };
        // whoever asks first, or sends far too much, is told at once
        if headers.contains_key(EXPECT) || length > self.discarded_bytes {
            return Err(self.too_large());
        }
        Ok(())
    }
}

/// The whole body. `seen` gets each piece as it comes, for hashing.
///
/// # Errors
/// See [`BodyError`].
pub async fn read_body(
    headers: &HeaderMap,
    body: Body,
    limit: BodyLimit,
    seen: impl FnMut(&[u8]),
) -> Result<Bytes, BodyError> {
    read_body_within(&mut HeldRoom::unlimited(), headers, body, limit, seen).await
}

/// As [`read_body`], within a room that long bodies share. What is held of it must live as long as the body.
///
/// # Errors
/// See [`BodyError`].
pub async fn read_body_within(
    held: &mut HeldRoom,
    headers: &HeaderMap,
    body: Body,
    limit: BodyLimit,
    seen: impl FnMut(&[u8]),
) -> Result<Bytes, BodyError> {
    limit.check_announced(headers)?;
    let collected = tokio::time::timeout(limit.time, collect(held, body, limit, seen)).await;
    collected.unwrap_or(Err(BodyError::TooSlow(TooSlow::Unfinished(limit.time))))
}

async fn collect(
    held: &mut HeldRoom,
    mut body: Body,
    limit: BodyLimit,
    mut seen: impl FnMut(&[u8]),
) -> Result<Bytes, BodyError> {
    // most bodies come in one piece, which isn't copied
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut total = 0u64;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else {
            continue;
        };
        total = total.saturating_add(data.len() as u64);
        if total > limit.max_bytes as u64 {
            if total > limit.discarded_bytes {
                return Err(limit.too_large());
            }
            (first, rest) = (Bytes::new(), BytesMut::new());
            held.clear();
            continue;
        }
        held.grow(data.len())?;
        seen(&data);
        if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    match total {
        total if total > limit.max_bytes as u64 => Err(limit.too_large()),
        _ if rest.is_empty() => Ok(first),
        _ => Ok(rest.freeze()),
    }
}

/// Slowness is found below what axum wraps around it.
fn broken(error: axum::Error) -> BodyError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if let Some(slow) = inner.downcast_ref::<super::request_body::RequestBodyError>()
            && let super::request_body::RequestBodyError::TooSlow(slow) = slow
        {
            return BodyError::TooSlow(*slow);
        }
        cause = inner.source();
    }
    BodyError::Broken(error)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            body_room::{BodyRoom, FREE_BODY_BYTES},
            request_body::RequestBody,
        },
        *,
    };
    use http::HeaderValue;
    use http_body::Frame;
    use http_body_util::StreamBody;
    use std::convert::Infallible;
    use tokio::sync::mpsc;

    const LIMIT: BodyLimit = BodyLimit {
        max_bytes: 6,
        time: Duration::from_secs(30),
        discarded_bytes: 0,
    };

    fn body(stream: impl futures::Stream<Item = &'static str> + Send + 'static) -> Body {
        use futures::StreamExt;
        Body::from_stream(
            stream.map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes()))),
        )
    }

    fn pieces(pieces: &'static [&'static str]) -> Body {
        body(futures::stream::iter(pieces.iter().copied()))
    }

    fn announced(length: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_LENGTH, HeaderValue::from_static(length))])
    }

    #[tokio::test]
    async fn up_to_the_limit_and_not_a_byte_more() {
        let mut seen = Vec::new();
        let none = HeaderMap::new();
        let whole = read_body(&none, pieces(&["ab", "", "cd", "ef"]), LIMIT, |piece| {
            seen.extend_from_slice(piece);
        });
        assert_eq!(whole.await.unwrap(), "abcdef");
        assert_eq!(seen, b"abcdef");
        let long = read_body(&none, pieces(&["abcd", "efg"]), LIMIT, |_| ());
        let error = long.await.unwrap_err();
        assert!(matches!(error, BodyError::TooLarge { max_bytes: 6 }));
    }

    #[tokio::test]
    async fn what_is_announced_too_large_is_refused_unread() {
        let endless = || body(futures::stream::pending());
        let refused = read_body(&announced("7"), endless(), LIMIT, |_| ()).await;
        assert!(matches!(refused, Err(BodyError::TooLarge { .. })));
        let patient = BodyLimit {
            discarded_bytes: 10,
            ..LIMIT
        };
        // far too much
        let refused = read_body(&announced("11"), endless(), patient, |_| ()).await;
        assert!(matches!(refused, Err(BodyError::TooLarge { .. })));
        // asked first
        let mut asks = announced("7");
        asks.insert(EXPECT, HeaderValue::from_static("100-continue"));
        let refused = read_body(&asks, endless(), patient, |_| ()).await;
        assert!(matches!(refused, Err(BodyError::TooLarge { .. })));
    }

    #[tokio::test]
    async fn who_sends_first_and_looks_later_is_told_after_the_last_byte() {
        let patient = BodyLimit {
            discarded_bytes: 10,
            ..LIMIT
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        let sent = tokio_stream::wrappers::UnboundedReceiverStream::new(receiver);
        let headers = announced("8");
        let reading = read_body(&headers, body(sent), patient, |_| ());
        for piece in ["abcd", "efgh"] {
            sender.send(piece).unwrap();
        }
        drop(sender);
        let refused = reading.await;
        assert!(matches!(refused, Err(BodyError::TooLarge { .. })));
    }

    #[tokio::test]
    async fn of_a_body_that_is_thrown_away_nothing_is_held() {
        let room = BodyRoom::new(1 << 20);
        let long = BodyLimit {
            max_bytes: 200_000,
            discarded_bytes: 1 << 20,
            ..LIMIT
        };
        let mut first = room.enter("ann");
        let none = HeaderMap::new();
        let discarded = {
            let piece = Bytes::from(vec![b' '; 150_000]);
            let pieces = [Ok::<_, Infallible>(piece.clone()), Ok(piece)];
            let sent = Body::from_stream(futures::stream::iter(pieces));
            read_body_within(&mut first, &none, sent, long, |_| ()).await
        };
        assert!(matches!(discarded, Err(BodyError::TooLarge { .. })));
        // the quarter is all free again, although `first` is still here
        let mut second = room.enter("ann");
        assert!(second.grow((1 << 18) + FREE_BODY_BYTES).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let endless = body(futures::stream::pending());
        let late = read_body(&HeaderMap::new(), endless, LIMIT, |_| ()).await;
        let Err(BodyError::TooSlow(slow)) = late else {
            panic!("{late:?}");
        };
        assert_eq!(slow, TooSlow::Unfinished(LIMIT.time));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_coming_is_not_waited_for() {
        let stream = futures::stream::pending::<Result<Frame<Bytes>, Infallible>>();
        let body = RequestBody::new(StreamBody::new(stream), &Limits::default());
        let late = read_body(&HeaderMap::new(), Body::new(body), LIMIT, |_| ()).await;
        let Err(BodyError::TooSlow(slow)) = late else {
            panic!("{late:?}");
        };
        assert_eq!(slow, TooSlow::Silent(Duration::from_secs(10)));
    }
}
