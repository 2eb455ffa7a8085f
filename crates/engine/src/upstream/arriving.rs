//! The pieces of a streamed body as they arrive, unless the server falls silent.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use atoma_http::Body;
use bytes::Bytes;
use futures::ready;
use hyper::body::Body as _;
use tokio::time::{Instant, Sleep, sleep};

use crate::EngineError;

/// Longest wait for the first byte, and between bytes: a long prompt on a busy server takes its
/// time, but not longer than clients wait.
pub(super) const SILENCE_TIMEOUT: Duration = Duration::from_secs(300);

/// A body, and one timer for all of its pieces: to set one for each costs more than to relay it.
pub(super) struct Arriving {
    body: Body,
    heard: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Arriving {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body,
            heard: Instant::now(),
            timer: Box::pin(sleep(SILENCE_TIMEOUT)),
        }
    }

    /// The next piece of data; none at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, EngineError> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// The last piece that matters is here.
    pub(super) fn finish(self) {
        self.body.finish();
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, EngineError>> {
        while let Poll::Ready(frame) = pin!(&mut self.body).poll_frame(cx) {
            self.heard = Instant::now();
            match frame.transpose() {
                Err(_) => return Poll::Ready(Err(unavailable("the upstream broke off"))),
                Ok(None) => return Poll::Ready(Ok(None)),
                // trailers say nothing here
                Ok(Some(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Ok(Some(data)));
                    }
                }
            }
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let until = self.heard + SILENCE_TIMEOUT;
            if until <= Instant::now() {
                return Poll::Ready(Err(unavailable("the upstream fell silent")));
            }
            self.timer.as_mut().reset(until);
        }
    }
}

fn unavailable(why: &str) -> EngineError {
    EngineError::Unavailable(why.into())
}
