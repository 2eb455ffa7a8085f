//! The pieces of an answer as they come, unless the server falls silent.

use super::{AnswerLimits, Body, Error};
use crate::silence::SilenceTimer;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// A body whose server must keep sending: see [`TooSlow`](crate::TooSlow). One timer serves all pieces.
#[derive(Debug)]
pub struct Pieces {
    body: Body,
    timer: SilenceTimer,
}

impl Pieces {
    /// `silence` is the longest time between two pieces.
    #[must_use]
    pub fn new(body: Body, silence: Duration) -> Self {
        let timer = SilenceTimer::new(silence, None);
        Self { body, timer }
    }

    /// The next piece, never empty; nothing at the end.
    ///
    /// # Errors
    /// If the server falls silent or breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// As [`next`](Self::next), for streams.
    ///
    /// # Errors
    /// If the server falls silent or breaks off.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Error>> {
        while let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.timer.heard();
            match frame.transpose() {
                Err(error) => return Poll::Ready(Err(Error::Broken(error))),
                Ok(None) => return Poll::Ready(Ok(None)),
                // trailers say nothing here
                Ok(Some(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Poll::Ready(Ok(Some(data))),
                    Ok(_) | Err(_) => {}
                },
            }
        }
        self.timer.poll(cx).map(|slow| Err(Error::TooSlow(slow)))
    }

    /// The last piece that matters is here: see [`Body::finish`].
    pub fn finish(self) {
        self.body.finish();
    }
}

impl Body {
    /// All of it, within the limits.
    ///
    /// # Errors
    /// If it is too long, comes too slowly or breaks off.
    pub async fn whole(self, limits: AnswerLimits) -> Result<Bytes, Error> {
        let mut pieces = Pieces {
            body: self,
            timer: SilenceTimer::new(limits.silence, Some(limits.total)),
        };
        let max_bytes = limits.max_bytes;
        // most come in one piece, which isn't copied
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(piece) = pieces.next().await? {
            if first.len().max(rest.len()) + piece.len() > max_bytes {
                return Err(Error::TooLong { max_bytes });
            }
            if first.is_empty() {
                first = piece;
                continue;
            }
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&piece);
        }
        Ok(if rest.is_empty() {
            first
        } else {
            rest.freeze()
        })
    }
}
