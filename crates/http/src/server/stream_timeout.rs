//! The write timeout of one HTTP/2 stream.
//!
//! A client that gives a stream no window (and answers pings, and reads other streams) blocks no
//! write of the connection. But hyper drives each stream in a future of its own, which asks the body
//! for a frame, waits for window, sends it and asks again. So whoever saw the body answer last knows
//! what the future waits for: after a frame, for the reader; after `Pending`, for the body itself.
//! The future is wrapped, and dropped when it has waited for the reader for too long; that resets the
//! stream and drops the body, and nothing else on the connection.
//!
//! The two meet in a thread-local cell, because nothing links a stream's future with the body inside
//! it from outside. Both run within one `poll` of the wrapper.

use super::counters::{Closed, Counters};
use hyper::rt::Executor;
use std::{
    cell::Cell,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};

/// What a stream waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitsFor {
    /// The handler, or the body's next frame.
    Us,
    /// Window for a frame that is there.
    Reader,
}

thread_local! {
    /// What the body said last, within the poll of a stream's future that runs on this thread.
    static SAID: Cell<Option<WaitsFor>> = const { Cell::new(None) };
}

/// To be called with what the body of an HTTP/2 response answered.
pub(super) fn body_polled<T>(polled: &Poll<T>) {
    SAID.set(Some(match polled {
        Poll::Ready(_) => WaitsFor::Reader,
        Poll::Pending => WaitsFor::Us,
    }));
}

/// Runs the streams of HTTP/2 connections.
#[derive(Clone, Debug)]
pub(super) struct StreamExecutor {
    pub(super) limit: Duration,
    pub(super) counters: Arc<Counters>,
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(StreamTimeout {
            stream: Box::pin(stream),
            waits_for: WaitsFor::Us,
            timer: None,
            executor: self.clone(),
        });
    }
}

struct StreamTimeout<F> {
    stream: Pin<Box<F>>,
    waits_for: WaitsFor,
    /// Made when the stream waits for its reader for the first time.
    timer: Option<Pin<Box<Sleep>>>,
    executor: StreamExecutor,
}

impl<F: Future<Output = ()>> Future for StreamTimeout<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        SAID.set(None);
        let polled = this.stream.as_mut().poll(cx);
        let said = SAID.take();
        if polled.is_ready() {
            return Poll::Ready(());
        }
        let limit = this.executor.limit;
        let waited_for = this.waits_for;
        this.waits_for = said.unwrap_or(waited_for);
        if this.waits_for == WaitsFor::Us {
            return Poll::Pending;
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        // a frame was taken since, or it only now waits for the reader
        if said.is_some() || waited_for == WaitsFor::Us {
            timer.as_mut().reset(Instant::now() + limit);
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        this.executor.counters.count(Closed::StreamWriteTimeout);
        Poll::Ready(())
    }
}
