//! A request's body, which must keep coming.

use super::Limits;
use crate::silence::{SilenceTimer, TooSlow};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// A body that breaks off when its sender is too slow. Handlers get it as axum's `Body`.
#[derive(Debug)]
pub(super) struct RequestBody<B = Incoming> {
    body: B,
    timer: SilenceTimer,
}

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestBodyError {
    #[error(transparent)]
    TooSlow(#[from] TooSlow),
    #[error("the connection broke")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

impl<B> RequestBody<B> {
    pub(super) fn new(body: B, limits: &Limits) -> Self {
        let silence = Duration::from_millis(limits.body_idle_timeout_ms);
        let timer = SilenceTimer::new(silence, Some(limits.body_timeout()));
        Self { body, timer }
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.timer.heard();
                let broken = |error: B::Error| RequestBodyError::Broken(error.into());
                Poll::Ready(frame.map(|frame| frame.map_err(broken)))
            }
            Poll::Pending => this.timer.poll(cx).map(|slow| Some(Err(slow.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
